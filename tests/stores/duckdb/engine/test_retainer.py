"""Age and archive in the engine: which records go, that metrics keep them, and that the archive has them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from puppylog.model.retention import Retention
from puppylog.stores.archive_columns import ARCHIVED
from puppylog.stores.duckdb.engine import archive, dropping
from puppylog.stores.duckdb.engine.backup import copy_database
from puppylog.stores.duckdb.engine.clock import rebase
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from support.retaining_store import DAY_S, NOW, RetainingStore, open_store, read_archive

pytestmark = pytest.mark.sampled


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RetainingStore]:
    with open_store(tmp_path) as store:
        yield store


def test_records_go_by_whole_days_and_rejected_lines_with_them(store: RetainingStore) -> None:
    store.add([0, DAY_S, 2.4 * DAY_S, 2.6 * DAY_S, 10 * DAY_S])
    store.reject(1 * DAY_S)
    store.reject(5 * DAY_S)
    store.keep(Retention(2 * DAY_S))
    # At noon records of the last two days are kept, and those of the rest of the day of the oldest of them.
    assert store.count() == 3
    assert store.count("rejected_lines") == 1
    (dropped,) = store.rows("SELECT records, rejected_lines FROM puppylog.dropped")
    assert dropped == {"records": 2, "rejected_lines": 1}


def test_the_records_of_a_group_have_their_own_age(store: RetainingStore) -> None:
    store.engine.write(
        lambda connection: connection.run(
            "INSERT INTO puppylog.log_groups VALUES (5, 'shop');"
            "INSERT INTO puppylog.log_streams (id, group_id, source_uri, created_at) "
            "VALUES (1, 5, 'a', now()), (2, NULL, 'b', now())"
        )
    )
    for stream_id in (1, 2):
        store.add([0, 10 * DAY_S, 40 * DAY_S], stream_id)
    store.keep(Retention(30 * DAY_S, (("shop", 7 * DAY_S),)))
    found = store.rows("SELECT stream_id, count(*) AS n FROM puppylog.log_records GROUP BY 1 ORDER BY 1")
    assert found == [{"stream_id": 1, "n": 1}, {"stream_id": 2, "n": 2}]
    store.keep(Retention(groups=(("shop", 7 * DAY_S), ("other", 3600))))
    assert store.count() == 3


def test_metrics_keep_dropped_records_and_are_never_computed_again_from_those_that_are_left(
    store: RetainingStore,
) -> None:
    store.metric("hits")
    store.metric("weekly", period_s=7 * DAY_S)
    store.add([0, DAY_S, 10 * DAY_S, 10 * DAY_S + 3600])
    store.keep(Retention(7 * DAY_S))
    assert store.count() == 2
    assert (store.total("hits"), store.total("weekly")) == (4, 4)
    store.add([5, 10 * DAY_S, 3 * DAY_S])  # the second one is late, in a bucket whose other records are gone
    store.refresh("hits", "weekly")
    assert (store.total("hits"), store.total("weekly")) == (7, 7)
    store.retainer.set_retention(Retention(6 * DAY_S))
    store.retainer.run_due()
    store.refresh("hits", "weekly")
    assert store.count() == 4
    assert (store.total("hits"), store.total("weekly")) == (7, 7)


@pytest.mark.parametrize(
    ("statistic", "prop", "values"),
    [
        ("count", "*", [3.0, 1.0]),
        ("rate", "*", [3 / 60, 1 / 60]),
        ("sum", "response_bytes", [60.0, 5.0]),
        ("min", "response_bytes", [10.0, 5.0]),
        ("max", "response_bytes", [30.0, 5.0]),
        ("avg", "response_bytes", [15.0, 5.0]),  # the late line cannot be added: the records are gone
        ("p50", "response_bytes", [15.0, 5.0]),
    ],
)
def test_a_late_line_of_dropped_records_is_added_if_the_statistic_allows_it(
    store: RetainingStore, statistic: str, prop: str, values: list[float]
) -> None:
    store.metric("m", statistic, prop)
    store.add([10 * DAY_S], response_bytes=10)
    store.add([10 * DAY_S], response_bytes=20)
    store.keep(Retention(7 * DAY_S))
    store.add([10 * DAY_S], response_bytes=30)
    store.add([9 * DAY_S], response_bytes=5)  # a bucket that had no records
    store.refresh("m")
    store.retainer.set_retention(Retention(8 * DAY_S))
    store.retainer.run_due()
    assert store.count() == 0
    assert store.values("m") == pytest.approx(values)


def test_a_late_line_is_added_to_a_share_with_its_parts(store: RetainingStore) -> None:
    store.metric("errors", "ratio", of="status_code >= 500")
    store.add([10 * DAY_S] * 3, status_code=200)
    store.keep(Retention(7 * DAY_S))
    store.add([10 * DAY_S], status_code=500)
    store.refresh("errors")
    assert store.rows("SELECT value, part, whole FROM metrics.errors") == [{"value": 0.25, "part": 1, "whole": 4}]


def test_a_metric_that_cannot_be_refreshed_keeps_no_record(store: RetainingStore) -> None:
    store.metric("hits")
    store.metric("broken", "sum", "attributes.n")
    store.add([10 * DAY_S], attributes='{"n": "1"}')
    store.engine.write(lambda connection: connection.run("DROP VIEW metrics.broken"))
    (row,) = store.rows("SELECT id FROM puppylog.metrics WHERE name = 'broken'")
    store.engine.write(lambda connection: connection.run(f"DROP TABLE puppylog.rollup_{row['id']}"))
    store.keep(Retention(7 * DAY_S))
    assert store.count() == 0
    assert store.total("hits") == 1


def test_dropped_rows_are_in_the_archive_with_the_names_of_their_sources(store: RetainingStore, tmp_path: Path) -> None:
    store.engine.write(
        lambda connection: connection.run(
            "INSERT INTO puppylog.log_groups VALUES (5, 'shop');"
            "INSERT INTO puppylog.log_streams (id, group_id, source_uri, created_at) "
            "VALUES (1, 5, 'file://web/a.log', now());"
            "INSERT INTO puppylog.log_files BY NAME SELECT 7 AS id, 1 AS stream_id, '/a.log' AS path, 1 AS device, "
            "2 AS inode, 0 AS head_size, '' AS head_hash, 0 AS marker_size, '' AS marker_hash, 0 AS byte_offset, "
            "false AS finished, now() AS opened_at, now() AS moved_at"
        )
    )
    store.add([0, 9 * DAY_S, 9 * DAY_S, 10 * DAY_S], host="h", attributes='{"a": 1}')
    store.reject(10 * DAY_S)
    root = tmp_path / "archive"
    store.keep(Retention(7 * DAY_S, archive=str(root)))
    found = read_archive(root)
    assert found.schema.equals(ARCHIVED["log_records"])
    assert sorted(found["line_offset"].to_pylist()) == [1, 2, 3]
    (store_id,) = {row["store_id"] for row in found.to_pylist()}
    assert found.to_pylist()[0] | {"ts": None, "line_offset": None} == dict.fromkeys(found.column_names) | {
        "host": "h",
        "attributes": '{"a": 1}',
        "stream_id": 1,
        "file_id": 7,
        "source_uri": "file://web/a.log",
        "group_name": "shop",
        "file_path": "/a.log",
        "store_id": store_id,
    }
    assert read_archive(root, "*/rejected/day=*/*.parquet")["line"].to_pylist() == [b"x"]
    assert sorted(path.name for path in (root / store_id).iterdir()) == ["day=2026-11-17", "day=2026-11-18", "rejected"]
    recorded = store.rows("SELECT kind, row_count, path FROM puppylog.archived_files ORDER BY path")
    assert [(row["kind"], row["row_count"]) for row in recorded] == [
        ("log_records", 1),
        ("log_records", 2),
        ("rejected_lines", 1),
    ]


def test_records_stay_if_the_archive_is_gone_and_go_when_it_is_back(store: RetainingStore, tmp_path: Path) -> None:
    root = tmp_path / "archive"
    store.add([0, 9 * DAY_S])
    store.retainer.set_retention(Retention(7 * DAY_S, archive=str(root)))
    root.rmdir()
    with pytest.raises(archive.ArchiveError, match="there is no such directory"):
        store.retainer.run_due()
    assert store.count() == 2
    assert store.rows("SELECT error FROM puppylog.dropped")[0]["error"] == (
        f"cannot write to archive {root}: there is no such directory"
    )
    root.mkdir()
    store.retainer.set_retention(Retention(7 * DAY_S, archive=str(root)))
    store.retainer.run_due()
    assert store.count() == 1
    assert read_archive(root).num_rows == 1
    assert store.rows("SELECT error FROM puppylog.dropped")[0]["error"] is None


def test_a_file_of_an_interrupted_drop_is_removed_and_its_rows_are_archived_again(
    store: RetainingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "archive"
    store.add([0, 9 * DAY_S])
    store.retainer.set_retention(Retention(7 * DAY_S, archive=str(root)))
    with monkeypatch.context() as patched:
        patched.setattr(dropping, "_drop", _crash)
        with pytest.raises(KeyboardInterrupt):
            store.retainer.run_due()
    assert len(list(root.glob("*/day=*/*.parquet"))) == 1  # it is complete, and the rows are not deleted
    assert store.count() == 2
    again = RetainingStore(store.engine)
    assert list(root.glob("*/day=*/*")) == []
    again.retainer.run_due()
    assert again.count() == 1
    assert read_archive(root).num_rows == 1


def test_a_copy_of_the_store_removes_no_file_that_the_store_is_writing(store: RetainingStore, tmp_path: Path) -> None:
    begun = store.engine.write(lambda connection: archive.begin_file(connection, "log_records", str(tmp_path), 0))
    with store.engine.copy_into(tmp_path / "outgoing" / "copy") as connection:
        copy_database(connection)
    Path(begun.root, begun.path).parent.mkdir(parents=True)
    Path(begun.root, begun.path).touch()
    with Engine(tmp_path / "outgoing" / "copy") as engine:
        RetainingStore(engine)
    assert Path(begun.root, begun.path).exists()


def test_buckets_of_dropped_records_stay_when_the_clock_is_set_back(store: RetainingStore) -> None:
    store.metric("daily", period_s=DAY_S)
    store.add([3700, 7200])
    store.keep(Retention(3600))  # the day is not over, and its bucket has the records that are gone
    assert store.count() == 0
    store.engine.write(lambda connection: rebase(connection, round(NOW.timestamp() - 600) * US_PER_S))
    # The instant of the refresh was ahead. The end of the day's bucket says nothing about the clock.
    assert [row["back_s"] for row in store.rows("FROM puppylog.clock_steps")] == [600.0]
    store.add([1800])
    store.refresh("daily")
    assert store.total("daily") == 3


def _crash(*_: object) -> int:
    raise KeyboardInterrupt


def test_a_line_that_is_stored_during_a_drop_stays(
    store: RetainingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "archive"
    store.metric("hits")
    store.add([0, 9 * DAY_S])
    store.retainer.set_retention(Retention(7 * DAY_S, archive=str(root)))
    write_file = archive.write_file

    def write_and_append(*arguments: Any) -> archive.Part:
        part = write_file(*arguments)
        if store.lines == 2:
            store.add([9 * DAY_S - 1])
        return part

    monkeypatch.setattr(archive, "write_file", write_and_append)
    store.retainer.run_due()
    assert store.count() == 1
    assert sorted(read_archive(root)["line_offset"].to_pylist()) == [1, 2]
    assert store.total("hits") == 3
