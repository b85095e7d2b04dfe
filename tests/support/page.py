"""The page in a browser, for tests: what it shows, and what a browser complains about.

The log is the same in all tests, but its times: the newest record is a few seconds old when the module starts.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, ViewportSize, expect
from playwright.sync_api import Error as BrowserError

from support.served import Served

SHOP_LINES = 240
"""Lines of the source ``shop``: an access log, one request each 15 s, of which each tenth fails with 503."""

APP_RECORDS = 60
"""Records of the source ``app``: JSON lines of a program, one each minute, of which each sixth is an error."""

REJECTED = 3
"""Rejected lines of the source ``shop``."""

_ROUTES = ("/", "/products", "/products/7", "/cart", "/checkout")
_DEADLINE_MS = 15_000
_VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
expect.set_options(timeout=_DEADLINE_MS)  # the page asks each 5 s whether the server answers


def make_access_log(now: datetime) -> bytes:
    """Return an access log in the combined format, oldest line first, with lines among it that do not fit it."""
    lines = []
    for number in range(SHOP_LINES):
        at = now - timedelta(seconds=15 * (SHOP_LINES - number))
        route, status = _ROUTES[number % 5], 503 if number % 10 == 3 else 200
        lines.append(
            f'10.0.0.{number % 7} - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "GET {route} HTTP/1.1" {status} '
            f'{100 + number} "-" "curl/8.5"'
        )
    lines[20:20] = ["this line is no request"]
    lines[90:90] = ["nor is this line", "another line without a status"]
    return "\n".join(lines).encode() + b"\n"


def make_app_log(now: datetime) -> bytes:
    """Return JSON lines of a program, with attributes, oldest first."""
    lines = []
    for number in range(APP_RECORDS):
        at = now - timedelta(seconds=60 * (APP_RECORDS - number) - 5)
        is_error = number % 6 == 4
        lines.append(
            {
                "timestamp": at.isoformat(),
                "level": "error" if is_error else "info",
                "message": f"payment {number} {'failed: timeout after 30 s' if is_error else 'accepted'}",
                "duration_ms": 30_000 if is_error else 12 + number,
                "customer": {"id": number % 4, "country": ("DE", "FR")[number % 2]},
            }
        )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def store_known_log(served: Served) -> None:
    """Store the log."""
    now = datetime.now(UTC).replace(microsecond=0)
    for source, format_, body in (
        ("shop", "combined", make_access_log(now)),
        ("app", "json", make_app_log(now)),
    ):
        answer = served.send("POST", f"/api/v1/lines?source={source}&group={source}&format={format_}", body)
        assert answer.status == 200, answer.text


@contextmanager
def open_page(browser: Browser, url: str, faults: list[str], **settings: Any) -> Iterator[Page]:
    """Open a page in a context of its own: 1280 x 800 in UTC. Nothing is loaded yet.

    Args:
        browser: runs.
        url: of the server; the page may send requests nowhere else.
        faults: gets what is wrong: errors in the console, among them violations of the policy, exceptions, dialogs, and
            requests elsewhere.
        settings: more of playwright's ``new_context``.
    """
    usual: dict[str, Any] = {
        "viewport": _VIEWPORT,
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
    }
    context = browser.new_context(base_url=url, **{**usual, **settings})
    try:
        page = context.new_page()
        page.set_default_timeout(_DEADLINE_MS)
        watch(page, url, faults)
        yield page
    finally:
        context.close()


_FORGET = """
() => {
  localStorage.clear();
  sessionStorage.clear();
  return /native code/.test(Date);
}
"""


class ReusedPage:
    """A page in a browser that tests use one after the other.

    A new context costs 2 s of CPU time: its own process starts, and compiles all modules. A load in a page that has
    loaded them before costs less than half of that.

    Attributes:
        faults: what is wrong, as for `open_page`, since the page was opened for the test that runs.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        """Prepare. The page is opened when a test asks for it.

        Args:
            browser: runs.
            url: of the server.
        """
        self.faults: list[str] = []
        self._browser = browser
        self._url = url
        self._open = ExitStack()
        self._page: Page | None = None

    def open(self) -> Page:
        """Return the page as in a new context: it shows nothing yet. What it shows first is for the test to load."""
        if self._page is None:
            self._page = self._open.enter_context(open_page(self._browser, self._url, self.faults))
        self.faults.clear()
        return self._page

    def rest(self) -> None:
        """Show nothing, so that the page asks the server for nothing until the next test loads it."""
        if self._page is not None and _forget(self._page):
            self._page.goto("about:blank")
        else:
            self.close()

    def close(self) -> None:
        """Close the page, if it is open, with its context."""
        self._page = None
        self._open.close()


def _forget(page: Page) -> bool:
    """Undo what a test has set and stored; tell whether that was possible.

    Neither a clock of the test nor a script that runs before those of the page can be removed. A test with a clock has
    replaced ``Date``; the script, the storage.
    """
    try:
        if not page.evaluate(_FORGET):
            return False
    except BrowserError:
        return False
    page.unroute_all(behavior="ignoreErrors")
    page.context.clear_cookies()
    page.context.clear_permissions()
    page.set_viewport_size(_VIEWPORT)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.mouse.up()
    page.mouse.move(0, 0)
    return True


def watch(page: Page, url: str, faults: list[str]) -> None:
    """Add to ``faults`` what a browser complains about."""

    def note_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            faults.append(f"console: {message.text}")

    def note_dialog(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def note_request(request: Request) -> None:
        if not request.url.startswith((url + "/", "data:", "blob:")):
            faults.append(f"request elsewhere: {request.url}")

    page.on("console", note_console)
    page.on("pageerror", lambda error: faults.append(f"exception: {error.message}"))
    page.on("dialog", note_dialog)
    page.on("request", note_request)


def ask_for_status(page: Page) -> None:
    """Let the page ask now, as it does each 5 s and when it is seen again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def find_violations(page: Page, **options: Any) -> list[str]:
    """Return what axe finds on the page as it is: what keeps people with disabilities from using it.

    Args:
        page: in a browser.
        options: of ``axe.run``.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = page.evaluate(
        "(options) => axe.run(options).then((found) => found.violations)", {"resultTypes": ["violations"], **options}
    )
    return [f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}" for one in found for node in one["nodes"]]
