"""The live tail of the search view, as a person watches it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Response, Route, expect

from support.event_stream import EventStream
from support.served import Served

pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def served(growing_log: Served) -> Served:
    return growing_log


def store(served: Served, *messages: str) -> None:
    """Store records of the source ``app``."""
    body = b"".join(json.dumps({"message": message, "level": "info"}).encode() + b"\n" for message in messages)
    assert served.send("POST", "/api/v1/lines?source=app&group=app&format=json", body).status == 200


@contextmanager
def opening_tail(page: Page) -> Iterator[None]:
    """Wait at the end of the block until the tail is open and the page has the records that were stored before."""
    expect(page.get_by_text("100 lines, and more below")).to_be_visible()  # what the page asked before is answered
    opened: list[str] = []

    def is_answer_after_opening(response: Response) -> bool:
        if "/api/v1/records/tail" in response.url:
            opened.append(response.url)
        return bool(opened) and "/api/v1/records?" in response.url

    with page.expect_response(is_answer_after_opening):
        yield


@pytest.mark.thorough
def test_new_lines_come_at_the_top_and_the_list_stands_still_while_one_reads_below(page: Page, served: Served) -> None:
    page.goto("/#/search?since=all")
    with opening_tail(page):
        page.keyboard.press("l")
    expect(page.get_by_text("Live", exact=True).last).to_be_visible()
    store(served, "the first new line")
    lines = page.get_by_role("list", name="Lines").locator(".line")
    expect(lines.first).to_contain_text("the first new line")

    page.mouse.move(700, 600)
    page.mouse.wheel(0, 700)
    expect(lines.first).not_to_be_in_viewport()
    read = lines.nth(30)
    before = read.bounding_box()
    store(served, *(f"meanwhile {number}" for number in range(12)))
    more = page.get_by_role("button", name="12 new lines")
    expect(more).to_be_visible()
    assert read.bounding_box() == before
    more.click()
    expect(lines.first).to_contain_text("meanwhile 11")
    expect(lines.first).to_be_in_viewport()

    page.get_by_role("button", name="Pause").click()
    store(served, "while paused")
    expect(page.get_by_role("button", name="1 new line")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(lines.first).to_contain_text("while paused")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("114 lines of the tail, newest first")).to_be_visible()
    assert "live" not in page.url


@pytest.mark.thorough
def test_oldest_first_the_newest_line_stays_at_the_bottom_and_selected_text_stays_selected(
    page: Page, served: Served
) -> None:
    page.goto("/#/search?since=all&order=oldest")
    with opening_tail(page):
        page.keyboard.press("l")
    lines = page.get_by_role("list", name="Lines").locator(".line")
    expect(page.get_by_text("0 lines since")).to_be_visible()
    store(served, "at the bottom")
    expect(lines.last).to_contain_text("at the bottom")
    expect(lines.last).to_be_in_viewport()
    lines.last.locator(".line-message").select_text()
    store(served, "behind the selection")
    expect(page.get_by_role("button", name="1 new line")).to_be_visible()
    page.evaluate("getSelection().removeAllRanges()")
    expect(lines.last).to_contain_text("behind the selection")


def test_after_a_break_the_tail_goes_on_without_a_gap_and_without_a_repetition(page: Page, served: Served) -> None:
    with EventStream(served, q="broken") as stream:
        position = stream.last_id
    store(served, "broken one", "broken two")
    requests: list[str] = []

    def end_the_first(route: Route) -> None:
        requests.append(route.request.url)
        if len(requests) > 1:
            route.continue_()
            return
        away = 'event: away\ndata: {"message": "The store does not answer."}\n\n'
        body = f"event: position\nid: {position}\ndata: {{}}\n\n{away}"
        route.fulfill(content_type="text/event-stream", body=body)

    page.route(re.compile("/records/tail"), end_the_first)
    page.goto("/#/search?since=all&q=broken&live=1")
    lines = page.get_by_role("list", name="Lines").locator(".line-message")
    expect(page.get_by_text("Away")).to_be_visible()
    expect(lines).to_have_text(["broken two", "broken one"])
    # The tail sends the two lines, too. They are in the list already, so they are neither shown nor counted as new.
    store(served, "broken three")
    expect(lines).to_have_text(["broken three", "broken two", "broken one"])
    expect(page.get_by_text("1 line since")).to_be_visible()
    assert requests[1].endswith(f"from={position}")


@pytest.mark.thorough
def test_a_busy_tail_keeps_the_newest_lines_and_says_how_many_it_has_not(page: Page) -> None:
    record = {"stream_id": 1, "file_id": 99, "severity": "info", "message": "busy", "ts": "2026-11-27T10:00:00.000000Z"}
    events = [
        {"records": [{**record, "line_offset": at} for at in range(start, start + 1000)], "skipped": 7 * (start == 0)}
        for start in (0, 1000, 2000)
    ]
    body = "".join(f"event: records\nid: {at}\ndata: {json.dumps(event)}\n\n" for at, event in enumerate(events))
    page.route(
        re.compile("/records/tail"),
        lambda route: route.fulfill(content_type="text/event-stream", body=f"retry: 60000\n{body}"),
        times=1,
    )
    page.goto("/#/search?since=all&live=1")
    expect(page.get_by_text("7 not sent, because more came than a screen can show")).to_be_visible()
    expect(page.get_by_text("not kept: the list has the newest 2,000")).to_be_visible()
    expect(page.get_by_role("list", name="Lines").locator(".line")).to_have_count(2000)
