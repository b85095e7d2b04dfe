"""The view Rejected lines, over the known log: 3 lines of the source ``shop`` do not fit its format."""

import pytest
from playwright.sync_api import Page, expect

from puppylog.formats.registry import find_format
from serve.page.test_files import STATIC
from support.served import Served

pytestmark = pytest.mark.sampled


@pytest.fixture(scope="module")
def served(growing_log: Served) -> Served:
    """A test makes a record of a rejected line."""
    return growing_log


def test_the_page_offers_formats_that_exist() -> None:
    text = (STATIC / "rejects" / "replay.js").read_text(encoding="utf-8")
    offered = text.partition("FORMATS = [")[2].partition("]")[0]
    names = [name.strip().strip('"') for name in offered.split(",") if name.strip()]
    assert [find_format(name).name for name in names] == names
    assert len(names) > 15


def test_a_click_on_a_reason_shows_its_lines_with_a_caret_where_they_do_not_fit(page: Page) -> None:
    page.goto("/#/rejects")
    expect(page.locator(".totals")).to_contain_text("3 rejected lines for")
    reason = page.get_by_role("region", name="Reasons").get_by_role("button").first
    reason.click()
    expect(reason).to_have_attribute("aria-pressed", "true")
    lines = page.get_by_role("region", name="Lines").get_by_role("listitem")
    expect(lines.first).to_contain_text("byte")
    expect(lines.first.locator("mark")).to_be_visible()
    assert "reason=" in page.url
    page.get_by_role("button", name="Remove the filter reason").click()
    expect(lines).to_have_count(3)
    page.get_by_role("searchbox").fill("another")
    page.keyboard.press("Enter")
    expect(lines).to_have_count(1)
    expect(lines.first).to_contain_text("another line without a status")
    page.go_back()
    expect(lines).to_have_count(3)


@pytest.mark.thorough
def test_a_mistake_in_the_query_is_said_and_marked(page: Page, faults: list[str]) -> None:
    page.goto("/#/rejects")
    box = page.get_by_role("searchbox")
    box.fill("nothing:1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text('there is no field "nothing"')
    expect(box).to_have_attribute("aria-invalid", "true")
    assert all("400" in fault for fault in faults)
    faults.clear()


@pytest.mark.usefixtures("served")
def test_rejected_lines_are_tried_first_and_then_stored_as_records(page: Page, served: Served) -> None:
    served.send("POST", "/api/v1/lines?source=shop&format=combined", b"a line of this test\n")
    page.goto("/#/rejects?q=test")
    page.get_by_text("Read these lines again").click()
    store = page.get_by_role("button", name="Store as records")
    expect(store).to_be_disabled()
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_text("0 of 1 lines would become records.")).to_be_visible()
    expect(store).to_be_disabled()
    page.get_by_label("Format").fill("plain")
    page.get_by_role("button", name="Try").click()
    expect(page.get_by_text("1 of 1 lines would become records.")).to_be_visible()
    expect(page.get_by_text("puppylog rejects replay --format plain test")).to_be_visible()
    store.click()
    expect(page.get_by_text("1 of 1 lines are records now.")).to_be_visible()
    expect(page.get_by_text("No rejected line matches.")).to_be_visible()
    assert served.send("GET", "/api/v1/rejects/reasons").status == 200


@pytest.mark.thorough
def test_a_reader_is_told_why_lines_cannot_be_read_again(page: Page) -> None:
    guest = '{"needs_token": true, "name": "guest", "scope": "read"}'
    page.route("**/api/v1/session", lambda route: route.fulfill(content_type="application/json", body=guest))
    page.goto("/#/rejects?reason=request")
    page.reload()
    page.get_by_text("Read these lines again").click()
    expect(page.get_by_text("so it needs a token of scope admin")).to_be_visible()
    expect(page.get_by_role("button", name="Try")).to_be_disabled()
    expect(page.get_by_text("puppylog rejects replay --reason request --format FORMAT --dry-run")).to_be_visible()
