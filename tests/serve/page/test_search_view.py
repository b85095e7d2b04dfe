"""The view Search in a browser: chart, counts per value, box."""

import json
import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from support.page import APP_RECORDS, SHOP_LINES

pytestmark = pytest.mark.sampled

ALL = APP_RECORDS + SHOP_LINES
NUMBER_OF_503 = 24
FEWER = re.compile(rf"^(?!{ALL} )\d+ record")


PASTE = """(input, text) => {
    input.select();
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
}"""


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search the records")


def expect_records(page: Page, number: int) -> None:
    """Wait until the chart and the list have the records of the search."""
    expect(page.locator(".histogram-summary")).to_contain_text(f"{number} record")


def find_value(page: Page, field: str, name: str) -> Locator:
    return page.get_by_role("list", name=f"Values of {field}").get_by_role("button", name=re.compile(f"^{name}: "))


def test_a_click_on_a_value_narrows_the_search(page: Page) -> None:
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    find_value(page, "status_code", "503").click()
    expect(box(page)).to_have_value("status_code:503")
    expect_records(page, NUMBER_OF_503)
    expect(page.get_by_role("region", name="Records", exact=True)).not_to_contain_text("payment")
    find_value(page, "request_route", ".cart").wait_for()
    page.get_by_role("list", name="Conditions of the query").get_by_role(
        "button", name="Remove status_code:503"
    ).click()
    expect_records(page, ALL)
    page.go_back()
    expect(box(page)).to_have_value("status_code:503")


@pytest.mark.thorough
def test_a_click_on_a_chosen_value_takes_it_out_of_the_search(page: Page) -> None:
    page.goto("/#/search?since=2h&q=status_code:503")
    expect(box(page)).to_have_value("status_code:503")
    expect(find_value(page, "status_code", "503")).to_have_attribute("aria-pressed", "true")
    find_value(page, "status_code", "503").click()
    expect(box(page)).to_have_value("")


@pytest.mark.thorough
def test_a_minus_leaves_a_value_out(page: Page) -> None:
    page.goto("/#/search?since=2h")
    value = find_value(page, "source", "shop")
    value.hover()
    page.get_by_role("list", name="Values of source").get_by_role("button", name="Exclude shop").click()
    expect_records(page, APP_RECORDS)
    value = find_value(page, "severity", "info")
    value.focus()
    page.keyboard.press("-")
    expect_records(page, 10)
    find_value(page, "customer.country", "DE").wait_for()  # the fields are those of the records that are left
    expect(page.get_by_role("list", name="Values of status_code")).to_have_count(0)
    expect(box(page)).to_have_value(re.compile("^-source:.*shop -severity:info$"))
    page.goto("/#/search?since=2h&group=app")
    expect_records(page, APP_RECORDS)
    page.get_by_role("button", name="Remove group app").click()
    expect_records(page, ALL)


@pytest.mark.thorough
def test_a_person_chooses_which_fields_are_counted(page: Page) -> None:
    page.goto("/#/search?since=2h")
    page.get_by_role("button", name="Fields").click()
    dialog = page.get_by_role("dialog", name="Fields whose values are counted")
    dialog.get_by_role("textbox", name="Find a field").fill("country")
    dialog.get_by_role("checkbox", name="customer.country").check()
    page.keyboard.press("Escape")
    find_value(page, "customer.country", "DE").wait_for()
    page.get_by_role("heading", name="host", exact=True).hover()
    page.get_by_role("button", name="Hide the counts of host").click()
    expect(page.get_by_role("list", name="Values of host")).to_have_count(0)
    page.reload()
    find_value(page, "customer.country", "FR").click()
    expect_records(page, 30)
    expect(box(page)).to_have_value("customer.country=FR")
    page.get_by_role("link", name="Patterns of these records").click()
    expect(page.get_by_text(re.compile("pattern.* in 30 records"))).to_be_visible()


def test_a_person_zooms_into_the_chart_and_back(page: Page) -> None:
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    plot = page.get_by_role("slider", name="Time")
    area = plot.bounding_box()
    assert area is not None
    y = area["y"] + 40
    page.mouse.move(area["x"] + area["width"] * 0.55, y)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] * 0.75, y, steps=4)
    expect(page.locator(".tip")).to_contain_text("5xx")
    page.mouse.up()
    expect(page.locator(".histogram-summary")).to_contain_text(FEWER)
    assert "until=" in page.url
    plot.focus()
    page.keyboard.press("Escape")
    expect_records(page, ALL)


@pytest.mark.thorough
def test_a_person_zooms_into_the_chart_with_keys_and_chooses_its_values(page: Page) -> None:
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    plot = page.get_by_role("slider", name="Time")
    plot.focus()
    page.keyboard.press("End")
    for _ in range(9):
        page.keyboard.press("Shift+ArrowLeft")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"^20\d\d-\d\d-\d\d \d\d:\d\d to .* records, \d+ 5xx"))
    page.keyboard.press("Enter")
    expect(page.locator(".histogram-summary")).to_contain_text(FEWER)
    assert "until=" in page.url
    page.get_by_role("button", name="Back to the range before").click()
    expect_records(page, ALL)
    page.get_by_role("list", name="Values in the chart").get_by_role("button", name="5xx").click()
    expect(box(page)).to_have_value("status_code>=500 status_code<600")
    expect_records(page, NUMBER_OF_503)
    page.get_by_label("Colours of the chart").select_option("by route")
    page.get_by_role("list", name="Values in the chart").get_by_role("button", name="/checkout").wait_for(
        state="detached"
    )
    page.get_by_role("list", name="Values in the chart").get_by_role("button", name="/cart").click()
    expect(box(page)).to_have_value("status_code>=500 status_code<600 request_route=/cart")


@pytest.mark.thorough
def test_an_empty_range_says_where_the_newest_record_is(page: Page) -> None:
    page.goto("/#/search?since=2001-01-01&until=2001-01-02")
    expect(page.get_by_text("No records here. The newest record is from")).to_be_visible()
    page.get_by_role("button", name="Go there").click()
    expect(page.locator(".histogram-summary")).to_contain_text(re.compile(r"^\d+ records"))
    page.goto("/#/search?since=all&q=nowhere")
    expect(page.get_by_text("No record matches this query, at any time.")).to_be_visible()
    page.get_by_role("button", name="Clear the query", exact=True).last.click()
    expect_records(page, ALL)


def test_the_box_completes_what_a_person_types(page: Page) -> None:
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    page.keyboard.press("/")
    page.keyboard.type("status_c")
    expect(page.get_by_role("option", name="status_code")).to_be_visible()
    page.keyboard.press("Tab")
    expect(box(page)).to_have_value("status_code:")
    expect(page.get_by_role("option", name="503")).to_be_visible()
    page.keyboard.type("5")
    expect(page.get_by_role("listbox", name="Completions").get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="503")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("status_code:503")
    page.keyboard.press("Enter")
    expect_records(page, NUMBER_OF_503)


@pytest.mark.thorough
def test_the_box_offers_earlier_queries(page: Page) -> None:
    page.goto("/#/search?since=2h&q=status_code:503")
    expect_records(page, NUMBER_OF_503)
    box(page).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Clear the query").click()
    expect_records(page, ALL)
    expect(box(page)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("listbox", name="Earlier queries").get_by_role("option").first).to_have_text(
        "status_code:503"
    )
    page.keyboard.press("Enter")
    expect_records(page, NUMBER_OF_503)


@pytest.mark.thorough
def test_a_mistake_is_shown_under_its_character(page: Page, faults: list[str]) -> None:
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    box(page).fill("timeout statuscode:503")
    page.keyboard.press("Enter")
    fault = page.get_by_role("alert")
    expect(fault).to_contain_text("there is no field")
    expect(fault.locator("pre span")).to_have_text("s")
    expect(page.locator(".histogram-content")).to_have_class(re.compile("stale"))
    box(page).fill("timeout")
    page.keyboard.press("Enter")
    expect(fault).to_be_hidden()
    expect_records(page, 10)
    assert all("400" in one for one in faults)
    faults.clear()


def test_a_search_that_takes_long_can_be_stopped(page: Page) -> None:
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    page.route("**/api/v1/histogram?*", lambda _: None)
    box(page).fill("timeout")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop").click()
    expect(
        page.get_by_text("You stopped the search for the chart. What you see is from the search before.")
    ).to_be_visible()
    expect_records(page, ALL)
    page.unroute("**/api/v1/histogram?*")
    page.get_by_role("region", name="Records over time").get_by_role("button", name="Try again").click()
    expect_records(page, 10)


@pytest.mark.thorough
def test_a_search_that_takes_too_long_says_so(page: Page, faults: list[str]) -> None:
    fault = {"message": "cannot search: the store has not answered within 30 s", "is_transient": False}
    page.route(
        re.compile("/api/v1/(histogram|top)"),
        lambda route: route.fulfill(status=504, content_type="application/json", body=json.dumps({"error": fault})),
    )
    page.goto("/#/search?since=2h")
    expect(page.get_by_text("The chart took too long")).to_be_visible()
    expect(page.get_by_text("The counts took too long")).to_be_visible()
    assert all("504" in one for one in faults)
    faults.clear()


@pytest.mark.thorough
def test_a_million_values_do_not_hang_the_page(page: Page) -> None:
    names = [
        "<img src=x onerror=alert(1)>",
        "\u202eevil",
        "مرحبا",
        'a "b"',
        "a*b",
        "x" * 1000,
        "",
        *map(str, range(993)),
    ]
    values = [{"value": name, "count": 1000 - at} for at, name in enumerate(names)]
    answer = {"field": "host", "kind": "text", "records": 10**7, "distinct": 10**6, "values": values}
    more = {"is_sample": True, "sample_records": 50_000, "sample_share": 0.02, "error": None}
    page.route("**/api/v1/top?*", lambda route: route.fulfill(json={"fields": [{**answer, **more}], "took_s": 0.1}))
    page.goto("/#/search?since=2h&facet=host")
    expect(page.get_by_text("1,000 of 1,000,000 values.")).to_be_visible()
    expect(page.get_by_text("Shares of a sample: 50,000 records, from 2.0 % of the time.")).to_be_visible()
    page.get_by_role("searchbox", name="Find a value of host").fill("992")
    expect(page.get_by_role("list", name="Values of host").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("searchbox").fill("evil")
    page.get_by_role("list", name="Values of host").locator(".facet-value").locator("visible=true").click()
    expect(box(page)).to_have_value(r"host~/\A\x{202e}evil\z/")


@pytest.mark.thorough
def test_the_counts_are_a_sheet_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/#/search?since=2h")
    expect_records(page, ALL)
    page.get_by_role("button", name="Counts per value").click()
    sheet = page.get_by_role("dialog", name="Counts per value")
    sheet.get_by_role("list", name="Values of status_code").get_by_role("button", name="503: 24 records").click()
    expect_records(page, NUMBER_OF_503)
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_search_goes_on_by_itself_from_where_it_ended_early(page: Page) -> None:
    asked: list[str] = []

    def cut(route: Route) -> None:
        """Answer a request for the newest records as a search that ended early, and pass on the next ones."""
        asked.append(route.request.url)
        if "cursor=" in route.request.url:
            return route.continue_()
        cursor = "newest~2191-01-01T00:00:00+00:00~0~0"
        cut = {"records": [], "has_more": True, "cursor": cursor, "searched_to": "2191-01-01T00:00:00Z", "took_s": 1}
        return route.fulfill(json=cut)

    page.route("**/api/v1/records?*", cut)
    page.goto("/#/search?since=2h&q=status_code:503&tz=UTC")
    expect(page.get_by_role("region", name="Records", exact=True)).to_contain_text("all that match")
    assert "budget_s=" in asked[0]
    assert any("cursor=newest" in url for url in asked)


def test_a_chart_of_the_newest_part_is_followed_by_the_whole_one(page: Page) -> None:
    def cut(route: Route) -> None:
        if "budget_s=" not in route.request.url:
            return None  # the answer about all records does not come
        answer = route.fetch()
        return route.fulfill(json={**answer.json(), "counted_since": "2026-03-01T10:00:00Z"})

    page.route("**/api/v1/histogram?*", cut)
    page.goto("/#/search?since=2h&tz=UTC")
    summary = page.locator(".histogram-summary")
    expect(summary).to_contain_text("since 2026-03-01 10:00, and earlier ones are being counted")
    page.unroute("**/api/v1/histogram?*")
    page.goto("/#/search?since=3h&tz=UTC")
    expect(summary).not_to_contain_text("being counted")
    expect_records(page, ALL)
