from playwright.sync_api import Page, expect


def test_a_person_goes_through_the_views_and_back(page: Page) -> None:
    views = page.get_by_role("navigation", name="Views")
    for name in ("Patterns", "Metrics", "Alerts", "Streams", "Rejected lines", "SQL"):
        views.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        assert page.title() == f"{name} · Puppylog"
    page.go_back()
    expect(views.locator("[aria-current]")).to_have_text("Rejected lines")


def test_the_help_lists_all_keys(page: Page) -> None:
    page.locator("main h1, main input").first.wait_for()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_text("Go to Alerts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Alerts", exact=True)).to_be_visible()
