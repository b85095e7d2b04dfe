"""What the doctor says about the records that an embedded store keeps."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.model.finding import Finding, Health
from puppylog.stores.duckdb.client.doctor_retention import judge_retention
from puppylog.stores.duckdb.directory import StoreDirectory
from support.memory import MemoryReader


@pytest.fixture
def reader() -> Iterator[MemoryReader]:
    with MemoryReader() as reader:
        yield reader


def judge(reader: MemoryReader, sql: str = "") -> Finding:
    if sql:
        reader.connection.execute(sql)
    return judge_retention(reader, StoreDirectory(Path("/nowhere")))


def test_a_new_store_keeps_all_records(reader: MemoryReader) -> None:
    assert judge(reader) == Finding("retention", Health.OK, "all records are kept")


def test_the_rules_and_the_next_drop_are_named(reader: MemoryReader) -> None:
    reader.insert("log_records", ts="2026-11-01T10:20:30Z")
    found = judge(reader, "UPDATE puppylog.retention SET keep_s = 172800, archive = '/srv/a'")
    assert found.state is Health.OK
    assert found.found == (
        "records are kept for 2d, they are archived in /srv/a; the oldest record is of 2026-11-01T10:20:30+00:00; "
        "the next are dropped at 2026-11-04T00:00:00+00:00"
    )


def test_an_archive_that_cannot_be_written_is_wrong(reader: MemoryReader) -> None:
    found = judge(
        reader,
        "UPDATE puppylog.retention SET keep_s = 86400;"
        "UPDATE puppylog.dropped SET error = 'cannot write to archive /srv/a: no space left on device'",
    )
    assert found.state is Health.WRONG
    assert found.found.startswith(
        "old records cannot be dropped: cannot write to archive /srv/a: no space left on device;"
    )


def test_a_maximum_size_that_holds_less_than_a_day_or_a_period_is_a_warning(reader: MemoryReader) -> None:
    reader.insert("log_records", ts="2026-11-01T12:00:00Z")
    found = judge(
        reader,
        "UPDATE puppylog.retention SET max_bytes = 50000000;"
        "UPDATE puppylog.dropped SET before = '2026-11-01 06:30:00+00', records = 5, dropped_at = now()",
    )
    assert found.state is Health.WARNING
    assert found.found.startswith("max_size holds less than one day: 5.5 h of records;")
    reader.insert("metrics", name="daily", period_s=86400)
    assert "less than a period of metric daily" in judge(reader).found
