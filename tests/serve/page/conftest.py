"""A browser with the page of a served store that has a known log.

The browser, the stores with the known log and their pages serve all modules of a process. A module that needs more than
the known log has a fixture ``served`` of its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from puppylog.monitor.budget import Budget
from support.chromium import Chromium
from support.page import ReusedPage, store_known_log
from support.served import Served

_CHROMIUM = shutil.which("chromium")
_MIN_BUDGET_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def _no_search_ends_early() -> Iterator[None]:
    """Give each search of the page a minute.

    The page allows 0.6 s, which a busy machine needs for the few lines of these tests, too. Tests of searches that end
    early answer the page's requests themselves.
    """

    def begin(budget: Budget) -> None:
        budget._ends = budget.clock() + max(budget.seconds, _MIN_BUDGET_S)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Budget, "__post_init__", begin)
        yield


@pytest.fixture(scope="session")
def kept_pages() -> dict[str, ReusedPage | None]:
    """The page of each server that serves several modules, by the server's URL; None: no module has opened it yet."""
    return {}


@pytest.fixture(scope="session")
def known_log(tmp_path_factory: pytest.TempPathFactory, kept_pages: dict[str, ReusedPage | None]) -> Iterator[Served]:
    """A served embedded store with the known log of `support.page`."""
    with Served(tmp_path_factory.mktemp("page")) as served:
        store_known_log(served)
        kept_pages[served.url] = None
        yield served


@pytest.fixture(scope="session")
def growing_log(tmp_path_factory: pytest.TempPathFactory, kept_pages: dict[str, ReusedPage | None]) -> Iterator[Served]:
    """A served embedded store with the known log, to which tests add lines. Each finds its own by their words."""
    with Served(tmp_path_factory.mktemp("growing")) as served:
        store_known_log(served)
        kept_pages[served.url] = None
        yield served


@pytest.fixture(scope="module")
def served(known_log: Served) -> Served:
    """The server whose page the tests of the module see."""
    return known_log


@pytest.fixture(scope="session")
def chromium(kept_pages: dict[str, ReusedPage | None]) -> Iterator[Chromium]:
    if _CHROMIUM is None:
        pytest.skip("THE PAGE IS NOT TESTED: Debian's package chromium is not installed")
    with Chromium(Path(_CHROMIUM)) as chromium:
        yield chromium
        with chromium.in_use():
            for page in kept_pages.values():
                if page is not None:
                    page.close()


@pytest.fixture(scope="module")
def browser(chromium: Chromium) -> Iterator[Browser]:
    with chromium.in_use() as browser:
        yield browser


@pytest.fixture(scope="module")
def reused_page(served: Served, browser: Browser, kept_pages: dict[str, ReusedPage | None]) -> Iterator[ReusedPage]:
    """The page that the tests of the module use one after the other."""
    reused = kept_pages.get(served.url) or ReusedPage(browser, served.url)
    yield reused
    if served.url in kept_pages:
        kept_pages[served.url] = reused
    else:
        reused.close()


@pytest.fixture
def faults(reused_page: ReusedPage) -> list[str]:
    """What the browser complains about since the test began. A test that expects a complaint removes it."""
    reused_page.faults.clear()  # an earlier test may have left some: for example, one that logs in
    return reused_page.faults


@pytest.fixture
def page(reused_page: ReusedPage, faults: list[str]) -> Iterator[Page]:
    """A page that shows nothing yet: 1280 x 800, in UTC. The test fails if `faults` has anything at its end.

    A test loads the view that it is about. To load another one first costs 0.4 s of CPU time.
    """
    yield reused_page.open()
    found = list(faults)
    reused_page.rest()
    assert found == []
