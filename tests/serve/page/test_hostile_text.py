"""Text of logs is hostile. Here every text that the page can show has markup and scripts, and nothing of it may run.

A first test stores such text through the server's receivers and in definitions. A second one changes every text of the
server's answers, so that no field is left out: also those that a store would refuse to hold.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route
from playwright.sync_api import Error as BrowserError

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.model.silence import Silence
from support.examples import IS_SOAK
from support.page import open_page
from support.served import Served

MARKUP = (
    "\"'><img src=x onerror=\"window.hit=1;alert('img')\"><script>window.hit=2;alert('script')</script>"
    '<svg onload="alert(\'svg\')"><iframe src="//elsewhere.example/frame"></iframe>'
    "<a href=\"javascript:alert('a')\">a</a><style>*{background:url(//elsewhere.example/css)}</style>"
    "</textarea></title>{{7*7}}${alert('template')}"
)
ATTACK = f"{MARKUP}\x1b[31m\u202egnirts\u2066"
SHORT_ATTACK = "<img src=x onerror=alert(1)>"
MAX_PRESSED = 12 if IS_SOAK else 4  # of each view
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")

# `make test` shows no view whose elements all are in another one: the marked lines are those of a search for a word.
_MORE_VIEWS = ("/#/search?since=all",) if IS_SOAK else ()
VIEWS = (
    *_MORE_VIEWS,
    "/#/search?since=all&form=table",
    "/#/search?since=all&q=img",
    "/#/patterns?since=all",
    "/#/metrics?since=all",
    "/#/metrics/attacked?since=all",
    "/#/alerts",
    "/#/alerts/attacked",
    "/#/streams",
    "/#/rejects?since=all&q=img",
    "/#/sql?run=1&sql=SELECT%20*%20FROM%20log_records",
)

# What parsed markup would have made: elements that the page has none of, attributes with scripts, other addresses.
INTRUDERS = """
() => {
  const all = [...document.querySelectorAll("*")];
  const named = "img, iframe, object, embed, style, base, form[action], body script, video, audio";
  const isElsewhere = (address) => address !== null && !/^(#|page\\/|api\\/v1\\/|blob:)/.test(address);
  return all
    .filter((one) => one.matches(named) || one.getAttributeNames().some((name) => name.startsWith("on"))
      || isElsewhere(one.getAttribute("href")))
    .map((one) => one.outerHTML.slice(0, 200)).concat(window.hit ? ["a script ran"] : []);
}
"""
OPENERS = ", ".join(
    f"main {one}"
    for one in ("[aria-expanded=false]", "[aria-haspopup]", "tr[tabindex]", "[role=row]", "[role=listitem]", "summary")
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("hostile")) as served:
        store_attacks(served)
        yield served


def store_attacks(served: Served) -> None:
    """Store hostile text in all fields of records, in rejected lines, names of sources, and definitions."""
    now = datetime.now(UTC)
    escaped = ATTACK.replace("\\", "\\\\").replace('"', '\\"')
    word = SHORT_ATTACK.replace(" ", "/")
    request = f'{word} {word} {word} [{now:%d/%b/%Y:%H:%M:%S +0000}] "GET /{word}?{escaped} HTTP/1.1" 200 5'
    access = [f'{request} "{escaped}" "{escaped}"', f"rejected {ATTACK}"]
    objects = [
        {"timestamp": now.isoformat(), "level": level, "message": ATTACK, ATTACK: ATTACK, "a": {SHORT_ATTACK: [ATTACK]}}
        for level in ("error", SHORT_ATTACK)
    ]
    bodies = {"combined": "\n".join(access), "json": "\n".join(map(json.dumps, objects))}
    for format_, body in bodies.items():
        source = f"%3Cimg%20src=x%20onerror=alert(1)%3E{format_}"
        path = f"/api/v1/lines?source={source}&format={format_}"
        assert served.send("POST", path, body.encode() + b"\n").status == 200
    with served.own.connect() as store:
        store.create_metric(Metric("attacked", "count", "*", 60, segment="message", refresh_s=1))
        store.create_alert(
            Alert(
                "attacked", "attacked", "max", Comparison.ABOVE, 0, 60, 60, 0, 0, 2, each_segment=True,
                no_data=NoData.ZERO, summary=MARKUP,
            )
        )  # fmt: skip
        end = now + timedelta(hours=1)
        store.set_silence(Silence("attacked", "attacked", "*", now, end, author=MARKUP, comment=MARKUP))


def show_all(page: Page, url: str) -> dict[str, list[str]]:
    """Show all views, open what can be opened in them, and return what should not be on the page."""
    found = {}
    for address in VIEWS:
        page.goto(url + address)
        page.locator("main h1").first.wait_for(state="attached")
        page.wait_for_load_state("networkidle")
        open_all(page)
        found[address] = page.evaluate(INTRUDERS)
        if page.locator("dialog[open]").count():
            page.keyboard.press("Escape")
    return {address: intruders for address, intruders in found.items() if intruders}


def open_all(page: Page) -> None:
    """Press the controls that show more: rows, menus, details. They may vanish while the page draws again."""
    for box in page.locator("main [role=combobox]").all():
        box.fill("source:")  # the box proposes the names of sources
        page.get_by_role("option").first.wait_for()
    for control in page.locator(OPENERS).all()[:MAX_PRESSED]:
        try:
            control.click(timeout=200, no_wait_after=True)
        except BrowserError:
            continue
        if page.get_by_role("menu").count():
            page.keyboard.press("Escape")


def make_hostile(value: Any, key: str = "") -> Any:
    """Return a part of an answer with an attack behind each text, but instants and the mark of the next page."""
    if isinstance(value, dict):
        changed = {name: make_hostile(one, name) for name, one in value.items()}
        return {**changed, SHORT_ATTACK: ATTACK} if key == "attributes" else changed
    if isinstance(value, list):
        return [make_hostile(one, key) for one in value]
    if not isinstance(value, str) or key == "cursor" or _INSTANT.match(value):
        return value
    return value + ATTACK


def answer_hostile(route: Route) -> None:
    """Send a request to the server, and answer it with hostile text in each text of the server's answer."""
    if "/tail" in route.request.url or route.request.url.endswith("/session"):
        route.continue_()
        return
    response = route.fetch()
    if "application/json" not in response.headers.get("content-type", ""):
        route.fulfill(response=response)
        return
    route.fulfill(response=response, json=make_hostile(response.json()))


@pytest.mark.thorough
@pytest.mark.long
def test_hostile_text_in_the_store_runs_nothing_and_asks_nobody_else(served: Served, browser: Browser) -> None:
    faults: list[str] = []
    with open_page(browser, served.url, faults) as page:
        assert show_all(page, served.url) == {}
    assert [fault for fault in faults if "Failed to load resource" not in fault] == []


@pytest.mark.long
def test_hostile_text_in_every_text_of_every_answer_runs_nothing(served: Served, browser: Browser) -> None:
    faults: list[str] = []
    with open_page(browser, served.url, faults) as page:
        page.route("**/api/v1/**", answer_hostile)
        assert show_all(page, served.url) == {}
        page.unroute_all(behavior="ignoreErrors")
    assert [fault for fault in faults if "Failed to load resource" not in fault] == []


def test_these_tests_would_see_markup_that_a_browser_parses(served: Served, browser: Browser) -> None:
    faults: list[str] = []
    with open_page(browser, served.url, faults) as page:
        page.goto("/#/streams")
        page.locator("main h1").first.wait_for(state="attached")
        page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        page.evaluate("try { document.querySelector('main').innerHTML = '<i></i>' } catch { /* by the policy */ }")
        page.evaluate("document.body.append(Object.assign(document.createElement('a'), {href: 'javascript:alert(1)'}))")
        page.locator("body > a").last.dispatch_event("click")
        assert len(page.evaluate(INTRUDERS)) == 2
    assert any("TrustedHTML" in fault for fault in faults)
    assert any("javascript:" in fault or "inline" in fault for fault in faults)
