"""Upgrades of an older schema: the engine does them when it opens the store, and keeps the stored data."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.errors import StoreRefused
from puppylog.model.stream import Move, StreamReport
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.engine import schema
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.schema import SCHEMA_VERSION, list_migrations, migrate
from support.embedded import EmbeddedStore, wait_until
from support.lines import NOON, fingerprint, open_stream, records

URI = "file:///var/log/test.log"
STORED = f"""
INSERT INTO puppylog.log_streams VALUES (1, NULL, '{URI}', now());
INSERT INTO puppylog.log_files
VALUES (2, 1, '/var/log/test.log', 1, 2, 300, 'head', 256, '{fingerprint(300).marker_hash}', 300, false, now(), now());
INSERT INTO puppylog.log_records BY NAME
SELECT TIMESTAMPTZ '{NOON}' AS ts, 1 AS stream_id, 2 AS file_id, 100 * i AS line_offset FROM range(3) AS lines (i);
SELECT nextval('puppylog.ids') FROM range(2);
"""
ALERTS = f"""
INSERT INTO puppylog.alerts BY NAME
SELECT id, 'a' || id AS name, 1 AS metric_id, 'sum' AS statistic, '>' AS comparison, 1 AS level, 60 AS window_s,
       5 AS period_s, 0 AS for_s, 0 AS keep_firing_for_s, 2 AS delay_s, true AS each_segment, 'zero' AS no_data,
       TIMESTAMPTZ '{NOON}' AS created_at, TIMESTAMPTZ '{NOON}' AS evaluated_at
FROM (VALUES (1), (2), (3)) AS alerts (id);
INSERT INTO puppylog.alert_states BY NAME
SELECT *, TIMESTAMPTZ '{NOON}' - INTERVAL '1 hour' AS since, TIMESTAMPTZ '{NOON}' AS evaluated_at
FROM (VALUES (1, 'seen', 'firing', TIMESTAMPTZ '{NOON}' - INTERVAL '1 minute', 2.5, TIMESTAMPTZ '{NOON}'),
             (1, 'unseen', 'ok', NULL, 0.0, TIMESTAMPTZ '{NOON}' - INTERVAL '1 hour'),
             (2, NULL, 'no_data', NULL, NULL, NULL)) AS states (alert_id, segment, state, clear_since, value, seen_at);
"""
STATES = """
SELECT alert_id, segment, state, since, clear_since, value, evaluated_at, seen_at,
       coalesce(seen_at = evaluated_at, false) AS is_seen, seen_at IS NOT NULL AS was_seen
FROM puppylog.alert_states ORDER BY segment NULLS FIRST
"""
COLUMNS = """
SELECT table_schema, table_name, column_name, ordinal_position, data_type, is_nullable, column_default
FROM information_schema.columns ORDER BY ALL
"""


def make_store(database: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """Create an empty store of that version."""
    with monkeypatch.context() as patched:
        patched.setattr(schema, "list_migrations", lambda: list_migrations()[:version])
        patched.setattr(schema, "SCHEMA_VERSION", version)
        with Engine(database) as engine:
            assert engine.write(migrate) == 0


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStore]:
    """A store of version 1 with three records in it."""
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    make_store(directory.database, monkeypatch, version=1)
    with Engine(directory.database) as engine:
        engine.write(lambda connection: connection.run(STORED))
    with EmbeddedStore(directory.path) as server:
        yield server


def test_an_upgraded_store_of_version_1_continues_at_its_positions(old: EmbeddedStore) -> None:
    store = old.connect()
    assert store.info.schema_version == SCHEMA_VERSION
    stream = open_stream(store, URI)
    (file,) = stream.files
    assert (file.byte_offset, file.context) == (300, "")
    appender = store.appender()
    appender.write(stream.stream_id, file.file_id, records(2, start=300))
    appender.commit([Move(file.file_id, 300, 500, fingerprint(500), finished=False, context="json")])
    assert store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"].to_pylist() == [5]
    store.close_stream(stream.stream_id)
    (file,) = open_stream(store, URI).files
    assert (file.byte_offset, file.context) == (500, "json")
    store.report([StreamReport(stream.stream_id, 0, None, 1.0, 2.0, 2, 0)])
    wait_until(lambda: store.query("SELECT 1 FROM puppylog.stream_reports").num_rows == 1, what="the report")


def test_an_upgraded_schema_is_the_same_as_a_fresh_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def columns(connection: Connection) -> list[dict[str, object]]:
        return connection.rows(COLUMNS)

    found = []
    for version in (1, SCHEMA_VERSION):
        database = tmp_path / str(version)
        make_store(database, monkeypatch, version)
        with Engine(database) as engine:
            assert engine.write(migrate) == version
            found.append(engine.write(columns))
    assert found[0] == found[1]


def test_an_upgraded_store_keeps_the_states_of_its_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_store(tmp_path / "old", monkeypatch, version=1)
    with Engine(tmp_path / "old") as engine:
        engine.write(lambda connection: connection.run(ALERTS))
        before = engine.write(lambda connection: connection.rows(STATES))
        engine.write(migrate)
        assert engine.write(lambda connection: connection.rows(STATES)) == before
        assert [(row["segment"], row["is_seen"], row["was_seen"]) for row in before] == [
            (None, False, False),
            ("seen", True, True),
            ("unseen", False, True),
        ]


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Engine(tmp_path / "new") as engine:
        engine.write(migrate)
        monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION - 1)
        with pytest.raises(StoreRefused, match=f"its schema is version {SCHEMA_VERSION}"):
            engine.write(migrate)
