"""Servers that many tests share. One that nobody asks for is not started."""

from collections.abc import Iterator

import pytest

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.postgres import PostgresServer


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """One server for all tests; whoever breaks it makes one of his own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(shared_postgres: PostgresServer) -> Iterator[str]:
    """An empty database of the test's own."""
    with shared_postgres.database() as name:
        yield shared_postgres.url(name)


@pytest.fixture(scope="session")
def postgres_template(shared_postgres: PostgresServer) -> str:
    """The name of a database with Puppylog's schema; nobody connects to it."""
    name = shared_postgres.create_database()
    bootstrap(shared_postgres.url(name))
    return name


@pytest.fixture
def postgres_store_url(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """An empty store of the test's own. Nobody runs its jobs."""
    with shared_postgres.database(template=postgres_template) as name:
        yield shared_postgres.url(name)
