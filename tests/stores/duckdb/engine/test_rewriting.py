"""Frozen buckets, some of whose records were dropped, when other records of them are replaced or deleted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from puppylog.model.record import RECORDS, REJECTS
from puppylog.model.retention import Retention
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.rewriting import delete_stream, rewrite
from puppylog.stores.rewriting import ReadFile, Rewritten
from support.retaining_store import DAY_S, NOW, SOURCES, RetainingStore, open_store

SHORT, LONG = 1, 2  # streams, each with a file of the same id; the records of the first one are kept for two days
AGE_S = 10 * DAY_S
STREAM = """
    INSERT INTO puppylog.log_streams (id, group_id, source_uri, created_at)
    VALUES ({id}, {group}, 'file:///{id}', now())
"""
FILE = """
    INSERT INTO puppylog.log_files (id, stream_id, path, device, inode, head_size, head_hash, marker_size, marker_hash,
                                    byte_offset, finished, opened_at, moved_at)
    VALUES ({id}, {id}, '/{id}', 1, 1, 0, '', 0, '', 600, false, now(), now())
"""


def make(connection: Connection) -> None:
    connection.run("INSERT INTO puppylog.log_groups VALUES (9, 'short')")
    for number, group in ((SHORT, "9"), (LONG, "NULL")):
        connection.run(STREAM.format(id=number, group=group))
        connection.run(FILE.format(id=number))


def rows(schema: pa.Schema, *values: dict[str, Any], stream_id: int = LONG) -> pa.Table:
    source = {"stream_id": stream_id, "file_id": stream_id}
    return pa.Table.from_pylist([{**source, **value} for value in values], pa.schema([*SOURCES, *schema]))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RetainingStore]:
    """A store with metrics of six records of each stream, in one bucket; those of the first stream were dropped."""
    with open_store(tmp_path) as store:
        store.engine.write(make)
        store.metric("hits", period_s=3600)
        store.metric("per_second", "rate", period_s=3600)
        store.metric("bytes", "sum", "response_bytes", 3600)
        store.metric("failed", "ratio", period_s=3600, of="status_code >= 500")
        store.metric("most", "max", "response_bytes", 3600)
        store.metric("by_code", period_s=3600, segment="status_code")
        store.add([AGE_S - no for no in range(6)], SHORT, file_id=SHORT, response_bytes=5, status_code=200)
        store.lines = 0
        store.add([AGE_S - no for no in range(6)], LONG, file_id=LONG, response_bytes=1, status_code=200)
        store.keep(Retention(groups=(("short", 2 * DAY_S),)))
        assert store.count() == 6
        yield store


def observed(store: RetainingStore) -> dict[str, list[float | None]]:
    return {name: store.values(name) for name in ("hits", "per_second", "bytes", "failed", "most", "by_code")}


def test_replaced_records_leave_the_frozen_buckets_and_new_ones_enter_them(store: RetainingStore) -> None:
    assert observed(store) == {
        "hits": [12],
        "per_second": [12 / 3600],
        "bytes": [36],
        "failed": [0],
        "most": [5],
        "by_code": [12],
    }
    then = NOW - timedelta(seconds=AGE_S - 3)
    new = rows(
        RECORDS,
        {"ts": then, "line_offset": 0, "response_bytes": 9, "status_code": 500},
        {"ts": then, "line_offset": 1, "response_bytes": 2, "status_code": 200},
    )
    rejected = rows(REJECTS, {"line_offset": 2, "reason": "odd", "line": b"x"})
    done = store.engine.write(
        lambda connection: rewrite(connection, ReadFile(LONG, LONG, 600, 0), "json\n", (new, rejected))
    )
    assert done == Rewritten(6, 0, 2, 1)
    assert observed(store) == {
        "hits": [8],
        "per_second": [pytest.approx(8 / 3600)],
        "bytes": [41],
        "failed": [1 / 8],
        "most": [9],
        "by_code": [7, 1],
    }


def test_a_deleted_stream_leaves_the_frozen_buckets(store: RetainingStore) -> None:
    deleted = store.engine.write(lambda connection: delete_stream(connection, LONG))
    assert (deleted.records, deleted.files) == (6, 1)
    assert (store.values("hits"), store.values("bytes"), store.values("by_code")) == ([6], [30], [6])


def test_a_frozen_bucket_without_a_record_has_no_row(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.engine.write(make)
        store.metric("hits", period_s=3600)
        store.metric("by_code", period_s=3600, segment="status_code")
        store.add([AGE_S], LONG, file_id=LONG, status_code=404)
        store.add([AGE_S + 2 * DAY_S], SHORT, file_id=SHORT, status_code=200)
        store.keep(Retention(groups=(("short", 2 * DAY_S),)))
        store.engine.write(lambda connection: delete_stream(connection, LONG))
        assert (store.values("hits"), store.values("by_code")) == ([1], [1])
