import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from support.examples import IS_SOAK
from support.page import ask_for_status, find_violations, open_page, store_known_log
from support.served import Served

pytestmark = pytest.mark.sampled

SEGMENTS = 1000 if IS_SOAK else 20  # those with many segments are tests of `make soak`
AWAY = {"error": {"message": "The store is away.", "is_transient": True}}
HOSTILE = "<img src=x onerror=alert(1)>"

VISITOR = "attributes ->> 'visitor'"

ERRORS = Metric("errors", "count", "*", 60, filter="status_code >= 500")
METRICS = (
    ERRORS,
    Metric("requests", "count", "*", 60, segment="request_route", filter="request_route IS NOT NULL"),
    Metric("share_5xx", "ratio", "*", 60, of="status_code >= 500", filter="status_code IS NOT NULL"),
    Metric("largest_bytes", "max", "response_bytes", 300),
    Metric("slow", "p95", "attributes.duration_ms", 300, filter="LENGTH(message) > 0"),
    Metric(
        "users", "count", "*", 60, segment="attributes ->> 'visitor'", filter="attributes ->> 'visitor' IS NOT NULL"
    ),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The known log, records of many users, metrics, and an alert on one of the metrics."""
    with Served(tmp_path_factory.mktemp("metrics")) as served:
        store_known_log(served)
        at = datetime.now(UTC).isoformat()
        # Some users have more records than others, so that it is certain which are the largest segments.
        users = [f"u{number:04}" for number in range(SEGMENTS)] + ["u0007", HOSTILE] * 3
        body = "".join(json.dumps({"timestamp": at, "visitor": user, "message": "here"}) + "\n" for user in users)
        assert served.send("POST", "/api/v1/lines?source=users&format=json", body.encode()).status == 200
        with served.own.connect() as store:
            for metric in METRICS:
                store.create_metric(metric)
            store.create_alert(
                define_alert(
                    "failing", ERRORS, comparison=Comparison.ABOVE, threshold=1.5, window_s=600, statistic="sum"
                )
            )
        yield served


def open_metric(page: Page, name: str, parameters: str = "") -> None:
    page.goto(f"/#/metrics/{name}{parameters}")
    expect(page.get_by_role("img", name=f"{name} over time")).to_be_visible()


def hash_of(page: Page) -> str:
    return str(page.evaluate("location.hash"))


@pytest.mark.thorough
def test_each_metric_says_what_it_measures_with_a_small_chart(page: Page, faults: list[str]) -> None:
    page.goto("/#/metrics?since=1h")
    item = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="errors", exact=True))
    expect(item).to_contain_text("Number of records, in steps of 1 min, where status_code>=500")
    expect(item.locator("svg.spark path")).to_have_attribute("d", re.compile(r"^M.*L"))
    share = page.get_by_role("listitem").filter(has_text="share_5xx")
    expect(share).to_contain_text("Share of the records that match status_code>=500, in steps of 1 min")
    expect(share.locator(".metric-newest")).to_contain_text("%")
    slow = page.get_by_role("listitem").filter(has_text="slow")
    expect(slow).to_contain_text("95th percentile of duration_ms, in steps of 5 min, where LENGTH(message) > 0")
    expect(slow.locator(".metric-newest")).to_contain_text(re.compile(r"\d (ms|s)$"))
    expect(page.get_by_role("listitem").filter(has_text="users")).to_contain_text("1,001 segments")
    page.route("**/api/v1/metrics**", lambda route: route.fulfill(status=503, json=AWAY))
    ask_for_status(page)
    expect(page.locator("#banner")).to_contain_text("The store is away.")
    expect(item).to_be_visible()
    page.unroute_all()
    ask_for_status(page)
    expect(page.locator("#banner")).to_be_empty()
    item.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Metrics / errors")).to_be_visible()
    faults[:] = [fault for fault in faults if "status of 503" not in fault]


def test_one_segment_is_switched_off_or_shown_alone_and_its_values_lead_to_its_records(page: Page) -> None:
    open_metric(page, "requests", "?since=2h")
    rows = page.get_by_role("row").filter(has=page.get_by_role("checkbox"))
    expect(rows).to_have_count(5)
    expect(rows.filter(has_text="/cart")).to_contain_text("48")  # a fifth of the requests
    page.get_by_role("checkbox", name="/cart").uncheck()
    expect(page.get_by_text("1 is switched off")).to_be_visible()
    assert "hide=/cart" in hash_of(page)
    page.get_by_role("button", name="Only /products/7").click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Show all segments").click()
    expect(rows).to_have_count(5)
    page.go_back()
    expect(rows).to_have_count(1)
    page.get_by_text("Values as a table").click()
    page.get_by_role("table").filter(has_text="a row for each").get_by_role("link").last.click()
    found = re.match(
        r"#/search\?q=has:request_route\+request_route%3D/products/7&since=20[^&]+Z&until=20[^&]+Z$", hash_of(page)
    )
    assert found, hash_of(page)


@pytest.mark.thorough
def test_a_thousand_segments_show_the_largest_and_say_what_is_left_out(page: Page) -> None:
    open_metric(page, "users", "?since=1h")
    expect(page.get_by_text("989 smaller segments are left out")).to_be_visible()
    boxes = page.get_by_role("checkbox")
    expect(boxes).to_have_count(12)
    expect(page.get_by_role("row").filter(has=boxes).nth(0)).to_contain_text("u0007")
    expect(page.get_by_role("row").filter(has=boxes).nth(1)).to_contain_text(HOSTILE)
    page.get_by_role("button", name="Show up to 50").click()
    expect(boxes).to_have_count(50)
    page.get_by_text("Values as a table").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    assert saved.value.suggested_filename == "users.csv"
    rows = list(csv.reader(saved.value.path().read_text(encoding="utf-8").splitlines()))
    assert rows[0][:3] == ["time", "u0007", HOSTILE]
    assert {row[1] for row in rows[1:]} >= {"4", "0"}


@pytest.mark.thorough
def test_a_brush_sets_the_range_and_a_click_leads_to_the_records(page: Page) -> None:
    open_metric(page, "errors", "?since=1h")
    box = page.locator(".u-over").bounding_box()
    assert box is not None
    left, middle = box["x"], box["y"] + box["height"] / 2
    page.mouse.move(left + 200, middle)
    page.mouse.down()
    page.mouse.move(left + 500, middle, steps=4)
    page.mouse.up()
    page.wait_for_function("/since=20.*&until=20/.test(location.hash)")
    expect(page.get_by_role("button", name=re.compile("^Time range: 20"))).to_be_visible()
    page.mouse.click(left + 300, middle)
    page.wait_for_function("location.hash.startsWith('#/search?q=status_code%3E%3D500&since=20')")


@pytest.mark.thorough
def test_a_metric_is_compared_with_the_day_before_and_names_the_alert_that_judges_it(
    page: Page, faults: list[str]
) -> None:
    open_metric(page, "errors", "?since=1h")
    with page.expect_request(lambda request: "/metrics/errors" in request.url and "until=20" in request.url):
        page.get_by_role("button", name="Day before").click()
    expect(page.get_by_role("button", name="Day before")).to_have_attribute("aria-pressed", "true")
    assert "compare=1d" in hash_of(page)
    alert = page.get_by_role("listitem").filter(has_text="above 1.5 over 10 min")
    expect(alert).to_contain_text(re.compile("Firing|OK"))
    alert.get_by_role("link", name="failing").click()
    expect(page.get_by_role("heading", name="Alerts / failing")).to_be_visible()
    page.goto("/#/metrics/nothing")
    expect(page.get_by_role("alert")).to_contain_text("cannot find metric 'nothing'")
    faults[:] = [fault for fault in faults if "status of 404" not in fault]


@pytest.mark.thorough
def test_metrics_fit_a_narrow_screen_and_axe_finds_nothing(served: Served, browser: Browser, faults: list[str]) -> None:
    with open_page(browser, served.url, faults, viewport={"width": 360, "height": 740}, color_scheme="dark") as page:
        for address in ("metrics?since=1h", "metrics/requests?since=1h"):
            page.goto(f"/#/{address}")
            page.get_by_text("request_route").first.wait_for()
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), address
            assert find_violations(page) == [], address
    assert faults == []
