"""A browser with the page of a served store that has a known log.

Chromium is Debian's. It runs in a fixture of the module: playwright keeps an event loop in the thread as long as it
runs, and other tests start loops there.
"""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support.page import ReusedPage, store_known_log
from support.served import Served

_CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A served embedded store with the known log of `support.page`."""
    with Served(tmp_path_factory.mktemp("page")) as served:
        store_known_log(served)
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("THE PAGE IS NOT TESTED: Debian's package chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reused_page(served: Served, browser: Browser) -> Iterator[ReusedPage]:
    """The page that the tests of the module use one after the other."""
    reused = ReusedPage(browser, served.url)
    yield reused
    reused.close()


@pytest.fixture
def faults(reused_page: ReusedPage) -> list[str]:
    """What the browser complains about. A test that expects a complaint removes it."""
    return reused_page.faults


@pytest.fixture
def page(reused_page: ReusedPage) -> Iterator[Page]:
    """The page at ``/``: 1280 x 800, in UTC. The test fails if `faults` has anything at its end."""
    yield reused_page.load()
    assert reused_page.faults == []
