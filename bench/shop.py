"""A combined log like that of a shop, to measure its size: long addresses, bursts of a visitor's requests, crawlers.

In the log of `bench.ingest`, a few values repeat in every column. Here, pages have addresses of many parts in percent
encoding, most of which occur seldom, and each is the referer of a dozen images. Such values cost a store most of its
bytes. The log is the same in each run.
"""

import heapq
import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

_SEED: Final = 7
_FIRST: Final = datetime(2026, 3, 1, tzinfo=UTC)
_VISITORS: Final = 400  # at the same time
_PRODUCTS: Final = 40_000
_AGENTS: Final = 1_500
_CRAWLERS: Final = 8
_CRAWLING: Final = 0.2  # share of visitors
_BLOCK_LINES: Final = 50_000
_SITE: Final = "https://www.shop.example"
_PAGE_STATUS: Final = (*[200] * 40, 404, 301, 302, 499)
_ITEM_STATUS: Final = (*[200] * 60, 304, 304, 304, 404)
_SYSTEMS: Final = (
    *(
        "Windows NT 10.0; Win64; x64",
        "Windows NT 6.1; WOW64",
        "X11; Linux x86_64",
        "Macintosh; Intel Mac OS X 10_15_{}",
    ),
    *("Linux; Android {}; SM-G9{}", "Linux; Android {}.0; SAMSUNG SM-J{}", "iPhone; CPU iPhone OS {}_{} like Mac OS X"),
)


class Shop:
    """What the shop sells, and who comes. Its methods draw from one generator of random numbers."""

    def __init__(self) -> None:
        chance = self._chance = random.Random(_SEED)
        self._agents = [self._make_agent() for _ in range(_AGENTS)]
        self._agent_weights = _weigh(_AGENTS, 0.8)
        self._crawlers = [
            f"Mozilla/5.0 (compatible; {self._make_word()}bot/2.{n}; +http://www.{self._make_word()}.example/bot.html)"
            for n in range(_CRAWLERS)
        ]
        self._categories = [self._make_name() for _ in range(400)]
        self._filters = [f"{chance.randint(1, 99)}%7C{self._make_name()}" for _ in range(120)]
        self._filters += [f"b{chance.randint(1, 900)}" for _ in range(150)]
        self._products = [(chance.randint(10, 69_999), self._make_name()) for _ in range(_PRODUCTS)]
        self._product_weights = _weigh(_PRODUCTS, 0.7)
        self._assets = [f"/static/{self._make_word()}/{self._make_word()}.js" for _ in range(60)]

    def iter_lines(self, count: int) -> Iterator[str]:
        """Yield the lines of the log, in the order of their times."""
        numbers = itertools.count()
        at = 0.0
        visits: list[tuple[float, int, str, Iterator[tuple[float, str]]]] = []
        for _ in range(count):
            while len(visits) < _VISITORS:
                visit = self._iter_visit(at + self._chance.expovariate(1.0))
                heapq.heappush(visits, (*_swap(next(visit), next(numbers)), visit))
            at, _number, line, visit = visits[0]
            yield line
            if (following := next(visit, None)) is None:
                heapq.heappop(visits)
            else:
                heapq.heapreplace(visits, (*_swap(following, next(numbers)), visit))

    def _iter_visit(self, at: float) -> Iterator[tuple[float, str]]:
        """Yield the seconds and the lines of one visitor."""
        chance = self._chance
        host = ".".join(str(chance.randint(1, 254)) for _ in range(4))
        is_crawler = chance.random() < _CRAWLING
        (agent,) = chance.choices(self._agents, cum_weights=self._agent_weights)
        if is_crawler:
            agent = chance.choice(self._crawlers)
        referer = "-" if is_crawler or chance.random() < 0.4 else "https://www.search.example/"
        for _ in range(1 + int(chance.expovariate(1 / (70 if is_crawler else 6)))):
            page = self._draw_page()
            size = chance.randint(20_000, 40_000)
            yield at, _format(at, host, (page, chance.choice(_PAGE_STATUS), size), f'"{referer}" "{agent}"')
            if is_crawler:
                at += chance.expovariate(1 / 20)
                continue
            referer = _SITE + page
            for item, item_size in self._draw_items():
                at += chance.expovariate(12)
                yield at, _format(at, host, (item, chance.choice(_ITEM_STATUS), item_size), f'"{referer}" "{agent}"')
            at += chance.expovariate(1 / 25)

    def _draw_page(self) -> str:
        chance, kind = self._chance, self._chance.random()
        if kind < 0.5:
            number, name = self._draw_product()
            return f"/product/{number}/{name}"
        if kind < 0.6:
            return f"/browse/{chance.choice(self._categories)}"
        page = "/filter/" + ",".join(chance.choice(self._filters) for _ in range(chance.randint(1, 4)))
        if chance.random() < 0.4:
            page += f"/{chance.choice(self._categories)}"
        return page + (f"?page={chance.randint(0, 30)}" if chance.random() < 0.4 else "")

    def _draw_product(self) -> tuple[int, str]:
        (product,) = self._chance.choices(self._products, cum_weights=self._product_weights)
        return product

    def _draw_items(self) -> list[tuple[str, int]]:
        """Return the routes and sizes in bytes of what a page loads."""
        chance = self._chance
        scripts = chance.sample(self._assets, chance.randint(5, 20)) if chance.random() < 0.4 else []
        images = [self._draw_product()[0] for _ in range(chance.randint(3, 14))]
        return [(route, 1733 * len(route)) for route in scripts] + [
            (f"/image/{number}/productModel/{chance.choice(('150x150', '200x200'))}", 2000 + number * 31 % 7000)
            for number in images
        ]

    def _make_agent(self) -> str:
        chance = self._chance
        system = chance.choice(_SYSTEMS).format(chance.randint(4, 17), chance.randint(1, 17))
        version = f"{chance.randint(60, 126)}.0.{chance.randint(1000, 6999)}.{chance.randint(0, 220)}"
        mobile = "Mobile " if "Android" in system else ""
        return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version} {mobile}Safari/537.36"

    def _make_word(self) -> str:
        chance = self._chance
        return "".join(chance.choice("bcdfghklmnprstvwz") + chance.choice("aeiou") for _ in range(chance.randint(1, 4)))

    def _make_name(self) -> str:
        """Return one to three words in Cyrillic letters, as they stand in an address."""
        chance = self._chance
        words = ("".join(chr(chance.randint(0x430, 0x44F)) for _ in range(chance.randint(3, 8))) for _ in range(3))
        return quote(" ".join(itertools.islice(words, chance.randint(1, 3))))


def write_shop_log(path: Path, lines: int) -> None:
    """Write a combined log of ``lines`` lines, each of some 340 bytes."""
    all_lines = Shop().iter_lines(lines)
    with path.open("w", encoding="ascii") as file:
        while block := list(itertools.islice(all_lines, _BLOCK_LINES)):
            file.writelines(block)


def _weigh(count: int, exponent: float) -> list[float]:
    """Return cumulative weights: the n-th value is drawn with a weight of n to the power of ``-exponent``."""
    return list(itertools.accumulate(1 / (n + 1) ** exponent for n in range(count)))


def _swap(entry: tuple[float, str], number: int) -> tuple[float, int, str]:
    """Return the entry with a number that decides between equal times: visits cannot be compared."""
    at, line = entry
    return at, number, line


def _format(at: float, host: str, request: tuple[str, int, int], ends: str) -> str:
    """Return a line. A request is its route, status and size in bytes; ``ends`` are the referer and the agent."""
    route, status, size = request
    when = f"{_FIRST + timedelta(seconds=int(at)):%d/%b/%Y:%H:%M:%S +0000}"
    size = 0 if status == 304 else size
    return f'{host} - - [{when}] "GET {route} HTTP/1.1" {status} {size} {ends}\n'
