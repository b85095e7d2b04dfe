"""What keeps people with a screen reader, without a mouse, or with little sight from using the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support.examples import IS_SOAK
from support.page import find_violations

VIEWS = ("search", "patterns", "metrics", "alerts", "streams", "rejects", "sql")
MAX_TABS = 200

DARK_VIEWS = VIEWS if IS_SOAK else ("search", "alerts", "streams")
"""Views that are tested in the dark theme, too. Those of `make test` have the colours of severities and of states."""

# A line of each kind, with marks in it. axe looks at each line, so more of one kind only take longer.
SEARCH = 'search?q="payment 4 failed" or "payment 5 accepted" or response_bytes:103'

LOADED = {"search": ".line", "streams": "tbody tr", "rejects": ".rejected-lines > *", "sql": ".name-button"}
"""What views show when they have the server's answers. The state ``networkidle`` is of the first view only."""

UNDIMMED = """
() => {
  const style = new CSSStyleSheet();
  style.replaceSync(".stale, .is-loading { opacity: 1 !important; transition: none !important; }");
  document.adoptedStyleSheets = [style];
}
"""
"""Shows an answer as it is. A view asks anew while axe runs, and dims its last answer if the next one takes 0.3 s."""

UNREACHED = """
() => [...document.querySelectorAll("a[href], button, input, select, textarea")]
  .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0)
  .filter((one) => !reached.has(one))
  .filter((one) => one.type !== "radio" || ![...document.getElementsByName(one.name)].some((it) => reached.has(it)))
  .map((one) => one.outerHTML.slice(0, 200))
"""


def iter_views(page: Page) -> Iterator[str]:
    """Show each view in turn, with what it loads at first."""
    for view in VIEWS:
        page.goto(f"/#/{SEARCH if view == 'search' else view}")
        page.locator(f".view[data-view={view}] h1").wait_for(state="attached")
        page.wait_for_load_state("networkidle")
        page.locator(LOADED.get(view, "main")).first.wait_for()
        page.evaluate(UNDIMMED)
        yield view


@pytest.mark.long
def test_axe_finds_nothing_in_any_view_and_enough_contrast_in_both_themes(page: Page) -> None:
    found: dict[str, list[str]] = {}
    for view in iter_views(page):
        page.emulate_media(color_scheme="light")
        found[view] = find_violations(page)
        if view in DARK_VIEWS:
            page.emulate_media(color_scheme="dark")
            found[f"{view}, dark"] = find_violations(page, runOnly=["color-contrast"])
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    found["help, dark"] = find_violations(page)
    assert {place: violations for place, violations in found.items() if violations} == {}


@pytest.mark.thorough
def test_the_keyboard_reaches_everything_in_every_view(page: Page) -> None:
    unreached = {view: list_unreached(page) for view in iter_views(page)}
    assert {view: controls for view, controls in unreached.items() if controls} == {}


def list_unreached(page: Page) -> list[str]:
    """Press Tab until the focus has gone round, and return the controls that it has not reached.

    A control with tabindex -1 is left out: arrow keys reach it from another control of its group.
    """
    page.evaluate("window.reached = new Set(); document.getElementById('skip').focus()")
    for _ in range(MAX_TABS):
        if page.evaluate(
            "() => { const at = document.activeElement; const known = reached.has(at); reached.add(at); return known; }"
        ):
            break
        page.keyboard.press("Tab")
    return list(page.evaluate(UNREACHED))


@pytest.mark.thorough
def test_nothing_moves_for_a_person_who_wants_no_motion(page: Page) -> None:
    page.goto("/")
    expect(page.locator("main h1")).to_have_count(1)
    assert page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length") == 0
