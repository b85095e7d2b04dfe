"""Upgrades of an older schema: the store is refused until bootstrap has run, and then equals a fresh store."""

from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import psycopg
import pytest

from puppylog.cli.main import run
from puppylog.errors import PuppylogError
from puppylog.stores.postgres.schema import bootstrap as bootstrap_module
from puppylog.stores.postgres.schema import migrations as schema
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.store import PostgresStore
from support.inprocess import InProcess
from support.installation import Installation, read_installation
from support.lines import Source, open_stream, records
from support.old_schema import make_version_1
from support.postgres import PostgresServer
from support.refusals import assert_refused

_files: Final = schema._files
GOOD = """CREATE TABLE puppylog.notes (
    note text NOT NULL
);
ALTER TABLE puppylog.log_streams ADD COLUMN note text;
"""


class Future:
    """A Puppylog with one more migration than this one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self._folder = folder
        self.version = schema.SCHEMA_VERSION + 1

    def begin(self, migration: str) -> None:
        file = self._folder / f"{self.version:03d}_future.sql"
        file.write_text(migration, encoding="utf-8")

        def files(name: str) -> list[Traversable]:
            return [*_files(name), file] if name == "schema" else _files(name)

        self._monkeypatch.setattr(schema, "_files", files)
        self._monkeypatch.setattr(schema, "SCHEMA_VERSION", self.version)
        self._monkeypatch.setattr(bootstrap_module, "SCHEMA_VERSION", self.version)


@pytest.fixture
def future(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Future:
    return Future(monkeypatch, tmp_path)


@pytest.fixture
def old_url(postgres_store_url: str) -> str:
    """A store of the current version with records."""
    with PostgresStore(postgres_store_url) as store:
        Source(store).append(records(3))
    return postgres_store_url


@pytest.fixture
def version_1(shared_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with shared_postgres.database() as name:
        make_version_1(shared_postgres.url(name), monkeypatch)
        yield shared_postgres.url(name)


@pytest.fixture
def puppylog(capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(capsys)


def test_an_older_schema_is_refused_until_bootstrap_has_upgraded_it(
    old_url: str, future: Future, puppylog: InProcess
) -> None:
    old = future.version - 1
    future.begin(GOOD)
    for arguments in (("monitor", "metrics", "list"), ("collector", "-s", "/dev/null"), ("sql", "SELECT 1")):
        refusal = f"its schema is version {old}, this Puppylog needs {future.version}; run 'puppylog bootstrap'"
        assert_refused(puppylog(*arguments, "--store", old_url), 78, refusal)
    ran = puppylog("bootstrap", "--store", old_url, "-o", "csv")
    assert ran.code == 0, ran
    assert f"schema,{future.version},upgraded from {old}" in ran.out
    with PostgresStore(old_url) as store:
        assert store.info.schema_version == future.version
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"].to_pylist() == [3]
        (file,) = open_stream(store, "file:///var/log/test.log").files
        assert file.byte_offset == 300


def test_a_store_of_version_1_is_refused_until_bootstrap_has_upgraded_it(version_1: str, puppylog: InProcess) -> None:
    refusal = f"its schema is version 1, this Puppylog needs {schema.SCHEMA_VERSION}; run 'puppylog bootstrap'"
    assert_refused(puppylog("collector", "-s", "/dev/null", "--store", version_1), 78, refusal)
    assert puppylog("bootstrap", "--store", version_1).code == 0
    assert puppylog("collector", "status", "--store", version_1).code == 0


def test_a_store_of_version_1_becomes_the_same_as_a_fresh_one(version_1: str, postgres_store_url: str) -> None:
    bootstrap(version_1)
    assert read_installation(version_1) == read_installation(postgres_store_url)


def test_an_upgraded_schema_is_the_same_as_a_fresh_one(
    shared_postgres: PostgresServer, postgres_store_url: str, future: Future
) -> None:
    future.begin(GOOD)
    bootstrap(postgres_store_url)
    with shared_postgres.database() as name:
        bootstrap(shared_postgres.url(name))
        assert read_installation(postgres_store_url) == read_installation(shared_postgres.url(name))


def test_an_installation_of_before_midnight_is_the_same_as_one_of_after_it_if_nothing_else_differs() -> None:
    def install(*days: str, column: str = "ts") -> Installation:
        return Installation({"columns": [("log_streams", column), *((f"log_records_{day}", column) for day in days)]})

    before = install("20261127", "20261128")
    assert before == install("20261128", "20261129")
    assert before != install("20261128", "20261129", column="at")
    assert before != install("20261201")


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(
    old_url: str, future: Future, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_installation(old_url)
    with monkeypatch.context() as patched:
        Future(patched, future._folder).begin(GOOD + "SELECT nothing_of_that_name();\n")
        with pytest.raises(PuppylogError, match="nothing_of_that_name"):
            bootstrap(old_url)
    assert read_installation(old_url) == before
    with PostgresStore(old_url) as store:
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"].to_pylist() == [3]


def test_the_version_before_refuses_the_newer_store(
    old_url: str, future: Future, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        Future(patched, future._folder).begin(GOOD)
        bootstrap(old_url)
    assert run(["monitor", "metrics", "list", "--store", old_url]) == 78
    assert run(["bootstrap", "--store", old_url]) == 78


def test_metrics_of_an_older_store_get_their_query_of_sample_records(version_1: str) -> None:
    with psycopg.connect(version_1) as owner:
        owner.execute(
            "INSERT INTO puppylog.metrics "
            "(id, name, statistic, property, period_s, filter, refresh_s, kind, query, created_at) "
            "VALUES (90, 'failures', 'count', '*', 5, 'status_code >= 500', 10, 'rollup', '', now()), "
            "(91, 'by_hand', 'count', '*', 5, 'no expression (', 10, 'rollup', '', now())"
        )
    bootstrap(version_1)
    with psycopg.connect(version_1) as owner:
        found: dict[str, str | None] = dict(owner.execute("SELECT name, samples FROM puppylog.metrics").fetchall())
    assert "status_code >= 500" in str(found["failures"]).replace('"', "")
    assert found["by_hand"] is None
