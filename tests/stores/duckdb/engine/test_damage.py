"""Damage of a store is detected and has one exit code. An undamaged store is never called damaged.

The engine stores no lines in a damaged store.
"""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from puppylog.errors import QueryError, StoreDamaged
from puppylog.model.finding import Finding, Health
from puppylog.model.record import NO_REJECTS, RECORDS, Parsed
from puppylog.stores.connect import stop
from puppylog.stores.duckdb.client.store import DuckdbStore
from puppylog.stores.duckdb.engine.commits import CommitNumbers
from puppylog.stores.duckdb.engine.failures import is_damage
from support.embedded import EmbeddedStore
from support.lines import LINE_BYTES, NOON, Source, records

CANNOT_READ = "cannot read the store "


def fill(server: EmbeddedStore, rows: int = 7) -> None:
    """Store records, and leave the engine killed with its commits in the write-ahead log."""
    with server.connect() as store:
        Source(store).append(records(rows))
        server.kill_engine()
    assert server.directory.write_ahead_log.exists()


def count(store: DuckdbStore) -> int:
    return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


def database_finding(store: DuckdbStore) -> Finding:
    [found] = [finding for finding in store.list_findings().findings if finding.subject == "database"]
    return found


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 50)


@pytest.mark.parametrize("content", [b"", random.Random(1).randbytes(100_000)])
def test_a_file_that_is_no_database_is_refused_and_not_changed(server: EmbeddedStore, content: bytes) -> None:
    fill(server)
    server.directory.database.write_bytes(content)
    with pytest.raises(StoreDamaged, match=CANNOT_READ) as damaged:
        server.connect()
    assert damaged.value.exit_code == 69
    assert server.directory.database.read_bytes() == content


def test_a_truncated_database_is_damaged(server: EmbeddedStore) -> None:
    with server.connect() as store:
        Source(store).append(records(7))
    stop(server.url)
    os.truncate(server.directory.database, 3 * 4096)
    with pytest.raises(StoreDamaged, match=CANNOT_READ):
        server.connect()


@pytest.mark.parametrize("damage", [Path.unlink, cut_in_half])
def test_lost_commits_are_detected(server: EmbeddedStore, damage: Callable[[Path], None]) -> None:
    fill(server)
    damage(server.directory.write_ahead_log)
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=r"its last \d+ commits are lost; records\.duckdb\.wal is missing"):
            server.connect()


def test_a_write_ahead_log_with_other_bytes_is_damaged(server: EmbeddedStore) -> None:
    fill(server)
    overwrite_middle(server.directory.write_ahead_log)
    with pytest.raises(StoreDamaged, match=f"{CANNOT_READ}.*(Failure while replaying WAL|commits are lost)"):
        server.connect()


def test_a_write_ahead_log_that_is_put_back_gives_everything_back(server: EmbeddedStore) -> None:
    fill(server)
    log = server.directory.write_ahead_log
    log.rename(server.directory.path / "elsewhere")
    with pytest.raises(StoreDamaged):
        server.connect()
    (server.directory.path / "elsewhere").rename(log)
    with server.connect() as store:
        assert count(store) == 7


def test_without_the_mark_a_store_opens_without_its_lost_commits(server: EmbeddedStore) -> None:
    fill(server)
    server.directory.write_ahead_log.unlink()
    server.directory.last_commit.unlink()
    with server.connect() as store:
        assert count(store) == 0


def test_a_missing_database_is_damage_and_is_not_created_anew(server: EmbeddedStore) -> None:
    fill(server)
    server.directory.database.unlink()
    with pytest.raises(StoreDamaged, match=r"records\.duckdb is missing"):
        server.connect()
    assert not server.directory.database.exists()


def test_a_mark_that_is_one_behind_after_a_kill_is_no_damage(server: EmbeddedStore) -> None:
    fill(server)
    mark = server.directory.last_commit
    mark.write_text(f"{int(mark.read_text()) - 1:019d}\n")
    with server.connect() as store:
        assert count(store) == 7
        server.kill_engine()
        assert count(store) == 7


def test_the_mark_is_never_ahead_of_a_database_that_was_killed(server: EmbeddedStore) -> None:
    chance = random.Random(3)
    with server.connect() as store:
        source = Source(store)
        for _ in range(5):
            for _ in range(chance.randrange(1, 6)):
                source.append(records(1, start=source.offset))
            os.kill(store.engine_pid, signal.SIGKILL)
            store.close()
            store = server.connect()  # noqa: PLW2901 - the next client, like a restarted collector
            source.store = store
            store.open_streams(["file:///var/log/test.log"])
        assert count(store) == source.offset // LINE_BYTES


def test_a_store_whose_creation_was_interrupted_is_created_again(server: EmbeddedStore) -> None:
    server.directory.prepare()
    with CommitNumbers(server.directory):
        server.directory.database.write_bytes(bytes(4096))
    with server.connect() as store:
        assert count(store) == 0


def fill_blocks(server: EmbeddedStore) -> int:
    """Store records that do not compress; return the offset of a database block that has only values of records."""
    rows, bits = 130_000, random.Random(5).getrandbits(62)
    columns = {
        "line_offset": pa.array(range(0, rows * LINE_BYTES, LINE_BYTES), pa.int64()),
        "ts": pa.repeat(pa.scalar(NOON, RECORDS.field("ts").type), rows),
        "response_bytes": pa.array([bits ^ i * 2654435761 for i in range(rows)], pa.int64()),
    }
    arrays = [columns.get(field.name, pa.nulls(rows, field.type)) for field in RECORDS]
    with server.connect() as store:
        Source(store).append(Parsed(pa.RecordBatch.from_arrays(arrays, schema=RECORDS), NO_REJECTS))
    stop(server.url)
    with duckdb.connect(str(server.directory.database), read_only=True) as database:
        [(block,)] = database.execute(
            "SELECT min(block_id) FROM pragma_storage_info('puppylog.log_records') "
            "WHERE column_name = 'response_bytes' AND segment_type = 'BIGINT' AND block_offset = 0"
        ).fetchall()
    return 3 * 4096 + int(block) * 262_144


def test_a_damaged_block_stops_storing_until_the_database_is_repaired(server: EmbeddedStore) -> None:
    start = fill_blocks(server)
    with server.directory.database.open("r+b") as file:
        file.seek(start + 4000)
        good = file.read(500)
        file.seek(start + 4000)
        file.write(b"\xa5" * 500)
    store = server.connect()
    source = Source(store, "file:///var/log/other.log")
    assert source.append(records(1)).records == 1  # no query has read the damaged part yet
    with pytest.raises(StoreDamaged, match=f"{CANNOT_READ}{server.directory.path}: Corrupt database file"):
        store.query("SELECT sum(hash(response_bytes)) AS n FROM puppylog.log_records")
    with pytest.raises(StoreDamaged, match=CANNOT_READ):
        source.append(records(1, start=source.offset))
    server.kill_engine()
    with pytest.raises(StoreDamaged, match=CANNOT_READ):  # the next engine knows of the damage, too
        store.open_streams(["file:///var/log/third.log"])
    assert count(store) == 130_001  # undamaged parts can be read
    found = database_finding(store)
    assert (found.state, CANNOT_READ in found.found, "no line is stored" in found.advice) == (Health.WRONG, True, True)
    server.kill_engine()
    with server.directory.database.open("r+b") as file:
        file.seek(start + 4000)
        file.write(good)
    assert database_finding(store) == Finding("database", Health.OK, database_finding(store).found)
    store.open_streams(["file:///var/log/third.log"])


def test_doctor_reads_every_row(server: EmbeddedStore) -> None:
    with server.connect() as store:
        Source(store).append(records(7))
        found = database_finding(store)
    assert found.state is Health.OK
    assert found.found.startswith("all of its ")


def test_a_text_about_damage_in_a_users_sql_is_no_damage(server: EmbeddedStore) -> None:
    store = server.connect()
    for sql in (
        "SELECT error('Corrupt database file')",
        "SELECT cast('Corrupt database file' AS INTEGER)",
        """SELECT cast('IO Error: Could not read enough bytes' AS INTEGER)""",
    ):
        with pytest.raises(QueryError), store.stream_query(sql) as batches:
            list(batches)
    Source(store).append(records(1))
    assert not server.directory.damage.exists()


@pytest.mark.parametrize(
    "text",
    [
        "Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 3",
        'IO Error: The file "x" exists, but it is not a valid DuckDB database file!',
        'IO Error: Could not read enough bytes from file "x": attempted to read 4096 bytes from location 4096',
    ],
)
def test_messages_of_duckdb_about_damage_are_recognized(text: str) -> None:
    assert is_damage(text)
    assert not is_damage(f"Invalid Input Error: {text}")
