"""The page of a report shows text of a log, and obeys none of it."""

from datetime import UTC
from html.parser import HTMLParser

import pytest

from puppylog.cli.report_page import render_page
from support.reports import HOSTILE, REPORT, TINY

VOID = {"meta", "rect"}


class Page(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def page() -> Page:
    return Page(render_page(REPORT, HOSTILE, ["puppylog logs '<b>'"], zone=UTC))


def test_text_of_a_log_is_text_on_the_page(page: Page) -> None:
    assert "script" not in page.tags
    shown = "/\\x1b[2J<script>alert('x')</script>\\u202e"
    assert page.texts.count(shown) == 4  # the heading, a route, a failing route, and a message
    assert "puppylog logs '<b>'" in page.texts


def test_the_page_needs_nothing_from_elsewhere(page: Page) -> None:
    assert {"script", "link", "img", "iframe", "object", "base", "form", "a"} & set(page.tags) == set()
    assert [value for name, value in page.attributes if name in {"src", "href"} or name.startswith("on")] == []
    policy = [value for _, value in page.attributes if value and value.startswith("default-src")]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not any("url(" in text or "@import" in text for text in page.texts)


def test_every_element_is_closed(page: Page) -> None:
    assert page.unbalanced == []


def test_the_page_has_every_part_of_the_report(page: Page) -> None:
    told = "\n".join(page.texts)
    for part in (
        "12,345 records, 12 rejected (0.1 %)",
        "Top routes (3 of 1,024)",
        "Routes with server errors",
        "Slowest routes by request_time, of 12 requests or more",
        "Top clients",
        "Why lines were rejected",
        "Files",
        "Go on from here",
    ):
        assert part in told


def test_the_bars_of_the_chart_are_within_the_chart(page: Page) -> None:
    sizes = [(float(value or 0), name) for name, value in page.attributes if name in {"x", "y", "height"}]
    assert all(value >= -0.01 for value, _ in sizes)
    assert max(value for value, name in sizes if name == "x") < 1200
    assert max(value for value, name in sizes if name == "height") <= 160


def test_a_report_without_requests_has_a_page_without_their_sections() -> None:
    told = "\n".join(Page(render_page(TINY, "notes.txt", [], zone=UTC)).texts)
    assert "3 records (100 %) have no time of their own" in told
    assert "Top" not in told
