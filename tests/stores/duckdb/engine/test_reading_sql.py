"""The check of users' SQL on the embedded store: statements of every kind, also wrapped, change nothing."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from puppylog.errors import QueryError
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.reading_sql import (
    HARMLESS_VOLATILES,
    MAX_LENGTH,
    NAMING_FUNCTIONS,
    REFUSED_FUNCTIONS,
    TABLE_FUNCTIONS,
)

STATEMENTS = [
    "SET GLOBAL memory_limit = '1MB'",
    "SET threads = 1",
    "SET checkpoint_threshold = '1TB'",
    "SET search_path = 'main'",
    "SET VARIABLE x = 1",
    "SET SESSION operator_memory_limit = '1GB'",
    "RESET threads",
    "RESET GLOBAL TimeZone",
    "USE memory",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "CREATE TABLE other (a INTEGER)",
    "CREATE TEMP TABLE other (a INTEGER)",
    "CREATE TABLE other AS SELECT 1",
    "CREATE VIEW other AS SELECT 1",
    "CREATE MACRO other() AS 1",
    "CREATE SCHEMA other",
    "CREATE SEQUENCE other",
    "CREATE TYPE other AS ENUM ('a')",
    "CREATE INDEX other ON kept (a)",
    "CREATE SECRET other (TYPE s3)",
    "ALTER TABLE kept ADD COLUMN b INTEGER",
    "COMMENT ON TABLE kept IS 'x'",
    "DROP TABLE kept",
    "TRUNCATE kept",
    "INSERT INTO kept VALUES (2)",
    "UPDATE kept SET a = 2",
    "DELETE FROM kept",
    "MERGE INTO kept USING (SELECT 1 AS a) AS new ON kept.a = new.a WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM kept RETURNING a) SELECT * FROM gone",
    "WITH more AS (INSERT INTO kept VALUES (2) RETURNING a) SELECT * FROM more",
    "COPY kept TO '{file}'",
    "COPY (SELECT 1) TO '{file}'",
    "COPY kept FROM '{file}'",
    "EXPORT DATABASE '{file}'",
    "IMPORT DATABASE '{file}'",
    "ATTACH '{file}' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH memory",
    "COPY FROM DATABASE memory TO other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "VACUUM",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "PREPARE asked AS SELECT 1",
    "PREPARE asked AS DELETE FROM kept",
    "EXECUTE asked",
    "DEALLOCATE asked",
    "CALL enable_logging(storage = 'file', storage_path = '{file}')",
    "CALL checkpoint()",
    "CALL duckdb_settings()",
    "PRAGMA threads = 1",
    "PRAGMA enable_profiling",
    "PRAGMA disable_optimizer",
    "PRAGMA enable_verification",
    "PRAGMA force_checkpoint",
    "PRAGMA import_database('{file}')",
    "SELECT * FROM enable_logging(storage = 'file', storage_path = '{file}')",
    'SELECT * FROM "ENABLE_LOGGING"()',
    "SELECT * FROM system.main.enable_logging()",
    "SELECT * FROM disable_logging()",
    "SELECT * FROM truncate_duckdb_logs()",
    "SELECT * FROM enable_profiling()",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM force_checkpoint()",
    "SELECT (SELECT 1 FROM force_checkpoint())",
    "SELECT * FROM kept WHERE a IN (SELECT 1 FROM enable_logging())",
    "WITH logged AS (SELECT * FROM enable_logging()) SELECT * FROM logged",
    "SELECT * FROM kept, LATERAL (SELECT * FROM enable_logging())",
    "SUMMARIZE SELECT * FROM enable_logging()",
    "SELECT * FROM query('SELECT * FROM enable_logging()')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM arrow_scan(1::BIGINT::POINTER, 2::BIGINT::POINTER, 3::BIGINT::POINTER)",
    "SELECT * FROM add_grammar_extension('x')",
    "SELECT * FROM kept AS a, sleep_ms(1)",
    "SELECT sleep_ms(1)",
    "SELECT write_log('x')",
    "SELECT nextval('numbers')",
    "SELECT * FROM cursor",
    "SELECT 1; SELECT 2",
    "SELECT 1; SET threads = 1",
]

WRAPPINGS = [
    "{}",
    "EXPLAIN {}",
    "EXPLAIN ANALYZE {}",
    "explain analyze (format json) {}",
    "EXPLAIN (ANALYZE, FORMAT json) {}",
    "EXPLAIN ANALYZE /* /* */ SELECT 1 -- */\n{}",
    "EXPLAIN -- \r{}\nSELECT 1",
    "/* */ EXPLAIN ANALYZE {}",
    "PREPARE asked AS {}",
    "EXECUTE {}",
    "CALL {}",
    "SELECT * FROM ({})",
    "WITH asked AS MATERIALIZED ({}) SELECT * FROM asked",
    "DESCRIBE {}",
    "SUMMARIZE {}",
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(tmp_path_factory.mktemp("door") / "records.duckdb") as engine:
        engine.write(
            lambda connection: connection.run(
                "CREATE SCHEMA puppylog; CREATE SEQUENCE puppylog.numbers; "
                "CREATE TABLE puppylog.kept AS SELECT 1 AS a; "
                "CREATE TABLE puppylog.access_tokens (hash VARCHAR, scope VARCHAR)"
            )
        )
        yield engine


def ask(engine: Engine, sql: str) -> list[dict[str, object]]:
    """Run a user's SQL as the server does."""
    with engine.read() as connection:
        connection.reads_only(sql)
        return connection.batches(sql).read_all().to_pylist()


def state(engine: Engine) -> list[list[dict[str, object]]]:
    """Return everything that a statement could have changed for other clients."""
    with engine.read() as connection:
        return [
            connection.rows("SELECT name, value FROM duckdb_settings() ORDER BY name"),
            connection.rows("SELECT database_name, path FROM duckdb_databases() ORDER BY 1"),
            connection.rows("SELECT schema_name, table_name, column_count, comment FROM duckdb_tables() ORDER BY ALL"),
            connection.rows("SELECT schema_name, view_name FROM duckdb_views() ORDER BY ALL"),
            connection.rows("SELECT schema_name FROM duckdb_schemas() ORDER BY ALL"),
            connection.rows("SELECT sequence_name, last_value FROM duckdb_sequences() ORDER BY ALL"),
            connection.rows("SELECT index_name FROM duckdb_indexes() ORDER BY ALL"),
            connection.rows("SELECT type_name FROM duckdb_types() WHERE NOT internal ORDER BY ALL"),
            connection.rows("SELECT function_name FROM duckdb_functions() WHERE NOT internal ORDER BY ALL"),
            connection.rows("SELECT * FROM kept ORDER BY ALL"),
        ]


@pytest.mark.sampled
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_only_statements_that_read_are_accepted_and_nothing_changes(
    engine: Engine, wrapping: str, tmp_path: Path
) -> None:
    before = state(engine)
    let_in = []
    for statement in STATEMENTS:
        sql = wrapping.format(statement.format(file=tmp_path / "leak"))
        try:
            ask(engine, sql)
        except QueryError as refusal:
            assert "\n" not in refusal.message  # noqa: PT017 - of each of many
        else:
            let_in.append(sql)
    assert not let_in
    assert state(engine) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM kept",
        "TABLE kept",
        "FROM kept",
        "VALUES (1)",
        "(SELECT a FROM kept) UNION ALL SELECT 2",
        "WITH RECURSIVE n AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM n WHERE a < 3) SELECT * FROM n",
        "SELECT * FROM range(3), unnest([1, 2])",
        "SELECT * FROM histogram(kept, a)",
        "SHOW TABLES",
        "DESCRIBE kept",
        "SUMMARIZE kept",
        "PIVOT kept ON a IN (1, 2) USING count(*)",
        "SELECT uuid(), random(), current_setting('threads')",
        "EXPLAIN SELECT * FROM kept",
        "EXPLAIN ANALYZE SELECT * FROM kept",
        "EXPLAIN (FORMAT json) SELECT * FROM kept",
        "EXPLAIN ANALYZE (SELECT 1)",
    ],
)
def test_a_statement_that_only_reads_is_accepted(engine: Engine, sql: str) -> None:
    assert ask(engine, sql)


HIDDEN = [
    "SELECT hash FROM access_tokens",
    "SELECT hash FROM puppylog.access_tokens",
    "SELECT hash FROM store.puppylog.ACCESS_TOKENS",
    "SELECT hash FROM 'access_tokens'",
    'SELECT hash FROM "Access_Tokens" AS t',
    "TABLE access_tokens",
    "FROM access_tokens",
    "SUMMARIZE access_tokens",
    "DESCRIBE access_tokens",
    "SUMMARIZE (FROM access_tokens)",
    "SELECT (SELECT max(hash) FROM access_tokens)",
    "WITH t AS (FROM access_tokens) FROM t",
    "SELECT * FROM range(3) JOIN access_tokens ON true",
    "PIVOT access_tokens ON scope IN ('admin') USING max(hash)",
    "FROM query_table('access_tokens')",
    "FROM query_table(['access_tokens'])",
    "FROM query_table('access_' || 'tokens')",
    "FROM query_table(concat('access_', 'tokens'))",
    "FROM query_table(['access_' || 'tokens'])",
    "FROM query_table(CAST('access_tokens' AS VARCHAR))",
    "FROM query_table(reverse('snekot_ssecca'))",
    "FROM histogram(access_tokens, hash)",
    "FROM histogram_values('access_tokens', hash)",
    "FROM histogram_values(col_name := hash, source := 'access_' || 'tokens')",
    "FROM histogram_values(col_name := hash, SOURCE := 'access_tokens')",
    "FROM pragma_storage_info('access_tokens')",
    "FROM pragma_storage_info('puppylog.access_' || 'tokens')",
    "FROM duckdb_table_sample('access_tokens')",
    "FROM pragma_table_info(concat('access_', 'tokens'))",
    "FROM summary((FROM access_tokens))",
    "EXPLAIN ANALYZE SELECT hash FROM access_tokens",
]


def test_the_hashes_of_tokens_cannot_be_read(engine: Engine) -> None:
    with engine.read() as connection:
        assert connection.rows("SELECT count(*) AS n FROM puppylog.access_tokens") == [{"n": 0}]
    let_in = []
    for sql in HIDDEN:
        try:
            ask(engine, sql)
        except QueryError as refusal:
            assert "hashes of tokens" in refusal.message or "not an expression" in refusal.message  # noqa: PT017 - of each of many
        else:
            let_in.append(sql)
    assert not let_in


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'access_tokens' AS text",
        "SELECT * FROM kept WHERE CAST(a AS VARCHAR) NOT LIKE '%access_tokens%'",
        "SELECT table_name FROM duckdb_tables() WHERE table_name = 'access_tokens'",
        "FROM query_table('kept')",
        "FROM query_table(['kept', 'kept'])",
        "FROM histogram_values(kept, a + 1)",
        "FROM pragma_storage_info('kept')",
    ],
)
def test_the_name_of_the_hidden_table_is_allowed_as_a_text(engine: Engine, sql: str) -> None:
    assert ask(engine, sql)


def test_every_function_that_takes_the_name_of_a_table_is_known(engine: Engine) -> None:
    taking = set()
    for function in TABLE_FUNCTIONS:
        for argument in ("'access_tokens'", "access_tokens, hash"):
            with suppress(QueryError), engine.read() as connection:
                connection.rows(f"SELECT * FROM {function}({argument}) LIMIT 1")
                taking.add(function)
    assert "query_table" in taking
    assert taking <= NAMING_FUNCTIONS | {"repeat", "repeat_row", "json_each", "json_tree", "unnest"}


def test_settings_are_locked_once_the_engine_is_open(engine: Engine) -> None:
    with engine.read() as connection, pytest.raises(QueryError, match="configuration has been locked"):
        connection.run("SET GLOBAL threads = 1")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 30_000 + "1" + ")" * 30_000,
        "SELECT " + "(" * 60_000,
        "SELECT " + "('(' || " * 6_000,
        "SELECT " + "- " * 30_000 + "1",
        "SELECT " + "-/* */" * 9_000 + "1",
        "SELECT " + "NOT " * 10_000 + "true",
    ],
)
def test_sql_that_is_nested_too_deep_is_refused(engine: Engine, sql: str) -> None:
    with pytest.raises(QueryError, match=r"Max expression depth|200 deep"):
        ask(engine, sql)


def test_sql_that_is_too_long_is_refused(engine: Engine) -> None:
    with pytest.raises(QueryError, match="70007 characters; at most 65536 are allowed"):
        ask(engine, "SELECT " + "1" * 70_000)


def test_the_longest_sql_leaves_the_engine_running(engine: Engine) -> None:
    unions = "SELECT 1" + " UNION ALL SELECT 1" * ((MAX_LENGTH - 8) // 19)
    try:
        assert len(ask(engine, unions)) > 3000
    except QueryError as refusal:
        assert "depth" in refusal.message  # noqa: PT017 - either end is right, a crash is not
    assert ask(engine, "SELECT 1 AS one") == [{"one": 1}]


def _names(text: str) -> set[str]:
    return set(text.split())


def test_every_function_of_duckdb_is_in_one_of_the_lists() -> None:
    with duckdb.connect(":memory:") as database:
        rows = database.sql(
            "SELECT DISTINCT function_name, function_type, coalesce(has_side_effects, false) FROM duckdb_functions()"
        ).fetchall()
    tables = {name for name, kind, _ in rows if kind in ("table", "table_macro")}
    assert tables >= TABLE_FUNCTIONS
    assert {name for name in tables if not name.startswith("duckdb_")} - TABLE_FUNCTIONS == _names(
        """
        add_grammar_extension arrow_scan arrow_scan_dumb checkpoint create_external_resource
        deregister_external_resource destroy_external_resource disable_logging disable_profiling enable_logging
        enable_profiling force_checkpoint glob json_execute_serialized_sql pandas_scan parquet_bloom_probe
        parquet_file_metadata parquet_full_metadata parquet_kv_metadata parquet_metadata parquet_page_index
        parquet_scan parquet_schema pragma_metadata_info python_arrow_scan python_map_function query read_blob
        read_csv read_csv_auto read_duckdb read_json read_json_auto read_json_objects read_json_objects_auto
        read_ndjson read_ndjson_auto read_ndjson_objects read_parquet read_single_csv_file read_single_json_file
        read_single_parquet_file read_text register_external_resource register_external_resource_type
        remove_grammar_extension seq_scan sniff_csv test_all_types test_vector_types truncate_duckdb_logs
        which_secret
        """
    )
    volatile = {name for name, kind, effects in rows if kind == "scalar" and effects}
    assert volatile == REFUSED_FUNCTIONS | HARMLESS_VOLATILES
