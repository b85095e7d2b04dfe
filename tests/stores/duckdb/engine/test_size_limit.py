"""The size in the engine: the oldest records go before the store is too large, and metrics and archive have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from puppylog.errors import StoreFull
from puppylog.model.record import RECORDS
from puppylog.model.retention import Retention
from puppylog.stores.duckdb.engine import retainer
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.size import read_size
from support.retaining_store import NOW, RetainingStore, open_store, read_archive


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RetainingStore]:
    with open_store(tmp_path) as store:
        yield store


@contextmanager
def sizes(monkeypatch: pytest.MonkeyPatch, largest_bytes: int) -> Iterator[Retention]:
    """Yield a retention with a smaller size than users may choose."""
    monkeypatch.setattr("puppylog.model.retention.MIN_MAX_BYTES", 1)
    yield Retention(max_bytes=largest_bytes)


def fill(store: RetainingStore, hours: int, rows: int = 20_000) -> None:
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


@pytest.mark.sampled
@pytest.mark.parametrize("has_archive", [False, True])
def test_a_store_is_never_larger_than_its_limit_and_its_metrics_keep_everything(
    store: RetainingStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, has_archive: bool
) -> None:
    limit_bytes, found = 6_000_000, []
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
    store: RetainingStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "archive"
    with sizes(monkeypatch, 6_000_000) as retention:
        store.keep(replace(retention, archive=str(root)))
        root.rmdir()
        with pytest.raises(
            StoreFull, match=r"it has reached its maximum size, and cannot write to archive .*: there is no such"
        ):
            fill(store, 8)
        stored = store.count()
        root.mkdir()
        store.lines = stored
        fill(store, 3)
    assert read_size(store.engine) <= 6_000_000
    assert store.count() + read_archive(root).num_rows == stored + 3 * 20_000
