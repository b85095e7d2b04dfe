"""SQL means the same in every session, whatever the settings of the server, the database or the role are."""

import re
from importlib import resources

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from puppylog.model.metric import Metric
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.lines import Source, records

# With backslashes that escape, the literal goes on to the next quote, and the rest becomes part of the query.
ESCAPES = r"concat('\', ') is not null)) and 1 = (select 1 from pg_authid limit 1) --') = 'q'"
ENDS_IN_BACKSLASH = r"message = 'C:\' or message = 'D:\'"


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


@pytest.fixture
def lax_url(postgres_store_url: str) -> str:
    """A store in a database where a backslash escapes what comes after it, and ``= NULL`` means ``IS NULL``."""
    database = conninfo_to_dict(postgres_store_url)["dbname"]
    for setting in ("standard_conforming_strings = off", "transform_null_equals = on"):
        run(postgres_store_url, f"ALTER DATABASE {database} SET {setting}")
    return postgres_store_url


def test_a_backslash_does_not_escape_and_equals_null_is_null(lax_url: str) -> None:
    with Session(lax_url) as session:
        assert session.value(r"SELECT '\'") == "\\"
        assert session.value("SELECT count(*) FROM (VALUES (CAST(NULL AS int))) AS v (x) WHERE x = NULL") == 0


def test_the_url_does_not_make_a_backslash_escape(postgres_store_url: str) -> None:
    joint = "&" if "?" in postgres_store_url else "?"
    with Session(f"{postgres_store_url}{joint}options=-c%20standard_conforming_strings%3Doff") as session:
        assert session.value(r"SELECT '\'") == "\\"


def test_an_expression_with_backslashes_stays_within_its_part_of_a_query(lax_url: str) -> None:
    with PostgresStore(lax_url) as store:
        Source(store).append(records(3))
        with store.stream_query(f"SELECT count(*) AS n FROM puppylog.log_records WHERE ({ESCAPES})") as batches:
            assert [batch.to_pylist() for batch in batches] == [[{"n": 0}]]


def test_a_metric_is_refreshed_as_defined_in_a_session_with_other_settings(lax_url: str) -> None:
    with PostgresStore(lax_url) as store:
        store.create_metric(Metric("paths", "count", "*", 60, filter=ENDS_IN_BACKSLASH))
        Source(store).append(records(2, message="C:\\"), records(3, start=1000, message="D:\\"), records(4, start=5000))
        run(lax_url, "SELECT puppylog.take_invalidations(), puppylog.refresh_rollup(id) FROM puppylog.metrics")
        assert store.query("SELECT error FROM puppylog.metrics").to_pylist() == [{"error": None}]
        assert store.query("SELECT sum(value) AS n FROM metrics.paths").to_pylist() == [{"n": 5.0}]


def test_every_routine_that_runs_a_stored_query_sets_how_strings_are_read() -> None:
    folder = resources.files("puppylog.stores.postgres").joinpath("sql")
    texts = [
        file.read_text(encoding="utf-8")
        for part in folder.iterdir()
        if part.is_dir()
        for file in part.iterdir()
        if file.name.endswith(".sql")
    ]
    routines = [routine for text in texts for routine in re.split(r"(?=CREATE OR REPLACE )", text)]
    running = [routine for routine in routines if re.search(r"EXECUTE[^;]*\bquery\b(?!\$)", routine)]
    assert len(running) >= 2
    for routine in running:
        assert "SET standard_conforming_strings = on" in routine.partition("AS $$")[0], routine.partition("\n")[0]
