"""Servers that many tests share, each started when a test asks for it, and the profile of all property tests."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.examples import IS_SOAK, USUAL, examples
from support.postgres import PostgresServer

# No property becomes untrue on a busy machine: neither an example nor the drawing of one has a deadline. `make test`
# draws the same examples each time, so that a change that fails it has a fault; `make soak` searches for new ones.
settings.register_profile(
    "puppylog",
    deadline=None,
    derandomize=not IS_SOAK,
    max_examples=examples(USUAL),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("puppylog")

# Commands show and read times in the zone of the machine. Tests expect the same times on every machine.
os.environ["TZ"] = "UTC"
time.tzset()

# A shell starts a job in the background with SIGINT ignored. Commands that tests start would inherit that, and no test
# could interrupt them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
