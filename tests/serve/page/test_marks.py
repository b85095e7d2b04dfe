"""The page marks in a text what `logs` highlights on a terminal."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from puppylog.model.query import parse_query
from puppylog.model.query.finders import find_matches
from support.page import ReusedPage

pytestmark = pytest.mark.sampled

TEXTS = (
    "payment 4 failed: timeout after 30 s",
    "GET /shop/cart HTTP/1.1, no space left on /dev/sda1",
    "Timeout timeouts TIME OUT time-out",
    "a*b (c) \\d error: disk",
)
QUERIES = (
    "timeout", "time*out", '"no space"', "/t[a-z]+t/", "/(?i)TIME.?OUT/", r"/\d+ s/", "/[[:digit:]]+/",
    r"/(?P<what>failed|left): \w+/", "message~/pay[a-z]*/", "message:pay*", "message:*out*", "message=timeout",
    "-timeout failed", "not (timeout or failed) s", "(timeout or (space -left)) GET", "status_code>=500 cart",
    "host:payment", "attributes.message:payment", r"a\*b", r'"\\d"', r"\(c\)", '"error: disk"', "has:message out",
)  # fmt: skip


@pytest.fixture(scope="module")
def module(reused_page: ReusedPage) -> Iterator[Page]:
    """A page that has the page's module as ``marks``."""
    page = reused_page.open()
    page.goto("/#/sql")
    own = "document.querySelector('script[type=module]').src"
    page.evaluate(f"async () => {{ window.marks = await import(new URL('search/marks.js', {own})); }}")
    yield page
    assert reused_page.faults == []
    reused_page.rest()


def test_the_page_marks_what_a_terminal_highlights(module: Page) -> None:
    for query in QUERIES:
        matches = find_matches(parse_query(query))
        expected = [[list(span) for span in matches.find("message", text)] for text in TEXTS]
        found = module.evaluate(
            "([query, texts]) => texts.map((text) => marks.findMatches(query)('message', text))",
            [query, TEXTS],
        )
        assert found == expected, query


@pytest.mark.thorough
def test_no_regular_expression_makes_the_page_wait(module: Page) -> None:
    hard = [
        "/(a+)+$/",
        "/((a*)*)*b/",
        "/(a|aa)+$/",
        "/(a|b|ab)*c/",
        "/a*a*a*a*a*a*b/",
        "/(.*)x(.*)x(.*)y/",
        r"/(\w+\s?)+!/",
    ]
    took_ms = module.evaluate(
        """(queries) => queries.map((query) => {
            const find = marks.findMatches(query);
            const started = performance.now();
            for (let line = 0; line < 100; line += 1) find("message", "a".repeat(8000) + "!?");
            return performance.now() - started;
        })""",
        hard,
    )
    assert max(took_ms) < 3000, dict(zip(hard, took_ms, strict=True))
