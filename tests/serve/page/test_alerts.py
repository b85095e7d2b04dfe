import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from puppylog.model.alert import Comparison, State, define_alert
from puppylog.model.metric import Metric
from puppylog.model.token import NewToken, Scope, hash_token, make_token
from puppylog.monitor.alerts import read_alerts
from support.embedded import wait_until
from support.page import ask_for_status, find_violations, open_page, store_known_log
from support.served import Served

pytestmark = pytest.mark.sampled

ERRORS = Metric("errors", "count", "*", 60, filter="status_code >= 500")
REQUESTS = Metric("requests", "count", "*", 60, segment="request_route", filter="request_route IS NOT NULL")
BYTES = Metric("mean_bytes", "avg", "response_bytes", 60, filter="status_code = 418")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The known log, and alerts of which one fires, one fires for each route, one has no data, and one is OK."""
    with Served(tmp_path_factory.mktemp("alerts")) as served:
        store_known_log(served)
        above, day = Comparison.ABOVE, 86_400
        alerts = (
            define_alert("failing", ERRORS, comparison=above, threshold=5, window_s=day, statistic="sum",
                         severity="critical", summary=f"Payments fail {HOSTILE}", contacts=["ops"], period_s=1),
            define_alert("busy", REQUESTS, comparison=above, threshold=40, window_s=day, statistic="sum",
                         each_segment=True, period_s=1),
            define_alert("silent", BYTES, comparison=above, threshold=1, window_s=day, period_s=1),
            define_alert("calm", ERRORS, comparison=above, threshold=1e6, window_s=day, statistic="sum",
                         severity="info", period_s=1),
        )  # fmt: skip
        with served.own.connect() as store:
            for metric in (ERRORS, REQUESTS, BYTES):
                store.create_metric(metric)
            for alert in alerts:
                store.create_alert(alert)
            wait_until(
                lambda: {state.state for state in read_alerts(store).states} >= {State.OK, State.FIRING, State.NO_DATA},
                what="the first evaluation",
            )
        yield served


def open_alerts(page: Page, name: str = "") -> None:
    page.goto(f"/#/alerts{name}")
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


@pytest.mark.thorough
def test_the_most_urgent_alert_stands_first_and_says_its_value_in_words(page: Page) -> None:
    open_alerts(page)
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.nth(1)).to_contain_text(re.compile("Firing.*failing.*critical"))
    expect(rows.nth(1)).to_contain_text(re.compile(r"2\d, above 5"))
    expect(rows.nth(1)).to_contain_text(HOSTILE)
    expect(rows.nth(2)).to_contain_text(re.compile("Firing.*busy.*/"))
    expect(rows.filter(has_text="silent")).to_contain_text(re.compile("No data.*no observation"))
    expect(rows.last).to_contain_text(re.compile(r"OK.*calm.*2\d, fires above 1,000,000"))
    expect(page.get_by_text(re.compile(r"^6 firing, 1 no data, 1 OK$"))).to_be_visible()

    def grow_old(route: Route) -> None:
        answer = route.fetch()
        heartbeat = {"evaluator": "engine", "age_s": 300.0, "is_old": True, "error": None}
        route.fulfill(response=answer, json={**answer.json(), "heartbeat": heartbeat})

    page.route("**/api/v1/alerts", grow_old)
    ask_for_status(page)
    expect(page.get_by_text("Nothing evaluates the alerts: engine last did so 5 min ago.")).to_be_visible()
    page.unroute_all()


def test_an_alert_is_silenced_and_the_silence_is_ended(page: Page, faults: list[str]) -> None:
    open_alerts(page)
    page.get_by_role("button", name="Silence silent").click()
    dialog = page.get_by_role("dialog", name="Silence")
    expect(dialog.get_by_text("It holds back messages of 1 alert, which has a problem now.")).to_be_visible()
    dialog.get_by_label("Comment").fill("maintenance")
    dialog.get_by_label("Your name").fill("ada")
    dialog.get_by_label("End, your time").fill("2020-01-01T00:00")
    dialog.get_by_role("button", name="Silence").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("for 1 hour").check()
    dialog.get_by_role("button", name="Silence").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="silent")
    expect(row).to_contain_text(re.compile("Silenced, no data.*until 20"))
    silence = page.get_by_role("listitem").filter(has_text="maintenance")
    expect(silence).to_contain_text("ada")
    silence.get_by_role("button", name="End").click()
    page.get_by_role("dialog").get_by_role("button", name="End the silence").click()
    expect(silence).to_have_count(0)
    expect(row).not_to_contain_text("Silenced")
    faults[:] = [fault for fault in faults if "status of 400" not in fault]  # the end in the past


@pytest.mark.thorough
def test_an_alert_shows_its_states_its_evidence_and_who_knows(page: Page) -> None:
    open_alerts(page, "/failing?since=3h")
    page.get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog", name="Acknowledge failing")
    dialog.get_by_label("Comment").fill("I call the bank")
    dialog.get_by_label("Your name").fill("grace")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".alert-now")).to_contain_text("grace")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_hidden()
    expect(page.get_by_text("Fires when the sum of errors over 1 d is above 5.")).to_be_visible()
    expect(page.get_by_role("img", name="errors with the threshold of failing")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^States: OK from .*Firing from"))).to_be_visible()
    turn = page.get_by_role("listitem").filter(has_text="was OK")
    expect(turn).to_contain_text(re.compile(r"2\d, above 5"))
    expect(page.get_by_role("row").filter(has_text="ops")).to_contain_text("it fires")
    turn.get_by_role("link").first.click()
    page.wait_for_function("/^#.search.since=20.*&until=20.*&at=[0-9]+:[0-9]+$/.test(location.hash)")


@pytest.mark.thorough
def test_new_states_take_neither_the_focus_nor_an_open_dialog(page: Page) -> None:
    open_alerts(page, "/busy")
    expect(page.get_by_role("row").filter(has_text="/checkout")).to_contain_text(re.compile(r"4\d, above 40"))
    expect(page.locator("section").filter(has=page.get_by_role("heading", name="Segments"))).not_to_contain_text(
        "Segments0"
    )
    button = page.get_by_role("button", name="Silence busy /checkout")
    button.focus()
    with page.expect_response(lambda answer: "/api/v1/silences" in answer.url):
        ask_for_status(page)
    expect(button).to_be_focused()
    button.click()
    expect(page.get_by_role("dialog").get_by_label("Segment")).to_have_value("/checkout")
    comment = page.get_by_role("dialog").get_by_label("Comment")
    comment.fill("half a sen")
    with page.expect_response(lambda answer: "/api/v1/silences" in answer.url):
        ask_for_status(page)
    expect(comment).to_have_value("half a sen")
    expect(comment).to_be_focused()


@pytest.mark.thorough
def test_alerts_fit_a_narrow_screen_and_axe_finds_nothing(served: Served, browser: Browser, faults: list[str]) -> None:
    with open_page(browser, served.url, faults, viewport={"width": 360, "height": 740}, color_scheme="dark") as page:
        for address, text in (("alerts", "failing"), ("alerts/failing", "was OK")):
            page.goto(f"/#/{address}")
            page.get_by_text(text).first.wait_for()
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), address
            assert find_violations(page) == [], address
    assert faults == []


@pytest.fixture(scope="module")
def read_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A server with tokens, and a token that may only read."""
    with Served(tmp_path_factory.mktemp("tokens")) as served:
        store_known_log(served)
        token = make_token()
        with served.own.connect() as store:
            store.create_metric(ERRORS)
            store.create_alert(define_alert("calm", ERRORS, comparison=Comparison.ABOVE, threshold=1e6, window_s=600))
            store.create_token(NewToken("guest", Scope.READ, hash_token(token), None))
        yield served, token


@pytest.mark.thorough
def test_a_button_says_why_a_reader_may_not_use_it(
    read_token: tuple[Served, str], browser: Browser, faults: list[str]
) -> None:
    served, token = read_token
    with open_page(browser, served.url, faults) as page:
        page.goto("/#/alerts")
        page.get_by_label("Token", exact=True).fill(token)
        page.keyboard.press("Enter")
        button = page.get_by_role("button", name="Silence calm")
        expect(button).to_have_attribute("aria-disabled", "true")
        button.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Your token may only read")
        expect(page.get_by_role("dialog")).to_have_count(0)
