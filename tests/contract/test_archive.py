"""The archive of an embedded store, through the engine: users' SQL reads it beside the live rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from puppylog.errors import QueryError
from puppylog.model.retention import Retention
from puppylog.stores.base import Store
from support.embedded import EmbeddedStore, wait_until
from support.lines import Source, records

DAY_S = 86_400
NOW = datetime.now(UTC)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "store") as server:
        yield server


def ask(store: Store, sql: str) -> list[dict[str, object]]:
    with store.stream_query(sql) as batches:
        return [row for batch in batches for row in batch.to_pylist()]


def test_the_archive_can_be_read_beside_the_live_rows(embedded: EmbeddedStore, tmp_path: Path) -> None:
    store = embedded.connect()
    assert ask(store, "SELECT count(*) AS n FROM log_archive") == [{"n": 0}]
    source = Source(store, "file:///var/log/shop.log", group="shop")
    source.append(records(3, ts=NOW - timedelta(days=10)), records(2, start=300, ts=NOW - timedelta(days=1)))
    root = tmp_path / "archive"
    assert store.set_retention(Retention(7 * DAY_S, archive=str(root)))
    both = "SELECT line_offset FROM log_archive UNION ALL SELECT line_offset FROM log_records ORDER BY 1"
    found = (
        "SELECT count(*) AS n FROM Log_Archive WHERE group_name = 'shop' AND source_uri = 'file:///var/log/shop.log'"
    )
    wait_until(lambda: ask(store, found) == [{"n": 3}], what="the archive")
    assert [row["line_offset"] for row in ask(store, both)] == [0, 100, 200, 300, 400]
    assert ask(store, "SELECT count(*) AS n FROM rejected_archive") == [{"n": 0}]
    columns = (
        ask(store, "SELECT * FROM log_archive LIMIT 1")[0].keys() - ask(store, "FROM log_records LIMIT 1")[0].keys()
    )
    assert columns == {"source_uri", "group_name", "file_path", "store_id"}

    moved = tmp_path / "moved"
    root.rename(moved)
    with pytest.raises(QueryError, match=r"its file .* is missing"):
        ask(store, found)
    assert store.set_retention(Retention(7 * DAY_S, archive=str(moved)))
    assert ask(store, found) == [{"n": 3}]


@pytest.mark.parametrize(
    "sql", ["FROM read_parquet('/etc/passwd')", "FROM 'archive.parquet'", "FROM arrow_scan(1, 2, 3)"]
)
def test_users_sql_still_reads_no_other_file(embedded: EmbeddedStore, sql: str) -> None:
    with pytest.raises(QueryError):
        ask(embedded.connect(), f"SELECT * {sql}, log_archive")
