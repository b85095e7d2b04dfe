"""The shop whose log the demo writes: who visits it, with what, and which routes there are.

Made once from a seed. Addresses come from ranges that belong to nobody: benchmarking, carriers' private space and
documentation. Sizes and shares follow what access logs of small shops look like; nothing here depends on time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VISITORS = 30_000
PRODUCTS = 4_000
POSTS = 240
# How fast popularity falls with rank: few visitors and pages make most of the traffic, as everywhere.
ZIPF_EXPONENT = 1.0

# One row per kind of request: its statuses and how often each is answered.
_STATUSES: dict[str, dict[int, float]] = {
    "asset": {200: 0.80, 304: 0.18, 404: 0.02},
    "page": {200: 0.93, 301: 0.02, 304: 0.03, 404: 0.014, 500: 0.004, 502: 0.002},
    "read": {200: 0.94, 304: 0.02, 401: 0.02, 404: 0.012, 429: 0.004, 500: 0.004},
    "write": {201: 0.70, 204: 0.20, 400: 0.05, 401: 0.03, 409: 0.015, 500: 0.005},
    "sign_in": {302: 0.86, 401: 0.13, 429: 0.01},
    "scan": {404: 0.97, 403: 0.03},
    "broken": {400: 0.9, 408: 0.1},
}
KINDS = tuple(_STATUSES)
NO_BODY = (204, 304)

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_{0} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
# Share of the visitors, protocol, user agent with its versions.
_AGENT_FAMILIES = (
    (15.0, "HTTP/2.0", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/{{0}}.0.0.0 Safari/537.36", 138),
    (10.0, "HTTP/2.0", f"Mozilla/5.0 (Linux; Android {{0}}; K) {_WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36", 10),
    (14.0, "HTTP/2.0", f"{_IPHONE} Version/18.{{0}} Mobile/15E148 Safari/604.1", 1),
    (7.0, "HTTP/2.0", "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", 138),
    (42.0, "HTTP/2.0", "PuppyShop/5.{0} (Android 14; Pixel 8)", 0),
    (38.0, "HTTP/2.0", "PuppyShop/5.{0} CFNetwork/1568.200.51 Darwin/24.1.0", 0),
    (3.5, "HTTP/1.1", "Mozilla/5.0 (compatible; FetchBot/2.{0}; +http://fetch.example/bot.html)", 1),
    (2.0, "HTTP/1.1", "UptimeBone/1.{0}", 0),
    (1.5, "HTTP/1.1", "curl/8.{0}.0", 7),
    (1.5, "HTTP/1.1", "python-requests/2.{0}.0", 29),
    (0.5, "HTTP/1.1", "-", 0),
)
_VERSIONS = 5  # of each family are around, the first as its last member says
_AGENTS = [
    (share / _VERSIONS, protocol, agent.format(first + version))
    for share, protocol, agent, first in _AGENT_FAMILIES
    for version in range(_VERSIONS)
]

_GOODS = ("bone", "collar", "leash", "basket", "biscuit", "brush", "blanket", "bowl", "whistle", "ball", "kennel")
_KINDS_OF_GOODS = ("red", "blue", "tiny", "giant", "squeaky", "warm", "organic", "reflective", "second-hand", "quiet")
_USERS = ("ada", "linus", "grace", "edsger", "barbara", "ken", "margaret", "dennis")

# What scanners try everywhere, and what a server logs for a TLS hello on its plain port and for a connection that
# never sent a request. All of these are lines of the format, however little sense they make.
_SCANS = ("/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/index.php", "/cgi-bin/luci", "/admin.php")
_BROKEN = (r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", r"\x16\x03\x01\x00\xEE\x01\x00\x00\xEA\x03\x03", "-")


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Requests of one nature, the most popular first."""

    share: float
    kind: str
    texts: list[str]
    size_bytes: float
    size_spread: float
    referred: float


@dataclass(frozen=True, slots=True)
class Visitors:
    cumulative: Floats  # share of the traffic of all visitors up to this one
    prefixes: pa.Array  # host, ident, user
    agents: Ints  # which user agent each one has


@dataclass(frozen=True, slots=True)
class Requests:
    cumulative: Floats
    texts: pa.Array  # method and route, or what was sent instead
    kinds: Ints  # index into KINDS
    size_bytes: Floats  # the median of the answer's size
    size_spread: Floats  # sigma of its logarithm; 0 for files, which are always of one size
    referred: Floats  # how often the request says where it comes from
    complete: npt.NDArray[np.bool_]  # followed by a protocol


@dataclass(frozen=True, slots=True)
class Shop:
    visitors: Visitors
    requests: Requests
    referers: pa.Array
    referers_cumulative: Floats
    agents: pa.Array
    protocols: pa.Array  # one per agent
    statuses: Ints  # kinds x the most statuses that a kind has
    statuses_cumulative: Floats


def make_shop(seed: int) -> Shop:
    rng = np.random.default_rng(seed)
    statuses, cumulative = _status_tables()
    referers = ["https://search.example/", "https://news.example/puppies", "https://shop.example/"]
    referers += [f"https://shop.example{page}" for page in _pages(rng)[:1200]]
    return Shop(
        visitors=_make_visitors(rng),
        requests=_make_requests(rng),
        referers=pa.array(["-", *referers], pa.binary()),
        referers_cumulative=_cumulate(_zipf(len(referers))),
        agents=pa.array([agent for _, _, agent in _AGENTS], pa.binary()),
        protocols=pa.array([f" {protocol}" for _, protocol, _ in _AGENTS] + [""], pa.binary()),
        statuses=statuses,
        statuses_cumulative=cumulative,
    )


def _make_visitors(rng: np.random.Generator) -> Visitors:
    numbers = rng.permutation(1 << 17)[:VISITORS]
    shares = np.array([share for share, _, _ in _AGENTS])
    prefixes = []
    for rank, number in enumerate(numbers.tolist()):
        high, low = number >> 8, number & 255
        if rank % 16 == 5:
            host = f"2001:db8:{high:x}:{low:x}::{rank & 15 or 1:x}"
        elif rank % 4 == 0:
            host = f"100.{64 + (high & 63)}.{low}.{(rank * 7) & 255}"
        else:
            host = f"198.{18 + (high >> 8)}.{high & 255}.{low}"
        user = _USERS[rank // 32 % len(_USERS)] if rank % 32 == 9 else "-"
        prefixes.append(f"{host} - {user} [")
    agents = rng.choice(len(_AGENTS), VISITORS, p=shares / shares.sum())
    return Visitors(_cumulate(_zipf(VISITORS)), pa.array(prefixes, pa.binary()), agents.astype(np.int64))


def _make_requests(rng: np.random.Generator) -> Requests:
    crowds = list(_crowds(rng))
    counts = [len(crowd.texts) for crowd in crowds]
    medians = np.exp(rng.normal(0.0, 0.8, sum(counts)))
    return Requests(
        cumulative=_cumulate(np.concatenate([crowd.share * _zipf(len(crowd.texts)) for crowd in crowds])),
        texts=pa.array([text for crowd in crowds for text in crowd.texts], pa.binary()),
        kinds=np.repeat([KINDS.index(crowd.kind) for crowd in crowds], counts),
        size_bytes=medians * np.repeat([crowd.size_bytes for crowd in crowds], counts),
        size_spread=np.repeat([crowd.size_spread for crowd in crowds], counts),
        referred=np.repeat([crowd.referred for crowd in crowds], counts),
        complete=np.repeat([crowd.kind != "broken" for crowd in crowds], counts),
    )


def _crowds(rng: np.random.Generator) -> Iterator[_Crowd]:
    shop, blog = ([f"GET {route}" for route in _pages(rng) if route.startswith(top)] for top in ("/shop", "/blog"))
    products = [f"GET /api/v1/products/{1000 + number}" for number in rng.permutation(PRODUCTS)]
    account = [f"GET /api/v1/{name}" for name in ("cart", "me", "offers", "orders")]
    orders = ["POST /api/v1/cart", "POST /api/v1/orders", "DELETE /api/v1/cart"]
    entrances = ["GET /", "GET /login", "GET /about", "GET /robots.txt"]
    yield _Crowd(30, "asset", [f"GET /static/{name}" for name in _asset_names(rng)], 24_000, 0.0, 0.9)
    yield _Crowd(20, "page", shop, 18_000, 0.25, 0.6)
    yield _Crowd(12, "page", blog, 14_000, 0.1, 0.4)
    yield _Crowd(4, "page", entrances, 6_000, 0.1, 0.3)
    yield _Crowd(18, "read", products, 900, 0.5, 0.3)
    yield _Crowd(6, "read", account, 1_500, 0.9, 0.4)
    yield _Crowd(4, "write", orders, 300, 0.6, 0.5)
    yield _Crowd(3, "sign_in", ["POST /login"], 420, 0.2, 0.9)
    yield _Crowd(1, "scan", [f"GET {route}" for route in _SCANS], 560, 0.0, 0.0)
    yield _Crowd(0.05, "broken", list(_BROKEN), 226, 0.0, 0.0)


def _asset_names(rng: np.random.Generator) -> list[str]:
    hashes = rng.integers(0, 1 << 32, 160).tolist()
    endings = ("js", "css", "webp", "svg", "woff2")
    return [f"{endings[i % 5]}/{_GOODS[i % 11]}-{digest:08x}.{endings[i % 5]}" for i, digest in enumerate(hashes)]


def _pages(rng: np.random.Generator) -> list[str]:
    """Return the routes of all pages, in an order of popularity of this call's own."""
    goods = [
        f"/shop/{_GOODS[i % 11]}/{_KINDS_OF_GOODS[i // 11 % 10]}-{_GOODS[i % 11]}-{1000 + i}" for i in range(PRODUCTS)
    ]
    searches = [f"/shop/search?q={good}&page={page}" for good in _GOODS for page in range(1, 9)]
    posts = [f"/blog/{2020 + i % 6}/{1 + i % 12:02}/how-to-train-your-{_GOODS[i % 11]}-{i}" for i in range(POSTS)]
    pages = [*goods, *searches, *posts]
    return [pages[i] for i in rng.permutation(len(pages))]


def _status_tables() -> tuple[Ints, Floats]:
    most = max(len(shares) for shares in _STATUSES.values())
    statuses = np.zeros((len(KINDS), most), dtype=np.int64)
    cumulative = np.ones((len(KINDS), most))
    for row, shares in enumerate(_STATUSES.values()):
        statuses[row, : len(shares)] = list(shares)
        cumulative[row, : len(shares)] = _cumulate(np.array(list(shares.values())))
    return statuses, cumulative


def _zipf(count: int) -> Floats:
    weights = np.arange(1, count + 1, dtype=np.float64) ** -ZIPF_EXPONENT
    return np.asarray(weights / weights.sum())


def _cumulate(shares: Floats) -> Floats:
    sums = np.cumsum(shares)
    return np.asarray(sums / sums[-1])
