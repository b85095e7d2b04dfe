import re
from datetime import datetime
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

SHOW = """
async () => {
  const root = document.querySelector("script[type=module]").src.replace("app.js", "");
  const [range, address] = await Promise.all(["range", "address"].map((name) => import(`${root}lib/${name}.js`)));
  window.refreshed = 0;
  const shown = range.control({ onRefresh: () => (window.refreshed += 1) });
  document.querySelector(".view").replaceChildren(shown.element);
  address.onChange(shown.update);
}
"""


@pytest.fixture
def shown(page: Page) -> Page:
    """The control of the time range, in a view without one."""
    page.goto("/#/range-trial?since=1h")
    page.locator("main h1").wait_for(state="attached")
    page.evaluate(SHOW)
    return page


def read_range(page: Page) -> tuple[str, str]:
    found = parse_qs(page.url.partition("?")[2])
    return found.get("since", [""])[0], found.get("until", [""])[0]


def read_instants(page: Page) -> tuple[datetime, datetime]:
    since, until = read_range(page)
    return datetime.fromisoformat(since), datetime.fromisoformat(until)


def test_a_range_is_chosen_from_a_list_by_text_and_by_calendar(shown: Page) -> None:
    shown.get_by_role("button", name="Time range: Last hour").click()
    shown.get_by_role("menuitemradio", name="Last 7 days").click()
    assert read_range(shown) == ("7d", "")
    shown.get_by_role("button", name="Time range: Last 7 days").click()
    shown.get_by_role("menuitem", name="Other times").click()
    dialog = shown.get_by_role("dialog", name="Time range")
    expect(dialog.get_by_label("From", exact=True)).to_be_focused()
    dialog.get_by_label("From", exact=True).fill("2h")
    shown.keyboard.press("Enter")
    assert read_range(shown) == ("2h", "")
    shown.get_by_role("button", name="Time range: Last 2 h").click()
    shown.get_by_role("menuitem", name="Other times").click()
    dialog.get_by_label("From: calendar").fill("2026-11-27T10:00")
    dialog.get_by_label("To: calendar").fill("2026-11-27T12:00")
    dialog.get_by_role("button", name="Show").click()
    assert read_range(shown) == ("2026-11-27T10:00:00Z", "2026-11-27T12:00:00Z")
    expect(shown.get_by_role("button", name=re.compile("Time range: 2026-11-27 10:00:00 . 12:00:00"))).to_be_visible()
    shown.go_back()
    assert read_range(shown) == ("2h", "")


def test_a_range_moves_and_grows_by_buttons_and_keys(shown: Page) -> None:
    shown.goto("/#/range-trial?since=2026-11-20T10:00:00Z&until=2026-11-20T12:00:00Z")
    shown.get_by_role("button", name=re.compile("Earlier")).click()
    assert [f"{at:%H:%M}" for at in read_instants(shown)] == ["09:00", "11:00"]
    shown.keyboard.press("]")
    assert [f"{at:%H:%M}" for at in read_instants(shown)] == ["10:00", "12:00"]
    shown.keyboard.press("o")
    assert [f"{at:%H:%M}" for at in read_instants(shown)] == ["09:00", "13:00"]
    shown.goto("/#/range-trial?since=1h")
    shown.get_by_role("button", name=re.compile("Zoom out")).click()
    since, until = read_instants(shown)
    assert (until - since).total_seconds() == 7200
    shown.goto("/#/range-trial?since=all")
    for name in ("Earlier", "Later", "Zoom out"):
        expect(shown.get_by_role("button", name=re.compile(name))).to_be_disabled()


def test_a_view_is_refreshed_by_hand_and_by_itself(shown: Page) -> None:
    shown.clock.install()
    shown.get_by_role("button", name="Refresh", exact=True).click()
    assert shown.evaluate("refreshed") == 1
    shown.get_by_role("button", name="Refresh by itself: off").click()
    shown.get_by_role("menuitemradio", name="10 s").click()
    expect(shown.get_by_role("button", name="Refresh by itself: 10s")).to_be_visible()
    shown.clock.run_for(21_000)
    assert shown.evaluate("refreshed") == 3
    assert "refresh=10s" in shown.url
