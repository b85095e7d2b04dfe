"""Age, size and archive in the engine: which records go, that metrics keep them, and that the archive has them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from puppylog.errors import StoreFull
from puppylog.model.metric import Metric
from puppylog.model.record import RECORDS, REJECTS
from puppylog.model.retention import Retention
from puppylog.stores.archived import ARCHIVED
from puppylog.stores.duckdb.engine import archive, dropping, retainer
from puppylog.stores.duckdb.engine.database import Connection, Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.refresh import US_PER_S, refresh
from puppylog.stores.duckdb.engine.retainer import Retainer
from puppylog.stores.duckdb.engine.schema import migrate
from puppylog.stores.duckdb.engine.size import read_size

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY_S = 86_400
SOURCES = pa.schema([("stream_id", pa.int32()), ("file_id", pa.int32())])


class Store:
    """An engine whose clock stands still, and whose retainer runs only when a test calls it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOW
        self.lines = 0
        self.retainer = Retainer(engine, lambda: round(self.now.timestamp() * US_PER_S), runs_thread=False)

    def add(self, ages_s: Sequence[float], stream_id: int = 1, **columns: Any) -> None:
        """Store a record for each age, in seconds before NOW."""
        rows = [
            {"ts": NOW - timedelta(seconds=age_s), "line_offset": self.lines + no, "stream_id": stream_id, "file_id": 7}
            for no, age_s in enumerate(ages_s)
        ]
        self.lines += len(rows)
        table = pa.Table.from_pylist([{**row, **columns} for row in rows], pa.schema([*SOURCES, *RECORDS]))
        self.engine.write(lambda connection: append_records(connection, table))

    def reject(self, age_s: float) -> None:
        line = {"stream_id": 1, "file_id": 7, "line_offset": self.lines, "reason": "odd", "line": b"x"}
        self.lines += 1
        rows = pa.Table.from_pylist([line], pa.schema([*SOURCES, *REJECTS]))

        def work(connection: Connection) -> None:
            with connection.table("rejects", rows):
                at = f"TIMESTAMPTZ '{(NOW - timedelta(seconds=age_s)).isoformat()}'"
                connection.run(
                    f"INSERT INTO puppylog.rejected_lines BY NAME SELECT *, {at} AS rejected_at FROM rejects"
                )

        self.engine.write(work)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.engine.read() as connection:
            return connection.rows(sql)

    def count(self, table: str = "log_records") -> int:
        return int(self.rows(f"SELECT count(*) AS n FROM puppylog.{table}")[0]["n"])

    def metric(self, name: str, statistic: str = "count", prop: str = "*", period_s: int = 60, **rest: Any) -> None:
        metric = Metric(name, statistic, prop, period_s, **rest)
        self.engine.write(partial(DEFINITIONS.create_metric, metric=metric))

    def refresh(self, *names: str) -> None:
        now_us = round(self.now.timestamp() * US_PER_S)
        self.engine.write(lambda connection: refresh(connection, names, now_us))

    def total(self, name: str) -> float:
        return float(self.rows(f"SELECT coalesce(sum(value), 0) AS n FROM metrics.{name}")[0]["n"])

    def values(self, name: str) -> list[float | None]:
        return [row["value"] for row in self.rows(f"SELECT value FROM metrics.{name} ORDER BY bucket, segment")]

    def keep(self, retention: Retention) -> None:
        self.retainer.set_retention(retention)
        self.retainer.run_due()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Engine(tmp_path / "database") as engine:
        engine.write(migrate)
        yield Store(engine)


def read_archive(root: Path, pattern: str = "*/day=*/*.parquet") -> pa.Table:
    """Return all rows of the archive's files, as a program that knows only the directory."""
    tables = [parquet.read_table(str(path)) for path in sorted(root.glob(pattern))]
    return pa.concat_tables([table.select([name for name in table.column_names if name != "day"]) for table in tables])


def test_records_go_by_whole_days_and_rejected_lines_with_them(store: Store) -> None:
    store.add([0, DAY_S, 2.4 * DAY_S, 2.6 * DAY_S, 10 * DAY_S])
    store.reject(1 * DAY_S)
    store.reject(5 * DAY_S)
    store.keep(Retention(2 * DAY_S))
    # At noon records of the last two days are kept, and those of the rest of the day of the oldest of them.
    assert store.count() == 3
    assert store.count("rejected_lines") == 1
    (dropped,) = store.rows("SELECT records, rejected_lines FROM puppylog.dropped")
    assert dropped == {"records": 2, "rejected_lines": 1}


def test_the_records_of_a_group_have_their_own_age(store: Store) -> None:
    store.engine.write(
        lambda connection: connection.run(
            "INSERT INTO puppylog.log_groups VALUES (5, 'shop');"
            "INSERT INTO puppylog.log_streams VALUES (1, 5, 'a', now()), (2, NULL, 'b', now())"
        )
    )
    for stream_id in (1, 2):
        store.add([0, 10 * DAY_S, 40 * DAY_S], stream_id)
    store.keep(Retention(30 * DAY_S, (("shop", 7 * DAY_S),)))
    found = store.rows("SELECT stream_id, count(*) AS n FROM puppylog.log_records GROUP BY 1 ORDER BY 1")
    assert found == [{"stream_id": 1, "n": 1}, {"stream_id": 2, "n": 2}]
    store.keep(Retention(groups=(("shop", 7 * DAY_S), ("other", 3600))))
    assert store.count() == 3


def test_metrics_keep_dropped_records_and_are_never_computed_again_from_those_that_are_left(store: Store) -> None:
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
    store: Store, statistic: str, prop: str, values: list[float]
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


def test_a_late_line_is_added_to_a_share_with_its_parts(store: Store) -> None:
    store.metric("errors", "ratio", of="status_code >= 500")
    store.add([10 * DAY_S] * 3, status_code=200)
    store.keep(Retention(7 * DAY_S))
    store.add([10 * DAY_S], status_code=500)
    store.refresh("errors")
    assert store.rows("SELECT value, part, whole FROM metrics.errors") == [{"value": 0.25, "part": 1, "whole": 4}]


def test_a_metric_that_cannot_be_refreshed_keeps_no_record(store: Store) -> None:
    store.metric("hits")
    store.metric("broken", "sum", "attributes.n")
    store.add([10 * DAY_S], attributes='{"n": "1"}')
    store.engine.write(lambda connection: connection.run("DROP VIEW metrics.broken"))
    (row,) = store.rows("SELECT id FROM puppylog.metrics WHERE name = 'broken'")
    store.engine.write(lambda connection: connection.run(f"DROP TABLE puppylog.rollup_{row['id']}"))
    store.keep(Retention(7 * DAY_S))
    assert store.count() == 0
    assert store.total("hits") == 1


def test_dropped_rows_are_in_the_archive_with_the_names_of_their_sources(store: Store, tmp_path: Path) -> None:
    store.engine.write(
        lambda connection: connection.run(
            "INSERT INTO puppylog.log_groups VALUES (5, 'shop');"
            "INSERT INTO puppylog.log_streams VALUES (1, 5, 'file://web/a.log', now());"
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


def test_records_stay_if_the_archive_is_gone_and_go_when_it_is_back(store: Store, tmp_path: Path) -> None:
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
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    again = Store(store.engine)
    assert list(root.glob("*/day=*/*")) == []
    again.retainer.run_due()
    assert again.count() == 1
    assert read_archive(root).num_rows == 1


def _crash(*_: object) -> int:
    raise KeyboardInterrupt


def test_a_line_that_is_stored_during_a_drop_stays(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


@contextmanager
def sizes(monkeypatch: pytest.MonkeyPatch, largest_bytes: int) -> Iterator[Retention]:
    """Yield a retention with a smaller size than users may choose."""
    monkeypatch.setattr("puppylog.model.retention.LEAST_MAX_BYTES", 1)
    yield Retention(max_bytes=largest_bytes)


def fill(store: Store, hours: int, rows: int = 40_000) -> None:
    """Store batches of random texts, which hardly compress, an hour each, through the check of the size."""
    for hour in range(hours):
        table = pa.table(
            {
                "ts": pa.array([NOW - timedelta(hours=hours - hour)] * rows, pa.timestamp("us", "UTC")),
                "stream_id": pa.array([1] * rows, pa.int32()),
                "file_id": pa.array([7] * rows, pa.int32()),
                "line_offset": pa.array(range(store.lines, store.lines + rows), pa.int64()),
            }
        )
        with store.engine.read() as connection:
            texts = connection.fetch(f"SELECT md5(random()::VARCHAR) AS message FROM range({rows})")
        table = table.append_column("message", texts["message"].combine_chunks())
        store.lines += rows
        with store.retainer.space_for(rows, table.nbytes):
            store.engine.write(partial(append_records, records=complete(table)))


def complete(table: pa.Table) -> pa.Table:
    missing = [field for field in RECORDS if field.name not in table.column_names]
    for field in missing:
        table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


@pytest.mark.parametrize("has_archive", [False, True])
def test_a_store_is_never_larger_than_its_limit_and_its_metrics_keep_everything(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, has_archive: bool
) -> None:
    limit_bytes, found = 12_000_000, []
    store.metric("hits")
    with sizes(monkeypatch, limit_bytes) as retention:
        root = tmp_path / "archive"
        store.keep(replace(retention, archive=str(root)) if has_archive else retention)

        def note_size(engine: Engine) -> int:
            found.append(read_size(engine))
            return found[-1]

        monkeypatch.setattr(retainer, "read_size", note_size)
        fill(store, 8)
    assert max(found) <= limit_bytes
    assert store.count() < store.lines
    assert store.total("hits") == store.lines
    kept = store.rows("SELECT line_offset FROM puppylog.log_records ORDER BY 1")
    offsets = [row["line_offset"] for row in kept]
    if has_archive:
        offsets = sorted([*offsets, *read_archive(root)["line_offset"].to_pylist()])
        assert offsets == list(range(store.lines))
    else:
        assert offsets == list(range(store.lines - len(offsets), store.lines))  # the newest lines are left


def test_a_batch_is_refused_while_the_archive_of_a_full_store_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    with sizes(monkeypatch, 6_000_000) as retention:
        store.keep(replace(retention, archive=str(root)))
        root.rmdir()
        with pytest.raises(
            StoreFull, match=r"it has its largest size, and cannot write to archive .*: there is no such"
        ):
            fill(store, 8, rows=20_000)
        stored = store.count()
        root.mkdir()
        store.lines = stored
        fill(store, 3, rows=20_000)
    assert read_size(store.engine) <= 6_000_000
    assert store.count() + read_archive(root).num_rows == stored + 3 * 20_000
