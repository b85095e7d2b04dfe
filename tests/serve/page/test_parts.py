"""The parts that all views are made of: time range, charts, tables, and requests that take long."""

import re
from datetime import datetime
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.sampled

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
    page.goto("/#/sql?since=1h")
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


@pytest.mark.thorough
def test_a_range_moves_and_grows_by_buttons_and_keys(shown: Page) -> None:
    shown.goto("/#/sql?since=2026-11-20T10:00:00Z&until=2026-11-20T12:00:00Z")
    shown.get_by_role("button", name=re.compile("Earlier")).click()
    assert [f"{at:%H:%M}" for at in read_instants(shown)] == ["09:00", "11:00"]
    shown.keyboard.press("]")
    assert [f"{at:%H:%M}" for at in read_instants(shown)] == ["10:00", "12:00"]
    shown.keyboard.press("-")
    assert [f"{at:%H:%M}" for at in read_instants(shown)] == ["09:00", "13:00"]
    shown.goto("/#/sql?since=1h")
    shown.get_by_role("button", name=re.compile("Zoom out")).click()
    since, until = read_instants(shown)
    assert (until - since).total_seconds() == 7200
    shown.goto("/#/sql?since=all")
    for name in ("Earlier", "Later", "Zoom out"):
        expect(shown.get_by_role("button", name=re.compile(name))).to_be_disabled()


@pytest.mark.thorough
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


CHART = """
async () => {
  const root = document.querySelector("script[type=module]").src.replace("app.js", "");
  const { chart } = await import(`${root}lib/chart.js`);
  const place = document.querySelector(".view");
  window.chosen = [];
  window.picked = [];
  window.shownChart = chart(place, {
    label: "Records over time", start: "2026-11-20T10:00:00Z", step_s: 60, stacked: true, height: 120,
    series: [
      { label: "error", color: "var(--sev-error)", kind: "bars", values: [0, 5, 0, 1, 0, 0, 0, 0, 0, 0] },
      { label: "info", color: "var(--sev-info)", kind: "bars", values: [1, 2, 3, 4, 5, 6, 7, 8, 9, null] },
    ],
    onBrush: (since, until) => chosen.push([since, until]),
    onPick: (at, series) => picked.push([at, series]),
  });
}
"""

# New data that begins two steps later, and what is shown some frames after it was drawn.
MOVE_ON = """
async () => {
  shownChart.update({ start: "2026-11-20T10:02:00Z" });
  for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
  return document.querySelector(".chart-tip strong").textContent;
}
"""


def test_a_range_of_a_chart_is_chosen_by_mouse_and_by_keyboard(page: Page) -> None:
    page.goto("/#/sql")
    page.locator("main h1").wait_for(state="attached")
    page.evaluate(CHART)
    shown = page.get_by_role("img", name="Records over time")
    shown.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("chosen") == [["2026-11-20T10:01:00Z", "2026-11-20T10:03:00Z"]]
    expect(shown).to_have_accessible_description("2026-11-20 10:02:00: error 0, info 3")
    box = page.locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + 20
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    expect(page.locator(".chart-tip")).to_contain_text("10:02:00")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, y, steps=3)
    page.mouse.up()
    since, until = (datetime.fromisoformat(text) for text in page.evaluate("chosen.at(-1)"))
    assert [f"{at:%H:%M}" for at in (since, until)] in (["10:02", "10:04"], ["10:01", "10:04"])
    cells = page.get_by_role("table", name="Records over time").get_by_role("row").nth(2)
    expect(cells).to_have_text("2026-11-20 10:01:0052")


@pytest.mark.thorough
def test_new_data_of_a_chart_disturb_neither_a_reader_nor_a_brush(page: Page) -> None:
    page.goto("/#/sql")
    page.locator("main h1").wait_for(state="attached")
    page.evaluate(CHART)
    page.get_by_role("img", name="Records over time").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".chart-tip")).to_contain_text("10:07:00")
    assert page.evaluate(MOVE_ON) == "2026-11-20 10:07:00"
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".chart-tip")).to_contain_text("10:06:00")
    box = page.locator(".u-over").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] - 3
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.evaluate("shownChart.update({ start: '2026-11-20T10:00:00Z' })")
    page.mouse.move(box["x"] + box["width"] * 0.4, y, steps=3)
    page.mouse.up()
    [[since, _]] = page.evaluate("chosen")
    assert since.startswith("2026-11-20T10:0")
    assert page.evaluate("picked") == []
    page.mouse.click(box["x"] + box["width"] * 0.95, y)
    assert page.evaluate("picked") == [[9, 0]]


TABLE = """
async () => {
  const root = document.querySelector("script[type=module]").src.replace("app.js", "");
  const { table } = await import(`${root}lib/table.js`);
  window.opened = [];
  const rows = [["b", 2], ["c", null], ["a", 10]].map(([name, size]) => ({ name, size }));
  const shown = table({
    label: "Files", key: (row) => row.name, onOpen: (row) => opened.push(row.name), rows,
    columns: [
      { name: "name", label: "Name", cell: (row) => row.name, sort: (row) => row.name },
      { name: "size", label: "Size", cell: (row) => row.size, sort: (row) => row.size },
    ],
  });
  document.querySelector(".view").replaceChildren(shown.element);
}
"""


@pytest.mark.thorough
def test_a_table_is_sorted_and_its_rows_are_opened_by_keyboard(page: Page) -> None:
    page.goto("/#/sql")
    page.locator("main h1").wait_for(state="attached")
    page.evaluate(TABLE)
    names = page.locator("tbody td:first-child")
    size = page.get_by_role("button", name="Size")
    size.press("Enter")
    expect(names).to_have_text(["a", "b", "c"])  # largest first; without a value last
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "descending")
    expect(size).to_be_focused()
    size.press("Enter")
    expect(names).to_have_text(["b", "a", "c"])
    for key in ("Tab", "ArrowDown", "Enter", "End", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("b", exact=True).click()
    assert page.evaluate("opened") == ["a", "c", "b"]


QUERY = """
async () => {
  const root = document.querySelector("script[type=module]").src.replace("app.js", "");
  const { query } = await import(`${root}lib/query.js`);
  const place = document.createElement("section");
  place.append("the answer before");
  const asked = query(place);
  document.querySelector(".view").replaceChildren(asked.element, place);
  window.run = (work) => asked.run(work);
}
"""

ENDLESS = """
(signal) => new Promise((_, fail) => {
  signal.onabort = () => { window.wasStopped = true; fail(signal.reason); };
})
"""


@pytest.mark.thorough
def test_a_request_that_takes_long_says_so_and_can_be_stopped(page: Page) -> None:
    page.goto("/#/sql")
    page.locator("main h1").wait_for(state="attached")
    page.evaluate(QUERY)
    page.clock.install()
    page.evaluate(f"run({ENDLESS}); undefined")
    page.clock.run_for(400)
    expect(page.locator(".view > section")).to_have_attribute("aria-busy", "true")
    expect(page.locator(".progress")).to_be_visible()
    page.clock.run_for(2700)
    expect(page.get_by_role("status").filter(has_text=re.compile(r"[3-9] s"))).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile(r"Stopped after \d"))).to_be_visible()
    assert page.evaluate("wasStopped")
    expect(page.locator(".view > section.stale")).to_have_text("the answer before")
    assert page.evaluate("run(async () => 7)") == 7
    expect(page.locator(".view > section.stale")).to_have_count(0)
