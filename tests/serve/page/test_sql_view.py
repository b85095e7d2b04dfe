"""The view SQL."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from support.page import SHOP_LINES

pytestmark = pytest.mark.sampled


@pytest.fixture
def statement(page: Page) -> Locator:
    page.goto("/#/sql")
    return page.get_by_role("textbox", name="SQL statement")


def test_a_statement_is_written_with_names_that_a_click_inserts_and_runs_with_ctrl_enter(
    page: Page, statement: Locator
) -> None:
    statement.fill("select count(*) as requests from ")
    page.get_by_role("button", name="log_records").first.click()
    page.keyboard.press("Tab")
    page.keyboard.type("where ")
    page.get_by_role("button", name="status_code").first.click()
    page.keyboard.type(" is not null")
    page.keyboard.press("Control+Enter")
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("cell", name=str(SHOP_LINES))).to_be_visible()
    expect(result.get_by_role("columnheader", name="requests")).to_contain_text("int64")
    expect(page.locator(".sql-status")).to_contain_text("1 row ·")
    page.reload()
    expect(page.get_by_role("cell", name=str(SHOP_LINES))).to_be_visible()
    page.get_by_role("button", name="History").click()
    page.get_by_role("menuitem", name="select count(*) as requests").click()
    expect(page.get_by_role("cell", name=str(SHOP_LINES))).to_be_visible()


@pytest.mark.thorough
def test_values_keep_their_digits_and_null_is_no_text(page: Page, statement: Locator) -> None:
    statement.fill("select 9007199254740993 as id, null as nothing, repeat('long ', 99) as text")
    page.get_by_role("button", name="Run").click()
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("cell", name="9007199254740993")).to_have_class("right")
    expect(result.locator("td .null")).to_have_text("null")
    result.get_by_role("button", name="long").click()
    expect(page.get_by_role("dialog", name="text")).to_contain_text("long " * 98)


def test_an_error_of_the_database_is_shown_with_its_place(page: Page, statement: Locator, faults: list[str]) -> None:
    statement.fill("select ts,\n  no_such_column\nfrom log_records")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("no_such_column")
    expect(page.get_by_text("Line 2, column 3")).to_be_visible()
    expect(page.locator(".line-numbers .wrong")).to_have_text("▸2")
    assert all("400" in fault for fault in faults)
    faults.clear()


@pytest.mark.thorough
def test_many_rows_scroll_and_are_downloaded_whole(page: Page, statement: Locator, tmp_path: Path) -> None:
    statement.fill("select x as n from generate_series(1, 2500) as t(x)")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-status")).to_contain_text("The first 1,000 rows; the answer has more")
    result = page.get_by_role("region", name="Result")
    assert result.get_by_role("row").count() < 200
    result.evaluate("one => (one.scrollTop = one.scrollHeight)")
    expect(result.get_by_role("cell", name="1000", exact=True)).to_be_visible()
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="CSV").click()
    download.value.save_as(tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().split() == ["n", *map(str, range(1, 2501))]


@pytest.mark.thorough
def test_counts_over_time_are_a_chart_and_every_example_runs(page: Page) -> None:
    page.goto("/#/sql")
    labels = ["Requests a minute, and those that failed", "Newest records", "Routes by bytes sent"]
    labels += ["Slowest routes", "Clients with server errors", "Why lines were rejected"]
    for label in labels:
        page.get_by_role("button", name="Examples").click()
        page.get_by_role("menuitem", name=label).click()
        expect(page.locator(".sql-status")).to_contain_text("row")
        expect(page.get_by_role("img", name="The result")).to_have_count(1 if "minute" in label else 0)


@pytest.mark.thorough
def test_a_statement_that_takes_long_can_be_stopped(page: Page, statement: Locator) -> None:
    statement.fill("select count(*) from generate_series(1, 1000000) a(x), generate_series(1, 1000000) b(x)")
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped after")).to_be_visible()
