import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.page import ask_for_status, open_page
from support.served import Served

pytestmark = pytest.mark.sampled

VIEWS = ("Search", "Patterns", "Metrics", "Alerts", "Streams", "Rejected lines", "SQL")


def wait_for_view(page: Page, name: str) -> None:
    expect(page).to_have_title(f"{name} · Puppylog")
    expect(page.get_by_role("heading", level=1, name=name, exact=True)).to_have_count(1)


def test_a_person_goes_through_the_views_and_back(page: Page) -> None:
    page.goto("/")
    views = page.get_by_role("navigation", name="Views")
    for name in VIEWS:
        views.get_by_role("link", name=name).click()
        wait_for_view(page, name)
    page.go_back()
    wait_for_view(page, "Rejected lines")
    expect(views.locator("[aria-current=page]")).to_have_text("Rejected lines")
    page.go_forward()
    wait_for_view(page, "SQL")
    page.goto("/#/no%such%view?q=%")
    wait_for_view(page, "Search")


@pytest.mark.thorough
def test_the_keyboard_reaches_the_views_and_the_help_lists_its_keys(page: Page) -> None:
    page.goto("/#/sql")
    wait_for_view(page, "SQL")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_text("Go to Alerts")).to_be_visible()
    page.keyboard.press("g")  # a dialog takes no keys of the page
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    wait_for_view(page, "SQL")
    page.keyboard.press("g")
    page.keyboard.press("a")
    wait_for_view(page, "Alerts")
    expect(page.locator("#say")).to_have_text("Alerts")


@pytest.mark.thorough
def test_the_skip_link_goes_to_the_content_and_keeps_the_address(page: Page) -> None:
    page.goto("/#/alerts")
    wait_for_view(page, "Alerts")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    assert page.url.endswith("#/alerts")


@pytest.mark.thorough
def test_the_zone_is_in_the_address_and_stays_in_other_views(
    served: Served, browser: Browser, faults: list[str]
) -> None:
    with open_page(browser, served.url, faults, timezone_id="Asia/Tokyo") as page:
        page.goto("/#/alerts")
        page.get_by_role("button", name="Times in Asia/Tokyo; change").click()
        expect(page).to_have_url(re.compile(r"tz=UTC"))
        page.get_by_role("link", name="Metrics").click()
        expect(page).to_have_url(re.compile(r"#/metrics\?tz=UTC"))
        page.get_by_role("button", name="Times in UTC; change").click()
        expect(page).not_to_have_url(re.compile(r"tz="))
    assert faults == []


@pytest.mark.thorough
def test_a_chosen_theme_stays_and_the_systems_is_followed_otherwise(page: Page) -> None:
    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

    page.goto("/#/sql")
    wait_for_view(page, "SQL")
    page.emulate_media(color_scheme="dark")
    dark = background()
    page.emulate_media(color_scheme="light")
    light = background()
    assert dark != light
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    assert background() == dark
    page.reload()
    assert background() == dark
    assert page.evaluate("JSON.stringify(localStorage)") == '{"puppylog-theme":"dark"}'


@pytest.mark.thorough
@pytest.mark.parametrize("width", [360, 3840])
def test_no_view_is_wider_than_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    for name in ("search", "patterns", "metrics", "alerts", "streams", "rejects", "sql"):
        page.goto(f"/#/{name}")
        page.locator("main h1").wait_for(state="attached")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width, name
        assert page.evaluate("document.querySelector('main').scrollWidth") <= width, name


@pytest.fixture
def away(page: Page, faults: list[str]) -> Iterator[Page]:
    """A page of which a test takes away the server. The browser complains about each request without an answer."""
    yield page
    faults[:] = [fault for fault in faults if "Failed to load resource" not in fault]


def test_the_page_says_that_the_server_is_away_and_goes_on_when_it_is_back(served: Served, away: Page) -> None:
    away.goto("/#/alerts")
    expect(away.get_by_role("heading", name="Alerts")).to_have_count(1)
    banner = away.locator("#banner")
    served.server.close()
    try:
        ask_for_status(away)
        expect(banner).to_contain_text("The server does not answer.")
    finally:
        served.start()
    expect(banner).to_be_empty()
    expect(away.get_by_text("Connected again.", exact=True).last).to_be_visible()


@pytest.mark.thorough
def test_the_page_says_that_the_store_is_away_and_asks_again_when_it_is_back(away: Page) -> None:
    away.goto("/#/alerts")
    expect(away.get_by_role("heading", name="Alerts")).to_have_count(1)
    away.evaluate(
        """async () => {
          const root = document.querySelector("script[type=module]").src.replace("app.js", "");
          window.backs = 0;
          (await import(`${root}lib/api.js`)).onBack(() => (window.backs += 1));
        }"""
    )

    def answer_that_it_is_away(route: Route) -> None:
        store = {"url": "duckdb", "is_up": False, "problem": "cannot connect to the store: nothing listens"}
        route.fulfill(json={"version": "0", "store": store})

    away.route("**/api/v1/status", answer_that_it_is_away)
    ask_for_status(away)
    expect(away.locator("#banner")).to_contain_text("cannot connect to the store: nothing listens")
    away.unroute("**/api/v1/status")
    expect(away.locator("#banner")).to_be_empty()
    assert away.evaluate("backs") == 1


FORBID = """
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });
"""


@pytest.mark.thorough
def test_the_page_works_where_a_browser_forbids_to_keep_anything(page: Page) -> None:
    page.add_init_script(FORBID)
    for path, name in (("search?q=payment", "Search"), ("alerts", "Alerts"), ("sql", "SQL")):
        page.goto(f"/?again={name}#/{path}")
        wait_for_view(page, name)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/#/alerts")
    page.get_by_role("button", name="Silence").first.click()
    expect(page.get_by_label("Your name")).to_be_visible()
