"""The screen in docs/open.md is what the command shows. PUPPYLOG_TEST_WRITE_GOLDEN=1 writes it again."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.stores.cache import CachedStore
from puppylog.stores.connect import stop
from support.inprocess import InProcess

PAGE = Path(__file__).parents[2] / "docs" / "open.md"
SCREEN = re.compile(r"(?<=^\$ puppylog access\.log\n)access\.log\n.*?(?=^```)", re.MULTILINE | re.DOTALL)
STORE = "duckdb:///home/ann/.cache/puppylog/access.log-3f0c9a12"
ROUTES = ("/", "/shop", "/", "/shop/cart?item=%d", "/static/app.css", "/", "/api/items?page=%d", "/login", "/shop")
BUSY = (1, 2, 2, 3, 5, 4, 6, 8, 7, 5, 3, 2)  # requests every four seconds, in each ten minutes


def iter_lines() -> Iterator[str]:
    """Yield two hours of a shop: traffic grows, and the cart fails for ten minutes."""
    for second in range(0, 7200, 4):
        for number in range(BUSY[second // 600]):
            at = second * 7 + number * 5
            route = ROUTES[at % len(ROUTES)].replace("%d", str(at % 100))
            is_down = 4200 <= second < 4800 and route.startswith("/shop/cart")
            status = 503 if is_down else 404 if at % 41 == 0 else 304 if at % 11 == 0 else 200
            clock = f"{10 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}"
            yield (
                f'198.51.100.{min(at % 23, at % 31) + 1} - - [01/Mar/2026:{clock} +0000] "GET {route} HTTP/1.1" '
                f'{status} {2000 + at % 977} "-" "Mozilla/5.0"\n'
            )
    yield "a line of something else\n"


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    """The screen of ``puppylog access.log`` in 80 columns, with the name of another store."""
    for name in [name for name in os.environ if name.startswith(("PUPPYLOG_", "XDG_")) and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PUPPYLOG_TZ", "UTC")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "access.log").write_text("".join(iter_lines()))
    ran = InProcess(capsys)("access.log")
    assert ran.code == 0
    yield re.sub(r"duckdb://\S+", STORE, ran.out)
    [path] = (tmp_path / ".cache" / "puppylog").glob("access.log-*")
    stop(CachedStore(path, []).url)


def test_the_page_shows_what_the_command_shows(shown: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("PUPPYLOG_TEST_WRITE_GOLDEN"):
        PAGE.write_text(SCREEN.sub(lambda _: shown, text), encoding="utf-8")
        text = PAGE.read_text(encoding="utf-8")
    assert SCREEN.findall(text) == [shown]
