"""One suite for every store. The fixtures here create the stores; `test_stores` says which are not tested, and why."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.differences import DUCKDB, POSTGRESQL, Difference
from contract.elsewhere import ELSEWHERE, OTHER_POSTGRES
from puppylog.stores.base import Store
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.embedded import EmbeddedStore
from support.postgres_store import PostgresStoreServer
from support.server import StoreServer

OFFERED = [name for name, elsewhere in ELSEWHERE.items() if elsewhere.url]
FLAVOURS = {POSTGRESQL: "plain"}  # the flavours whose names differ from the stores' names


@pytest.fixture(params=[DUCKDB, POSTGRESQL, *OFFERED])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    name: str = request.param
    with ExitStack() as stack:
        if name == DUCKDB:
            yield stack.enter_context(EmbeddedStore(tmp_path / "store"))
        elif name == POSTGRESQL and not OTHER_POSTGRES.url:
            url = request.getfixturevalue("postgres_store_url")
            yield stack.enter_context(PostgresStoreServer(name, url, runs_jobs=True))
        else:
            elsewhere = OTHER_POSTGRES if name == POSTGRESQL else ELSEWHERE[name]
            url = stack.enter_context(elsewhere.database(elsewhere.url))
            installed = bootstrap(url, is_distributed=elsewhere.is_distributed)
            assert installed.flavour == FLAVOURS.get(name, name), installed.why  # or the wrong flavour would be tested
            (jobs,) = (able for able in installed.capabilities if able.name == "jobs in the server")
            yield stack.enter_context(PostgresStoreServer(name, url, runs_jobs=not jobs.is_available))


@pytest.fixture
def store(server: StoreServer) -> Store:
    return server.connect()


@pytest.fixture
def differs(server: StoreServer) -> Callable[[Difference], bool]:
    """Return a function that tells whether this store is one of a difference's stores."""
    return lambda difference: server.name in difference.stores
