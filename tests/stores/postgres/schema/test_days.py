"""Partitions of a day: created on demand and ahead, filled from the default partition, dropped when they are old."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from puppylog.errors import StoreError
from puppylog.model.metric import Metric
from puppylog.stores.postgres.schema.bootstrap import Lifetimes, bootstrap
from puppylog.stores.postgres.store import PostgresStore
from support.asking import ask
from support.lines import Source, records

TODAY = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def days(url: str) -> set[str]:
    return {str(name) for (name,) in ask(url, "SELECT name FROM puppylog.list_days()")}


def partition(day: datetime) -> str:
    return f"log_records_{day:%Y%m%d}"


def in_rest(url: str) -> int:
    return int(ask(url, "SELECT count(*) FROM puppylog.log_records_rest")[0][0])


@pytest.fixture
def source(postgres_store_url: str) -> Iterator[Source]:
    with PostgresStore(postgres_store_url) as store:
        yield Source(store)


def test_appending_a_line_creates_the_partition_of_its_day(postgres_store_url: str, source: Source) -> None:
    month_ago = TODAY - timedelta(days=30)
    source.append(records(2, ts=month_ago, step_s=86_400))
    assert {partition(month_ago), partition(month_ago + timedelta(days=1))} <= days(postgres_store_url)
    assert in_rest(postgres_store_url) == 0


@pytest.mark.parametrize("far", [timedelta(days=-5000), timedelta(days=400)])
def test_a_day_far_from_now_gets_no_partition_and_loses_no_line(
    postgres_store_url: str, source: Source, far: timedelta
) -> None:
    before = days(postgres_store_url)
    assert source.append(records(3, ts=TODAY + far)).records == 3
    assert days(postgres_store_url) == before
    assert in_rest(postgres_store_url) == 3


def test_lines_of_a_locked_day_go_into_the_default_partition_and_are_moved_later(
    postgres_store_url: str, source: Source
) -> None:
    week_ago = TODAY - timedelta(days=7)
    source.append(records(1, ts=TODAY + timedelta(days=900)))  # a line in the rest, so that a reader has a row to read
    with psycopg.connect(postgres_store_url) as reader:
        reader.execute("SELECT count(*) FROM puppylog.log_records_rest")
        source.append(records(5, ts=week_ago, start=source.offset))
        assert partition(week_ago) not in days(postgres_store_url)
        assert in_rest(postgres_store_url) == 6
    ask(postgres_store_url, "SELECT puppylog.tend_days()")
    assert partition(week_ago) in days(postgres_store_url)
    assert in_rest(postgres_store_url) == 1
    assert ask(postgres_store_url, "SELECT count(*) FROM puppylog.log_records") == [(6,)]


def test_the_partitions_of_the_next_days_are_created_ahead(postgres_store_url: str) -> None:
    ask(postgres_store_url, "SELECT puppylog.tend_days()")
    assert {partition(TODAY + timedelta(days=ahead)) for ahead in range(4)} <= days(postgres_store_url)


def test_records_are_dropped_with_their_day_and_their_metrics_stay(postgres_store_url: str, source: Source) -> None:
    old, odd = TODAY - timedelta(days=40), TODAY - timedelta(days=4000)
    source.append(
        records(4, ts=old, step_s=0), records(2, ts=odd, step_s=0, start=400), records(1, start=600, ts=TODAY)
    )
    source.store.create_metric(Metric("total", "count", "*", 3600))
    bootstrap(postgres_store_url, lifetimes=Lifetimes(drop_after_s=30 * 86_400))
    ask(postgres_store_url, "SELECT puppylog.tend_days()")
    assert partition(old) not in days(postgres_store_url)
    assert ask(postgres_store_url, "SELECT count(*) FROM puppylog.log_records") == [(1,)]
    # A late line must not erase a bucket whose records were dropped.
    source.append(records(1, ts=old, start=source.offset))
    ask(postgres_store_url, "UPDATE puppylog.metrics SET refreshed_at = NULL")
    ask(postgres_store_url, "CALL puppylog.refresh_rollups()")
    assert ask(postgres_store_url, "SELECT sum(value) FROM metrics.total") == [(7.0,)]


def test_bootstrap_without_options_keeps_the_lifetimes_of_records(postgres_store_url: str) -> None:
    bootstrap(postgres_store_url, lifetimes=Lifetimes(drop_after_s=30 * 86_400))
    assert bootstrap(postgres_store_url).drop_after_s == 30 * 86_400
    assert bootstrap(postgres_store_url, lifetimes=Lifetimes(drop_after_s=0)).drop_after_s is None


@pytest.mark.parametrize(
    ("width", "bucket"),
    [
        ("10 seconds", "2026-03-01 12:00:10+00"),
        ("7 days", "2026-02-23 00:00:00+00"),
        ("3 months", "2026-01-01 00:00:00+00"),
    ],
)
def test_time_bucket_gives_the_same_as_on_timescaledb(postgres_store_url: str, width: str, bucket: str) -> None:
    sql = f"SELECT puppylog.time_bucket('{width}', '2026-03-01 12:00:17+00') = '{bucket}'::timestamptz"
    assert ask(postgres_store_url, sql) == [(True,)]


def test_a_line_without_a_partition_is_not_rejected(postgres_store_url: str) -> None:
    with psycopg.connect(postgres_store_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE puppylog.log_records DETACH PARTITION puppylog.log_records_rest")
    with PostgresStore(postgres_store_url) as store:
        source = Source(store)
        with pytest.raises(StoreError, match='no partition of relation "log_records" found for row'):
            source.append(records(1, ts=datetime(1999, 3, 1, tzinfo=UTC)))
        assert store.query("SELECT count(*) AS n FROM puppylog.rejected_lines").to_pylist() == [{"n": 0}]
