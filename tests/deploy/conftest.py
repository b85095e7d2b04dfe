"""Filled stores as Grafana sees them. The options of the contract suite name servers that the tests do not start."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from deploy.filling import fill, note_error
from deploy.reader import Reader, create_login, drop_roles, find_missing_roles
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.database_elsewhere import citus_database, database_elsewhere
from support.postgres import PostgresServer
from support.postgres_store import PostgresStoreServer

PLAIN = "plain"
ELSEWHERE: dict[str, tuple[str, Callable[[str], AbstractContextManager[str]]]] = {
    "timescaledb": ("PUPPYLOG_TEST_TIMESCALEDB", database_elsewhere),
    "citus": ("PUPPYLOG_TEST_CITUS", citus_database),
}


@pytest.fixture(scope="module", params=[PLAIN, *ELSEWHERE])
def reader(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """One store for all tests of a module, which only read it. Its jobs run during the tests."""
    flavour: str = request.param
    with ExitStack() as stack:
        url = stack.enter_context(_database(flavour, request))
        login = f"grafana_{secrets.token_hex(6)}"
        stack.callback(drop_roles, url, [login, *find_missing_roles(url)])
        installed = bootstrap(url, is_distributed=flavour == "citus", with_roles=True)
        assert installed.flavour == flavour, installed.why  # never test another flavour than the named one
        (jobs,) = (able for able in installed.capabilities if able.name == "jobs in the server")
        server = stack.enter_context(PostgresStoreServer(flavour, url, runs_jobs=not jobs.is_available))
        filled_at = datetime.now(UTC)
        fill(server.connect(), filled_at)
        note_error(url)
        connection = stack.enter_context(psycopg.connect(create_login(url, login), autocommit=True))
        yield Reader(flavour, connection, filled_at)


@contextmanager
def _database(flavour: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new database, as a superuser."""
    if flavour == PLAIN:
        server: PostgresServer = request.getfixturevalue("shared_postgres")
        with server.database(template=request.getfixturevalue("postgres_template")) as name:
            yield server.url(name)
        return
    variable, database = ELSEWHERE[flavour]
    if variable not in os.environ:
        pytest.skip(f"NOT TESTED: the dashboards on {flavour}; set {variable} as for the contract suite")
    with database(os.environ[variable]) as url:
        yield url
