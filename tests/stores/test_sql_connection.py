"""The connections of both stores fulfil the obligations of `SqlConnection`: one test for each sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from puppylog.errors import PuppylogError
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.sql_connection import SqlConnection
from support.schema_template import copy_schema

QUOTE = "it's $name; DROP TABLE things --"


@contextmanager
def on_duckdb(path: Path) -> Iterator[SqlConnection]:
    with Engine(copy_schema(path / "database")) as engine, engine.read() as connection:
        yield connection


@contextmanager
def on_postgresql(url: str) -> Iterator[SqlConnection]:
    with Session(url) as session, session.transaction():
        yield session


@pytest.fixture(params=["duckdb", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlConnection]:
    if request.param == "duckdb":
        with on_duckdb(tmp_path) as connection:
            yield connection
    else:
        with on_postgresql(request.getfixturevalue("postgres_url")) as connection:
            yield connection


def test_a_value_is_bound_and_never_inserted_into_the_statement(connection: SqlConnection) -> None:
    assert connection.value("SELECT CAST($name AS VARCHAR)", {"name": QUOTE}) == QUOTE


def test_a_list_is_bound_as_an_array(connection: SqlConnection) -> None:
    sql = "SELECT x FROM (VALUES (1), (2), (3)) AS v (x) WHERE x = ANY($wanted::integer[]) ORDER BY x"
    assert connection.rows(sql, {"wanted": [3, 1, 7]}) == [{"x": 1}, {"x": 3}]
    assert connection.rows(sql, {"wanted": []}) == []


def test_a_parameter_may_be_used_several_times(connection: SqlConnection) -> None:
    assert connection.rows("SELECT $a::integer AS x, $b::integer AS y, $a::integer AS z", {"b": 2, "a": 1}) == [
        {"x": 1, "y": 2, "z": 1}
    ]


def test_several_statements_are_run_in_order(connection: SqlConnection) -> None:
    connection.run("SELECT 1; SELECT 2")


def test_an_answer_without_rows_names_its_columns(connection: SqlConnection) -> None:
    answer = connection.fetch("SELECT 1 AS one, 2 AS two WHERE 1 = 2")
    assert isinstance(answer, pa.Table)
    assert (answer.column_names, answer.num_rows) == (["one", "two"], 0)


def test_an_error_is_one_of_puppylog(connection: SqlConnection) -> None:
    with pytest.raises(PuppylogError):
        connection.rows("SELECT nothing FROM nowhere")


def test_a_statement_that_returns_what_it_inserted_gives_rows(tmp_path: Path, postgres_url: str) -> None:
    insert = "INSERT INTO things (id, name) SELECT 7, $name RETURNING id"
    with Engine(tmp_path / "database") as engine:
        engine.write(lambda connection: connection.run("CREATE TABLE things (id INTEGER, name VARCHAR)"))
        assert engine.write(lambda connection: connection.rows(insert, {"name": "a"})) == [{"id": 7}]
        assert engine.write(lambda connection: connection.value("SELECT count(*) FROM things")) == 1
    with on_postgresql(postgres_url) as connection:
        connection.run("CREATE TEMP TABLE things (id INTEGER, name TEXT)")
        assert connection.rows(insert, {"name": "a"}) == [{"id": 7}]
        assert connection.value("SELECT count(*) FROM things") == 1
