"""One suite for every store. The fixtures here create the stores; `test_stores` says which are not tested, and why."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from contract import remote
from contract.differences import DUCKDB, POSTGRESQL, REMOTE, Difference
from contract.elsewhere import ELSEWHERE, OTHER_POSTGRES
from puppylog.stores.base import Store
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.embedded import EmbeddedStore
from support.postgres import PostgresServer
from support.postgres_store import PostgresStoreServer
from support.remote_store import RemoteStoreServer
from support.server import StoreServer

OFFERED = [name for name, elsewhere in ELSEWHERE.items() if elsewhere.url]
FLAVOURS = {POSTGRESQL: "plain"}  # the flavours whose names differ from the stores' names


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out most tests of remote stores, unless a variable asks for them. `test_stores` says so."""
    if remote.IS_WHOLE:
        return
    left_out = {item for item in items if _is_remote(item) and item.name.partition("[")[0] not in remote.ALWAYS}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _is_remote(item: pytest.Item) -> bool:
    return (
        isinstance(item, pytest.Function)
        and not {"server", "kept_server"}.isdisjoint(item.fixturenames)
        and any(f"[{name}" in item.name or f"-{name}" in item.name for name in REMOTE)
    )


STORES = [DUCKDB, POSTGRESQL, *REMOTE, *OFFERED]


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    with open_server(request, tmp_path) as server:
        yield server


@pytest.fixture(scope="module", params=STORES)
def kept_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    """The store of several tests of a module, none of which changes what another one finds in it."""
    with open_server(request, tmp_path_factory.mktemp("kept")) as server:
        yield server


@contextmanager
def open_server(request: pytest.FixtureRequest, directory: Path) -> Iterator[StoreServer]:
    """Open the store that is named by the parameter of the request, with its files in a directory."""
    name: str = request.param
    with ExitStack() as stack:
        if name in REMOTE:
            backing = _open_backing(REMOTE[name], request, directory, stack)
            stack.enter_context(backing)
            yield stack.enter_context(RemoteStoreServer(name, backing))
        elif name == DUCKDB:
            yield stack.enter_context(EmbeddedStore(directory / "store"))
        elif name == POSTGRESQL and not OTHER_POSTGRES.url:
            url = _create_database(request, stack)
            yield stack.enter_context(PostgresStoreServer(name, url, runs_jobs=True))
        else:
            elsewhere = OTHER_POSTGRES if name == POSTGRESQL else ELSEWHERE[name]
            url = stack.enter_context(elsewhere.database(elsewhere.url))
            installed = bootstrap(url, is_distributed=elsewhere.is_distributed)
            assert installed.flavour == FLAVOURS.get(name, name), installed.why  # or the wrong flavour would be tested
            (jobs,) = (able for able in installed.capabilities if able.name == "jobs in the server")
            yield stack.enter_context(PostgresStoreServer(name, url, runs_jobs=not jobs.is_available))


def _open_backing(
    name: str, request: pytest.FixtureRequest, directory: Path, stack: ExitStack
) -> EmbeddedStore | PostgresStoreServer:
    if name == DUCKDB:
        return EmbeddedStore(directory / "store")
    return PostgresStoreServer(name, _create_database(request, stack), runs_jobs=True)


def _create_database(request: pytest.FixtureRequest, stack: ExitStack) -> str:
    """Return the URL of a database with Puppylog's schema, which is dropped at the end of the stack."""
    shared: PostgresServer = request.getfixturevalue("shared_postgres")
    template: str = request.getfixturevalue("postgres_template")
    return shared.url(stack.enter_context(shared.database(template=template)))


@pytest.fixture
def store(server: StoreServer) -> Store:
    return server.connect()


@pytest.fixture(scope="module")
def kept_store(kept_server: StoreServer) -> Store:
    return kept_server.connect()


@pytest.fixture
def differs(server: StoreServer) -> Callable[[Difference], bool]:
    """Return a function that tells whether this store is one of a difference's stores."""
    return lambda difference: server.name in difference.stores
