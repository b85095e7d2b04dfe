"""The shop whose access log the demo writes: its visitors, their user agents, and its routes.

The shop is a function of a seed and does not depend on time. Addresses come from ranges that are assigned to no
network: benchmarking, carriers' private space and documentation. Sizes and shares resemble access logs of small shops.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

VISITORS = 30_000
PRODUCTS = 4_000
POSTS = 240
# How fast popularity falls with rank: few visitors and pages make most of the traffic.
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
_VERSIONS = 5  # of each family are in use, from the version that is the family's last value
_AGENTS = [
    (share / _VERSIONS, protocol, agent.format(first + version))
    for share, protocol, agent, first in _AGENT_FAMILIES
    for version in range(_VERSIONS)
]

_GOODS = ("bone", "collar", "leash", "basket", "biscuit", "brush", "blanket", "bowl", "whistle", "ball", "kennel")
_KINDS_OF_GOODS = ("red", "blue", "tiny", "giant", "squeaky", "warm", "organic", "reflective", "second-hand", "quiet")
_USERS = ("ada", "linus", "grace", "edsger", "barbara", "ken", "margaret", "dennis")

# The routes that scanners try, and what a server logs for a TLS hello on its plain port and for a connection without a
# request. All these lines fit the format.
_SCANS = ("/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/index.php", "/cgi-bin/luci", "/admin.php")
_BROKEN = (r"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", r"\x16\x03\x01\x00\xEE\x01\x00\x00\xEA\x03\x03", "-")


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Requests of one kind, the most popular first."""

    share: float
    kind: str
    texts: list[str]
    size_bytes: float
    size_spread: float
    referred: float


@dataclass(frozen=True, slots=True)
class Visitor:
    prefix: bytes  # host, ident, user
    agent: bytes
    protocol: bytes  # of the user agent, after a blank


@dataclass(frozen=True, slots=True)
class Request:
    text: bytes  # method and route, or the bytes sent instead
    statuses: Sequence[int]  # the statuses of the answers
    status_shares: Sequence[float]  # the cumulative share of each status; the last one is 1
    size_bytes: float  # the median size of the answers
    size_spread: float  # the standard deviation of the logarithm of the size; 0 for a file, whose size is fixed
    referred: float  # the share of requests with a referer
    has_protocol: bool


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything that a line can contain. Shares are cumulative: of all members up to this one, in any unit."""

    visitors: Sequence[Visitor]
    visitor_shares: Sequence[float]
    requests: Sequence[Request]
    request_shares: Sequence[float]
    referers: Sequence[bytes]
    referer_shares: Sequence[float]


def make_shop(seed: int) -> Shop:
    random = Random(seed)  # noqa: S311 - it keeps no secret
    referers = ["https://search.example/", "https://news.example/puppies", "https://shop.example/"]
    referers += [f"https://shop.example{page}" for page in _pages(random)[:1200]]
    crowds = list(_crowds(random))
    return Shop(
        visitors=list(_visitors(random)),
        visitor_shares=list(accumulate(_zipf(VISITORS))),
        requests=[request for crowd in crowds for request in _requests(random, crowd)],
        request_shares=list(accumulate(crowd.share * part for crowd in crowds for part in _zipf(len(crowd.texts)))),
        referers=[referer.encode() for referer in referers],
        referer_shares=list(accumulate(_zipf(len(referers)))),
    )


def _visitors(random: Random) -> Iterator[Visitor]:
    numbers = random.sample(range(1 << 17), VISITORS)
    agents = random.choices(_AGENTS, weights=[share for share, _, _ in _AGENTS], k=VISITORS)
    for rank, (number, (_, protocol, agent)) in enumerate(zip(numbers, agents, strict=True)):
        high, low = number >> 8, number & 255
        if rank % 16 == 5:
            host = f"2001:db8:{high:x}:{low:x}::{rank & 15 or 1:x}"
        elif rank % 4 == 0:
            host = f"100.{64 + (high & 63)}.{low}.{(rank * 7) & 255}"
        else:
            host = f"198.{18 + (high >> 8)}.{high & 255}.{low}"
        user = _USERS[rank // 32 % len(_USERS)] if rank % 32 == 9 else "-"
        yield Visitor(f"{host} - {user} [".encode(), agent.encode(), f" {protocol}".encode())


def _requests(random: Random, crowd: _Crowd) -> Iterator[Request]:
    shares = _STATUSES[crowd.kind]
    statuses, status_shares = tuple(shares), (*accumulate(tuple(shares.values())[:-1]), 1.0)
    for text in crowd.texts:
        yield Request(
            text.encode(),
            statuses,
            status_shares,
            size_bytes=crowd.size_bytes * random.lognormvariate(0.0, 0.8),
            size_spread=crowd.size_spread,
            referred=crowd.referred,
            has_protocol=crowd.kind != "broken",
        )


def _crowds(random: Random) -> Iterator[_Crowd]:
    shop, blog = ([f"GET {route}" for route in _pages(random) if route.startswith(top)] for top in ("/shop", "/blog"))
    products = [f"GET /api/v1/products/{1000 + number}" for number in random.sample(range(PRODUCTS), PRODUCTS)]
    account = [f"GET /api/v1/{name}" for name in ("cart", "me", "offers", "orders")]
    orders = ["POST /api/v1/cart", "POST /api/v1/orders", "DELETE /api/v1/cart"]
    entrances = ["GET /", "GET /login", "GET /about", "GET /robots.txt"]
    yield _Crowd(30, "asset", [f"GET /static/{name}" for name in _asset_names(random)], 24_000, 0.0, 0.9)
    yield _Crowd(20, "page", shop, 18_000, 0.25, 0.6)
    yield _Crowd(12, "page", blog, 14_000, 0.1, 0.4)
    yield _Crowd(4, "page", entrances, 6_000, 0.1, 0.3)
    yield _Crowd(18, "read", products, 900, 0.5, 0.3)
    yield _Crowd(6, "read", account, 1_500, 0.9, 0.4)
    yield _Crowd(4, "write", orders, 300, 0.6, 0.5)
    yield _Crowd(3, "sign_in", ["POST /login"], 420, 0.2, 0.9)
    yield _Crowd(1, "scan", [f"GET {route}" for route in _SCANS], 560, 0.0, 0.0)
    yield _Crowd(0.05, "broken", list(_BROKEN), 226, 0.0, 0.0)


def _asset_names(random: Random) -> list[str]:
    hashes = [random.getrandbits(32) for _ in range(160)]
    endings = ("js", "css", "webp", "svg", "woff2")
    return [f"{endings[i % 5]}/{_GOODS[i % 11]}-{digest:08x}.{endings[i % 5]}" for i, digest in enumerate(hashes)]


def _pages(random: Random) -> list[str]:
    """Return the routes of all pages, in an order of popularity that differs from call to call."""
    goods = [
        f"/shop/{_GOODS[i % 11]}/{_KINDS_OF_GOODS[i // 11 % 10]}-{_GOODS[i % 11]}-{1000 + i}" for i in range(PRODUCTS)
    ]
    searches = [f"/shop/search?q={good}&page={page}" for good in _GOODS for page in range(1, 9)]
    posts = [f"/blog/{2020 + i % 6}/{1 + i % 12:02}/how-to-train-your-{_GOODS[i % 11]}-{i}" for i in range(POSTS)]
    pages = [*goods, *searches, *posts]
    return random.sample(pages, len(pages))


def _zipf(count: int) -> list[float]:
    """Return the share of each rank; the shares add up to 1."""
    weights = [rank**-ZIPF_EXPONENT for rank in range(1, count + 1)]
    total = sum(weights)
    return [weight / total for weight in weights]
