from collections.abc import Iterator

import pytest

from support.alert_tables import Connection, clear, connect
from support.postgres import PostgresServer


@pytest.fixture(scope="module")
def url(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The URL of a store that the tests of one module share."""
    with shared_postgres.database(template=postgres_template) as name:
        yield shared_postgres.url(name)


@pytest.fixture
def store(url: str) -> Iterator[Connection]:
    """A connection to the store of the module, without any metric or alert."""
    with connect(url) as connection:
        clear(connection)
        yield connection
