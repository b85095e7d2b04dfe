"""The lines of the search view, as a person reads them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from support.page import find_violations, store_known_log
from support.served import Served

pytestmark = pytest.mark.sampled

LONG = 1 << 20  # characters of the longest message
STRANGE: list[dict[str, Any]] = [
    {"timestamp": "1931-02-03T04:05:06.123456+00:00", "message": "before 1970"},
    {"timestamp": "2155-02-03T04:05:06+00:00", "message": "after 2100", "answer": 12345678901234567890},
    {"level": "error", "message": "<b onclick=alert(1)>bold</b> \x1b[31mred\x1b[0m \u202eevil"},
    {"level": "warn", "message": "\u05e9\u05dc\u05d5\u05dd 1", "http": {"code": 503, "tags": ["a", {"b": 2}]}},
    {"level": "info", "message": "x" * LONG + "\nthe end", "trace_id": "4bf92f3577b34da6"},
]
ALL = "/#/search?since=all&q="


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The known log, and lines that are hard to show."""
    with Served(tmp_path_factory.mktemp("lines")) as served:
        store_known_log(served)
        now = datetime.now(UTC) - timedelta(minutes=2)
        lines = [{"timestamp": (now + timedelta(seconds=at)).isoformat(), **line} for at, line in enumerate(STRANGE)]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        assert served.send("POST", "/api/v1/lines?source=strange&format=json", body).status == 200
        yield served


def find_line(page: Page, text: str) -> Locator:
    return page.get_by_role("region", name="Records").locator(".line", has_text=text)


def test_lines_show_time_severity_source_and_message_and_mark_what_the_query_found(page: Page) -> None:
    page.goto(f"{ALL}payment timeout")
    line = find_line(page, "payment 4 failed")
    expect(line).to_contain_text("error")
    expect(line.locator("mark")).to_have_text(["payment", "timeout"])
    expect(page.get_by_text("10 lines, all that match, newest first")).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator("mark.is-current")).to_have_text("payment")


@pytest.mark.parametrize("width", [390, 800])
def test_the_long_name_of_a_source_hides_no_message_on_a_narrow_screen(page: Page, served: Served, width: int) -> None:
    for name in ("postgresql-2026-11-28_000000", "shop"):  # the source is shown if there are several
        body = b'{"level": "info", "message": "a message that is read"}\n'
        assert served.send("POST", f"/api/v1/lines?source=/log/{name}.log&format=json", body).status == 200
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{ALL}%22a%20message%20that%20is%20read%22")
    line = find_line(page, "postgresql-2026")
    expect(line).to_be_visible()
    found = line.evaluate(
        """(line) => {
            const range = document.createRange();
            const walker = document.createTreeWalker(line.querySelector(".line-body"), NodeFilter.SHOW_TEXT);
            const lefts = [], rights = [];
            while (walker.nextNode()) {
                range.selectNodeContents(walker.currentNode);
                for (const box of range.getClientRects()) { lefts.push(box.left); rights.push(box.right); }
            }
            const all = line.getBoundingClientRect();
            return {isInside: Math.min(...lefts) >= all.left && Math.max(...rights) <= all.right + 1,
                    source: line.querySelector(".line-source").getBoundingClientRect().width};
        }"""
    )
    assert found["isInside"]
    assert found["source"] <= width / 2


@pytest.mark.thorough
def test_more_lines_come_as_one_scrolls_and_none_comes_twice(page: Page) -> None:
    page.goto(f"{ALL}source:shop&order=oldest")
    expect(page.get_by_text("100 lines, and more below, oldest first")).to_be_visible()
    page.locator(".line").nth(99).scroll_into_view_if_needed()
    expect(page.get_by_text("240 lines, all that match, oldest first")).to_be_visible()
    keys = page.locator(".line").evaluate_all("all => all.map((one) => one.dataset.key)")
    assert len(set(keys)) == len(keys) == 240


def test_a_record_opens_with_its_fields_and_a_click_on_a_value_narrows_the_search(page: Page) -> None:
    page.goto(f"{ALL}payment")
    find_line(page, "payment 4 failed").get_by_role("link").click()
    record = page.get_by_role("complementary", name="Record")
    expect(record.get_by_role("row", name="duration_ms")).to_contain_text("30 s")
    expect(record.get_by_text("Put together from the columns")).to_be_visible()
    record.get_by_role("button", name="Only customer.country with this value").click()
    expect(page).to_have_url(f"{page.url.split('#')[0]}#/search?since=all&q=payment+customer.country%3DDE")
    page.go_back()
    expect(record.get_by_role("heading", name="Message")).to_be_visible()
    page.keyboard.press("Escape")
    expect(record).to_be_hidden()


@pytest.mark.thorough
def test_a_link_opens_a_record_that_is_not_in_the_list(page: Page, served: Served) -> None:
    answer = json.loads(served.send("GET", "/api/v1/records?q=source:app&limit=1").text)
    record = answer["records"][0]
    page.goto(f"{ALL}nothing+has+this&at={record['file_id']}:{record['line_offset']}")
    expect(page.get_by_role("complementary", name="Record")).to_contain_text(record["message"])


def test_neighbours_of_a_record_come_from_its_file_with_the_rejected_lines_among_them(page: Page) -> None:
    page.goto(f"{ALL}source:shop status_code:503&order=oldest")
    page.locator(".line").nth(1).get_by_role("link").click()
    page.get_by_role("button", name="Lines around it in its file").click()
    around = page.get_by_role("list", name="Records of the file")
    expect(around.locator(".is-rejected")).to_contain_text("this line is no request")
    expect(around.locator(".line")).to_have_count(13 + 1 + 25 + 1)  # before, itself, after, rejected
    page.get_by_role("button", name="100 more after").click()
    expect(around.get_by_text("another line without a status")).to_be_visible()
    page.get_by_role("button", name="Back to what was found").click()
    expect(page.get_by_text("24 lines, all that match")).to_be_visible()


@pytest.mark.thorough
def test_the_table_has_the_columns_that_the_reader_chooses_and_the_address_keeps_them(page: Page) -> None:
    field = {"name": "only_in_older_records", "kind": "attribute", "share": 0.1, "examples": [], "is_facet": False}
    page.route("**/api/v1/fields?*", lambda route: route.fulfill(json={"fields": [field], "sample_records": 1}))
    page.goto(f"{ALL}payment&form=table")
    table = page.get_by_role("table", name="Lines")
    expect(table.get_by_role("columnheader")).to_have_text(["time", "severity", "message"])
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_role("checkbox", name="only_in_older_records")).to_be_visible()
    page.get_by_role("checkbox", name="duration_ms").check()
    page.keyboard.press("Escape")
    expect(table.get_by_role("columnheader")).to_have_text(["time", "severity", "message", "duration_ms"])
    table.get_by_role("button", name="duration_ms").click()
    page.get_by_role("menuitem", name="Move left").click()
    page.get_by_role("separator", name="Width of severity").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(
        page.url.split("#")[0] + "#/search?since=all&q=payment&form=table"
        "&columns=ts:190,severity:104,duration_ms:140,message:480"
    )
    page.reload()
    expect(table.get_by_role("columnheader")).to_have_text(["time", "severity", "duration_ms", "message"])
    page.keyboard.press("t")
    expect(page.get_by_role("list", name="Lines")).to_be_visible()


def test_a_table_whose_first_answer_is_empty_has_the_columns_of_lines_that_come_later(page: Page) -> None:
    part = {"records": [], "has_more": True, "cursor": "later", "searched_to": "2155-02-03T04:05:06+00:00"}

    def answer_late(route: Route) -> None:
        url = route.request.url
        if "cursor=later" in url:
            route.continue_(url=url.replace("cursor=later", ""))
        else:
            route.fulfill(json=part)

    page.route("**/api/v1/records?*", answer_late)
    page.goto(f"{ALL}payment&form=table")
    heads = page.get_by_role("table", name="Lines").get_by_role("columnheader")
    expect(heads).to_have_text(["time", "severity", "message"])


@pytest.mark.thorough
def test_text_that_is_hard_to_show_is_shown_as_it_is(page: Page) -> None:
    page.goto(f"{ALL}source:strange")
    expect(find_line(page, "bold")).to_contain_text("<b onclick=alert(1)>bold</b> ␛[31mred␛[0m U+202Eevil")
    expect(page.get_by_text("1931-02-03")).to_be_visible()
    expect(page.get_by_text("2155-02-03")).to_be_visible()
    expect(find_line(page, "after 2100")).to_contain_text("answer=12345678901234567890")
    expect(find_line(page, "more characters")).to_contain_text("1,047,384 more characters")
    find_line(page, "more characters").get_by_role("link").click()
    record = page.get_by_role("complementary", name="Record")
    expect(record.get_by_role("button", name="Show 64,000 more of 1,048,584 characters").first).to_be_visible()
    record.get_by_role("link", name="4bf92f3577b34da6").click()
    expect(page.get_by_text("1 line, all that match")).to_be_visible()


@pytest.mark.thorough
def test_what_is_found_is_taken_along_as_a_file_or_as_a_command(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{ALL}payment timeout")
    expect(page.get_by_text("10 lines, all that match")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download as JSON lines").click()
    records = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert [record["message"] for record in records][:1] == ["payment 58 failed: timeout after 30 s"]
    expect(page.get_by_text("10 lines are downloaded.")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    page.get_by_role("menuitem", name="Copy as a command").click()
    expect(page.get_by_text("The command is copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "puppylog logs 'payment timeout' --tz UTC --reverse"
    page.locator("#content").focus()
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.get_by_text("The line, put together from its columns, is copied.")).to_be_visible()
    assert "payment 52 failed" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.thorough
def test_axe_finds_nothing_in_an_open_record_its_neighbours_and_the_table(page: Page) -> None:
    page.goto(f"{ALL}source:shop status_code:503")
    page.locator(".line").nth(3).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Fields")).to_be_visible()
    page.wait_for_load_state("networkidle")
    found = {"record": find_violations(page)}
    page.keyboard.press("x")
    page.locator(".is-center").wait_for()
    found["neighbours"] = find_violations(page)
    page.keyboard.press("t")
    page.get_by_role("table", name="Records of the file").wait_for()
    found["table"] = find_violations(page)
    assert found == {"record": [], "neighbours": [], "table": []}
    page.get_by_role("link", name="Search this file").click()
    expect(page.get_by_text("lines, all that match, oldest first")).to_be_visible()
