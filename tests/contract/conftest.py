"""One suite for every store. A store joins by being made here; one that nobody offers is skipped, and says so."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.differences import CITUS, DUCKDB, POSTGRESQL, TIMESCALEDB, TIMESCALEDB_DISTRIBUTED, Difference
from puppylog.stores.base import Store
from puppylog.stores.postgres.bootstrap import bootstrap
from support.database_elsewhere import (
    citus_database,
    database_elsewhere,
    timescaledb_distributed_database,
)
from support.embedded import EmbeddedStore
from support.postgres_store import PostgresStoreServer
from support.server import StoreServer


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A server that the tests do not bring along: whoever has one names it in a variable of the environment."""

    title: str
    variable: str
    place: str
    database: Callable[[str], AbstractContextManager[str]]
    is_distributed: bool = False

    @property
    def url(self) -> str | None:
        return os.environ.get(self.variable)

    def get_url(self) -> str:
        if self.url is None:
            pytest.skip(f"NOT TESTED: {self.title}; set {self.variable} to the URL of {self.place}, as a superuser")
        return self.url


# In place of the server that the tests bring along: an older PostgreSQL, or TimescaleDB's Apache edition.
OTHER_POSTGRES = Elsewhere("another PostgreSQL", "PUPPYLOG_TEST_POSTGRESQL", "a server", database_elsewhere)

ELSEWHERE = {
    TIMESCALEDB: Elsewhere("TimescaleDB", "PUPPYLOG_TEST_TIMESCALEDB", "a server", database_elsewhere),
    TIMESCALEDB_DISTRIBUTED: Elsewhere(
        "TimescaleDB on several machines",
        "PUPPYLOG_TEST_TIMESCALEDB_DISTRIBUTED",
        "a database with data nodes",
        timescaledb_distributed_database,
        is_distributed=True,
    ),
    CITUS: Elsewhere(
        "Citus",
        "PUPPYLOG_TEST_CITUS",
        "a database with workers",
        citus_database,
        is_distributed=True,
    ),
}

FLAVOURS = {POSTGRESQL: "plain"}  # the others are called as they are


@pytest.fixture(params=[DUCKDB, POSTGRESQL, *ELSEWHERE])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    name: str = request.param
    with ExitStack() as stack:
        if name == DUCKDB:
            yield stack.enter_context(EmbeddedStore(tmp_path / "store"))
        elif name == POSTGRESQL and OTHER_POSTGRES.url is None:
            url = request.getfixturevalue("postgres_store_url")
            yield stack.enter_context(PostgresStoreServer(name, url, runs_jobs=True))
        else:
            elsewhere = OTHER_POSTGRES if name == POSTGRESQL else ELSEWHERE[name]
            url = stack.enter_context(elsewhere.database(elsewhere.get_url()))
            installed = bootstrap(url, is_distributed=elsewhere.is_distributed)
            assert installed.flavour == FLAVOURS.get(name, name), installed.why  # nothing is tested in another's name
            (jobs,) = (able for able in installed.capabilities if able.name == "jobs in the server")
            yield stack.enter_context(PostgresStoreServer(name, url, runs_jobs=not jobs.is_there))


@pytest.fixture
def store(server: StoreServer) -> Store:
    return server.connect()


@pytest.fixture
def differs(server: StoreServer) -> Callable[[Difference], bool]:
    """Whether this store is one of a difference's."""
    return lambda difference: server.name in difference.stores
