"""The view Patterns in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sampled


def test_a_pattern_leads_to_its_records(page: Page) -> None:
    page.goto("/#/patterns?since=all")
    expect(page.get_by_text("2 patterns in 60 records")).to_be_visible()
    rows = page.get_by_role("table", name="Patterns").get_by_role("row")
    expect(rows.nth(1)).to_contain_text(re.compile(r"50.*payment \* accepted"))
    rows.nth(2).get_by_role("link", name="payment * failed: timeout after * s").click()
    box = page.get_by_role("combobox", name="Search the records")
    expect(box).to_have_value(r"message~/\Apayment \S+ failed: timeout after \S+ s(\n|\z)/")


@pytest.mark.thorough
def test_a_person_sees_what_is_new_and_leaves_a_pattern_out(page: Page) -> None:
    page.goto("/#/patterns?since=all")
    page.get_by_label("Which patterns").select_option("New in the last 15 minutes")
    expect(page.get_by_text("0 new of 2 patterns")).to_be_visible()
    page.get_by_label("Which patterns").select_option("All patterns")
    page.get_by_role("row").nth(1).get_by_role("button", name="Exclude these records").click()
    expect(page.get_by_text("1 pattern in 10 records")).to_be_visible()
    page.get_by_role("list", name="Conditions of the query").get_by_role("button").click()
    page.get_by_label("Of the field").select_option("request_route")
    expect(page.get_by_text("patterns in 240 records")).to_be_visible()
    expect(page.get_by_text("60 records without request_route")).to_be_visible()
