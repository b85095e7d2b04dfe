from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore
from support.postgres_store import PostgresStoreServer
from support.server import StoreServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "store") as server:
        yield server


@pytest.fixture(params=["duckdb", "postgresql"])
def each_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    """The embedded store, and PostgreSQL without jobs of its own: the test runs on both."""
    with ExitStack() as stack:
        if request.param == "duckdb":
            yield stack.enter_context(EmbeddedStore(tmp_path / "store"))
        else:
            url = request.getfixturevalue("postgres_store_url")
            yield stack.enter_context(PostgresStoreServer("postgresql", url, runs_jobs=False))


@pytest.fixture
def puppylog(server: EmbeddedStore, tmp_path: Path) -> Puppylog:
    home = tmp_path / "home"
    home.mkdir()
    return Puppylog(server.url, home)


@pytest.fixture
def puppylog_at(tmp_path: Path) -> Callable[[str], Puppylog]:
    """Return a function that runs commands against the store at a URL."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return lambda url: Puppylog(url, home)
