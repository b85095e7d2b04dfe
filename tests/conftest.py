"""Servers that many tests share, each started when a test asks for it, and the profile of all property tests."""

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.compiled_modules import compile_share
from support.examples import IS_SOAK, USUAL, USUAL_SOAK, examples
from support.postgres import PostgresServer
from support.sampling import OPTION, skip_half
from support.warm_commands import starting_commands_warm
from support.warm_engines import starting_engines_warm

# No property becomes untrue on a busy machine: neither an example nor the drawing of one has a deadline. `make test`
# draws the same examples each time, so that a change that fails it has a fault; `make soak` searches for new ones.
settings.register_profile(
    "puppylog",
    deadline=None,
    derandomize=not IS_SOAK,
    max_examples=examples(USUAL, soak=USUAL_SOAK),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("puppylog")

# Commands show and read times in the zone of the machine. Tests expect the same times on every machine.
os.environ["TZ"] = "UTC"
time.tzset()

# The tests start hundreds of processes, each of which imports Puppylog. Compile each module once, as for an installed
# program, even where an environment variable says to write no compiled modules: they are outside the source folders.
sys.dont_write_bytecode = False
sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "compiled")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

# A shell starts a job in the background with SIGINT ignored. Commands that tests start would inherit that, and no test
# could interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="of costly cases run half, chosen by the seed; see sampling.py")


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        compile_share(config, int(worker["workerid"].removeprefix("gw")), int(worker["workercount"]))
    config.addinivalue_line(
        "markers", "long: takes many seconds; it runs first, so that it does not run alone at the end"
    )
    config.addinivalue_line(
        "markers",
        "thorough: runs in `make soak`, so that `make test` takes less than 6 minutes; others test the same part",
    )
    config.addinivalue_line(
        "markers", "sampled: costly in all cases, of which each `make test` tests another half; see sampling.py"
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect no garbage while the tests are collected, and leave them and the modules out of later collections.

    Tests and modules stay until the end, and each collection of garbage would look at all of them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)  # after the tests were put into random order
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give one process the tests in a browser first, and the others the long tests.

    Long tests mostly wait, and tests in a browser mostly compute, so they run well at the same time. Each process that
    tests in a browser starts one, and stores with the log that the page shows, which takes 10 s of CPU time.

    pytest-xdist gives each process a contiguous part of the list. A process takes others' tests only from their ends.
    """
    if not IS_SOAK:
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason="NOT TESTED: too much for every run; `make soak` tests it"))
    if config.getoption(OPTION):
        skip_half(items, config.getoption("randomly_seed", 0))
    processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
    browsers = 1
    waiting = max(1, processes - browsers)
    in_browser = [item for item in items if "chromium" in getattr(item, "fixturenames", ())]
    first = set(in_browser)
    long = [item for item in items if item.get_closest_marker("long") and item not in first]
    first.update(long)
    short = iter([item for item in items if item not in first])
    ordered: list[pytest.Item] = []
    for process in range(processes):
        own = long[processes - 1 - process :: waiting] if process >= processes - waiting else []
        if process < browsers:
            share = -(-len(in_browser) // browsers)
            own += in_browser[process * share : (process + 1) * share]
        size = (len(items) - len(ordered)) // (processes - process)
        ordered += [*own, *islice(short, max(0, size - len(own)))]
    items[:] = [*ordered, *short]


@pytest.fixture(scope="session", autouse=True)
def _engines_and_commands_start_warm() -> Iterator[None]:
    with starting_engines_warm() as engines, starting_commands_warm(engines):
        yield


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """One server for all tests. A test that breaks its server starts one of its own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(shared_postgres: PostgresServer) -> Iterator[str]:
    """An empty database of the test's own."""
    with shared_postgres.database() as name:
        yield shared_postgres.url(name)


@pytest.fixture(scope="session")
def postgres_template(shared_postgres: PostgresServer) -> str:
    """The name of a database with Puppylog's schema; no test connects to it."""
    name = shared_postgres.create_database()
    bootstrap(shared_postgres.url(name))
    return name


@pytest.fixture
def postgres_store_url(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """An empty store of the test's own. No process runs its jobs."""
    with shared_postgres.database(template=postgres_template) as name:
        yield shared_postgres.url(name)
