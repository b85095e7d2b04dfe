"""The check of users' SQL on PostgreSQL: a superuser's statements of every kind change nothing."""

from pathlib import Path

import psycopg
import pytest

from puppylog.errors import QueryError
from puppylog.stores.postgres.sessions.reading_sql import HARMLESS, MAX_LENGTH
from puppylog.stores.postgres.store import PostgresStore
from support.examples import IS_SOAK

STATEMENTS = [
    "SET default_transaction_read_only = off",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "RESET ALL",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "ALTER DATABASE {database} SET work_mem = '1GB'",
    "ALTER ROLE CURRENT_USER SET work_mem = '1GB'",
    "ALTER TABLE kept ADD COLUMN b integer",
    "CREATE TABLE other (a integer)",
    "CREATE TEMP TABLE other (a integer)",
    "CREATE TABLE other AS SELECT 1",
    "SELECT 1 AS a INTO other",
    "CREATE VIEW other AS SELECT 1",
    "CREATE FUNCTION other() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION dblink",
    "DROP TABLE kept",
    "TRUNCATE kept",
    "INSERT INTO kept VALUES (2)",
    "UPDATE kept SET a = 2",
    "DELETE FROM kept",
    "MERGE INTO kept USING (SELECT 1 AS a) AS new ON kept.a = new.a WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM kept RETURNING a) SELECT * FROM gone",
    "SELECT * FROM kept FOR UPDATE",
    "COPY kept TO '{file}'",
    "COPY (SELECT 1) TO PROGRAM 'touch {file}'",
    "COPY kept FROM PROGRAM 'echo 2'",
    "COPY kept TO STDOUT",
    "DO 'BEGIN PERFORM 1; END'",
    "CALL other()",
    "VACUUM",
    "ANALYZE kept",
    "CHECKPOINT",
    "REINDEX TABLE kept",
    "CLUSTER",
    "REFRESH MATERIALIZED VIEW kept",
    "GRANT SELECT ON kept TO PUBLIC",
    "COMMENT ON TABLE kept IS 'x'",
    "NOTIFY other",
    "LISTEN other",
    "LOAD 'plpgsql'",
    "DISCARD ALL",
    "LOCK TABLE kept",
    "BEGIN",
    "COMMIT",
    "ROLLBACK; DROP TABLE kept",
    "COMMIT; DROP TABLE kept; BEGIN",
    "PREPARE asked AS SELECT 1",
    "EXECUTE asked",
    "DEALLOCATE ALL",
    "DECLARE other CURSOR FOR SELECT 1",
    "CLOSE ALL",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE kept",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT \"set_config\"('statement_timeout', '0', false)",
    "SELECT pg_catalog.set_config('work_mem', '1GB', false)",
    "SELECT U&\"set\\005fconfig\"('work_mem', '1GB', false)",
    "SELECT set_config /* /* */ */ ('work_mem', '1GB', false)",
    "SELECT pg_terminate_backend(0)",
    "SELECT pg_cancel_backend(0)",
    "SELECT pg_reload_conf()",
    "SELECT pg_switch_wal()",
    "SELECT pg_notify('other', '')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_sleep(0)",
    "SELECT nextval('numbers')",
    "SELECT setval('numbers', 9)",
    "SELECT lo_export(lo_from_bytea(0, 'x'), '{file}')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT * FROM pg_ls_dir('/')",
    "SELECT * FROM pg_hba_file_rules()",
    "SELECT query_to_xml('SELECT pg_reload_conf()', true, true, '')",
    "SELECT * FROM ts_stat('SELECT 1')",
    "SELECT pg_create_restore_point('x')",
    "SELECT pg_logical_emit_message(false, 'x', 'x')",
    "SELECT * FROM kept WHERE a = (SELECT pg_backend_pid() WHERE pg_cancel_backend(0))",
    "SELECT puppylog.take_invalidations()",
    "SELECT do_something()",
]

WRAPPINGS = [
    "{}",
    "EXPLAIN {}",
    "EXPLAIN ANALYZE {}",
    "EXPLAIN (ANALYZE, FORMAT json) {}",
    "EXPLAIN ANALYZE /* /* */ SELECT 1 -- */\n{}",
    "/* */ EXPLAIN ANALYZE {}",
    "PREPARE asked AS {}",
    "CALL {}",
    "WITH asked AS MATERIALIZED ({}) SELECT * FROM asked",
    "SELECT 1; {}",
]


@pytest.fixture(scope="module")
def store_url(url: str) -> str:
    """The URL of a store that no test changes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
        connection.execute("CREATE SEQUENCE numbers")
        connection.execute("CREATE FUNCTION do_something() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
    return url


def state(url: str) -> list[object]:
    """Return everything that a statement could have changed for other clients."""
    questions = [
        "SELECT relname, reltuples, relfilenode FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT name, setting FROM pg_settings WHERE name NOT LIKE '%lsn%' ORDER BY 1",
        "SELECT * FROM pg_db_role_setting ORDER BY 1, 2",
        "SELECT extname FROM pg_extension ORDER BY 1",
        "SELECT count(*) FROM pg_largeobject_metadata",
        "SELECT count(*) FROM pg_file_settings",
        "SELECT pg_conf_load_time()",
        "SELECT * FROM kept",
        "SELECT last_value, is_called FROM numbers",
    ]
    with psycopg.connect(url) as connection:
        return [connection.execute(question.encode()).fetchall() for question in questions]


def ask(store: PostgresStore, sql: str) -> list[dict[str, object]]:
    with store.stream_query(sql) as batches:
        return [row for batch in batches for row in batch.to_pylist()]


@pytest.mark.sampled
@pytest.mark.parametrize(("number", "wrapping"), list(enumerate(WRAPPINGS)), ids=WRAPPINGS)
def test_only_statements_that_read_are_accepted_and_nothing_changes(
    store_url: str, number: int, wrapping: str, tmp_path: Path
) -> None:
    before = state(store_url)
    let_in = []
    # `make test` asks each statement as it is, and a third of them in each wrapping.
    statements = STATEMENTS if IS_SOAK or wrapping == "{}" else STATEMENTS[number % 3 :: 3]
    with PostgresStore(store_url) as store:
        for statement in statements:
            sql = wrapping.format(statement.format(file=tmp_path / "leak", database="postgres"))
            try:
                ask(store, sql)
            except QueryError as refusal:
                assert "\n" not in refusal.message  # noqa: PT017 - of each of many
            else:
                let_in.append(sql)
    assert not let_in
    assert state(store_url) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM kept",
        "TABLE kept",
        "VALUES (1)",
        "WITH RECURSIVE n AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM n WHERE a < 3) SELECT * FROM n",
        "SELECT now(), random(), gen_random_uuid(), pg_total_relation_size('kept')",
        "SELECT 'a' || chr(10) AS \"schräg\"",
        "EXPLAIN SELECT * FROM kept",
        "EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM kept",
    ],
)
def test_a_statement_that_only_reads_is_accepted(store_url: str, sql: str) -> None:
    with PostgresStore(store_url) as store:
        assert ask(store, sql)


def test_sql_that_is_too_long_is_refused(store_url: str) -> None:
    with PostgresStore(store_url) as store, pytest.raises(QueryError, match=f"{MAX_LENGTH} are allowed"):
        ask(store, "SELECT " + "1" * MAX_LENGTH)


def test_the_harmless_functions_have_no_duplicates() -> None:
    assert len(set(HARMLESS)) == len(HARMLESS)
