"""The first minute of a new user with the log of a shop, in clicks. Nothing is typed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from support.served import Served
from support.shop_traffic import BAD_CLIENT, SLOW_ROUTE, iter_access_lines

pytestmark = pytest.mark.sampled


class Hand:
    """Clicks, and counts its clicks."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("minute")) as served:
        now = datetime.now(UTC)
        body = "".join(f"{line}\n" for line in iter_access_lines(now - timedelta(minutes=50), now, 1_000)).encode()
        assert served.send("POST", "/api/v1/lines?source=nginx&format=access", body).status == 200  # as auto finds
        errors = Metric("errors", "count", "*", 60, filter="status_code >= 500")
        alert = define_alert("shop_fails", errors, comparison=Comparison.ABOVE, threshold=5, window_s=3600)
        with served.own.connect() as store:
            store.create_metric(errors)
            store.create_alert(alert)
        yield served


def test_the_client_that_causes_the_5xx_is_one_click_away(page: Page) -> None:
    page.goto("/")
    hand = Hand()
    hand.click(page.get_by_role("button", name="5xx").first)
    clients = page.locator(".facets").get_by_role("button", name=BAD_CLIENT)
    expect(clients.first).to_be_visible()
    assert hand.clicks == 1


@pytest.mark.thorough
def test_the_slowest_route_is_three_clicks_away(page: Page) -> None:
    page.goto("/")
    hand = Hand()
    hand.click(page.get_by_role("link", name="SQL"))
    hand.click(page.get_by_role("button", name="Examples"))
    hand.click(page.get_by_role("menuitem", name="Slowest routes"))
    expect(page.get_by_role("region", name="Result").locator("tbody td").first).to_have_text(SLOW_ROUTE)
    assert hand.clicks == 3


@pytest.mark.thorough
def test_an_alert_is_silenced_in_three_clicks(page: Page) -> None:
    page.goto("/")
    hand = Hand()
    hand.click(page.get_by_role("link", name="Alerts"))
    hand.click(page.get_by_role("button", name="Silence shop_fails"))
    hand.click(page.get_by_role("dialog", name="Silence").get_by_role("button", name="Silence"))
    expect(page.get_by_role("row").filter(has_text="shop_fails")).to_contain_text("until 20")
    assert hand.clicks == 3
