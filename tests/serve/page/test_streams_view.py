"""The view Streams, with answers of its own: a test cannot wait until a collector has stalled."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.sampled

POLL_MS = 3100
"""A little more than the time between two polls of the view."""

Stream = dict[str, Any]


def make_stream(number: int, source: str, state: str, **more: Any) -> Stream:
    return {
        "stream_id": number,
        "source": source,
        "source_uri": f"file://web1{source}",
        "group": "shop",
        "host": "web1",
        "state": state,
        "problem": None,
        "lag_bytes": 0,
        "lag_s": 0.0,
        "lines_per_s": 12.5,
        "records": 1234,
        "rejected_lines": 0,
        "stored_at": "2026-11-27T10:00:00.000000Z",
        "format": "access",
        "report_age_s": 1.0,
        **more,
    }


STREAMS = [
    make_stream(1, "/var/log/a.log", "ok"),
    make_stream(2, "/var/log/b.log", "behind", lag_bytes=3 << 20, lag_s=75.0, group="db", host="db1"),
    make_stream(3, "/var/log/c.log", "ended", rejected_lines=4),
    make_stream(4, "/var/log/d.log", "stalled", problem="cannot read /var/log/d.log: permission denied", lag_bytes=9),
]


@pytest.fixture
def answer(page: Page) -> Callable[[list[Stream]], None]:
    """What sets the streams that the server answers from then on; first, `STREAMS`."""
    current = {"streams": STREAMS}

    def fulfil(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(current))

    page.route("**/api/v1/streams*", fulfil)

    def set_streams(streams: list[Stream]) -> None:
        current["streams"] = streams

    return set_streams


def sources(page: Page) -> list[str]:
    return page.locator("table.streams a.stream-source").all_inner_texts()


@pytest.mark.usefixtures("answer")
def test_streams_with_problems_come_first_and_say_what_is_wrong(page: Page) -> None:
    page.goto("/#/streams")
    first = page.get_by_role("row").nth(1)
    expect(first).to_contain_text("stalled")
    expect(first).to_contain_text("cannot read /var/log/d.log: permission denied")
    assert sources(page) == [f"/var/log/{name}.log" for name in "dbac"]
    behind = page.get_by_role("row").nth(2)
    expect(behind).to_contain_text("3.0 MiB for 1 min 15 s")
    expect(page.get_by_text("4 streams · ▲ 1 stalled · ◐ 1 behind")).to_be_visible()
    page.get_by_role("button", name="Problems 1").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.go_back()
    page.get_by_role("searchbox", name="Filter the streams").fill("db1")
    expect(page.get_by_role("row")).to_have_count(2)
    assert sources(page) == ["/var/log/b.log"]
    page.get_by_role("searchbox").fill("no such stream")
    page.get_by_role("button", name="Show all streams").click()
    page.get_by_label("Group the streams by").select_option(label="By host")
    expect(page.get_by_role("row", name="web1 3 streams")).to_be_visible()
    assert "by=host" in page.url


@pytest.mark.thorough
def test_a_poll_moves_no_row_under_the_pointer_and_takes_no_focus(
    page: Page, answer: Callable[[list[Stream]], None]
) -> None:
    page.clock.install()
    page.goto("/#/streams")
    link = page.get_by_role("link", name="/var/log/a.log")
    link.hover()
    link.focus()
    stalled = {**STREAMS[0], "state": "stalled", "problem": "its collector has not reported for 40 s"}
    answer([stalled, STREAMS[1], STREAMS[2]])
    page.clock.run_for(POLL_MS)
    expect(page.get_by_text("its collector has not reported")).to_be_visible()
    assert sources(page) == [f"/var/log/{name}.log" for name in "bac"]
    expect(link).to_be_focused()
    page.get_by_role("heading", name="Streams").hover()
    page.get_by_role("searchbox").focus()
    answer([stalled, STREAMS[2]])
    page.clock.run_for(POLL_MS)
    expect(page.get_by_role("row")).to_have_count(3)
    assert sources(page) == ["/var/log/a.log", "/var/log/c.log"]


@pytest.mark.thorough
def test_a_stream_leads_to_its_records_its_live_tail_and_its_rejected_lines(
    page: Page, answer: Callable[[list[Stream]], None]
) -> None:
    answer([make_stream(7, '/var/log/"q" <b>.log', "ok", rejected_lines=3)])
    page.goto("/#/streams")
    row = page.get_by_role("row").nth(1)
    expect(row.get_by_role("link")).to_have_count(3)
    assert row.get_by_role("link").all_inner_texts() == ['/var/log/"q" <b>.log', "3", "Live"]
    addresses = [str(link.get_attribute("href")) for link in row.get_by_role("link").all()]
    assert [address.partition("?")[0] for address in addresses] == ["#/search", "#/rejects", "#/search"]
    assert "source:%22/var/log/%5C%22q%5C%22" in addresses[0]
    assert "live=1" in addresses[2]
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("link", name="Live")).to_be_in_viewport()
