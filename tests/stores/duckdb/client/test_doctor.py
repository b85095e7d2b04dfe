"""The findings that only an embedded store has: metrics that wait for a refresh, and the disk."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from puppylog.model.finding import Finding, Health
from puppylog.stores.base import StoreInfo
from puppylog.stores.duckdb.client import doctor
from puppylog.stores.duckdb.client.doctor import list_findings
from puppylog.stores.duckdb.directory import StoreDirectory
from support.memory import MemoryReader

pytestmark = pytest.mark.sampled

METRIC = {"id": 1, "name": "hits", "statistic": "count", "property": "*", "period_s": 60, "refresh_s": 10}


def verify_nothing(within_s: float) -> dict[str, int]:
    del within_s
    return {"read": 0, "rows": 0}


def metric_of(reader: MemoryReader, path: Path) -> Finding:
    """Return the finding about the metric."""
    reader.connection.execute("CREATE TABLE puppylog.rollup_1 (bucket TIMESTAMPTZ, segment VARCHAR, value DOUBLE)")
    reader.connection.execute(
        "INSERT INTO puppylog.rollup_1 SELECT time_bucket(INTERVAL '1 minute', ts), NULL, count(*) "
        "FROM puppylog.log_records GROUP BY 1"
    )
    told = list_findings(
        reader, StoreInfo("duckdb:///x", "duckdb", "2.0.0", 1), StoreDirectory(path), 123, verify_nothing
    )
    [found] = [finding for finding in told.findings if finding.subject == "metric hits"]
    return found


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("refreshed_s", "record_s", "state"),
    [
        (5_000, 9_000, Health.OK),  # no record has come since: the record is below the watermark
        (5_000, 3_000, Health.WRONG),
        (5_000, 150, Health.OK),  # the record is in the current bucket, or in the bucket before it
        (90, 80, Health.OK),
    ],
)
def test_a_metric_is_wrong_when_records_have_waited_for_its_refresh(
    refreshed_s: float, record_s: float, state: Health, tmp_path: Path
) -> None:
    with MemoryReader() as reader:
        reader.insert("metrics", **METRIC, refreshed_at=ago(refreshed_s), watermark=ago(refreshed_s + 60))
        reader.insert("log_records", ts=ago(record_s))
        assert metric_of(reader, tmp_path).state is state


@pytest.mark.parametrize(("seq", "state"), [(3, Health.OK), (4, Health.WRONG)])
def test_a_metric_is_wrong_when_late_records_have_waited_for_its_refresh(
    seq: int, state: Health, tmp_path: Path
) -> None:
    with MemoryReader() as reader:
        reader.insert("metrics", **METRIC, refreshed_at=ago(5_000), watermark=ago(0), refreshed_seq=3)
        reader.insert("invalidations", seq=seq, low=ago(9_000), high=ago(9_000))
        assert metric_of(reader, tmp_path).state is state


def test_a_metric_whose_refresh_failed_is_named_with_the_reason(tmp_path: Path) -> None:
    with MemoryReader() as reader:
        reader.insert("metrics", **METRIC, refreshed_at=ago(5), watermark=ago(0), error="cannot run this SQL: no")
        found = metric_of(reader, tmp_path)
    assert (found.state, found.found) == (Health.WRONG, "its last refresh failed: cannot run this SQL: no")


def test_a_new_metric_that_was_not_refreshed_yet_is_ok(tmp_path: Path) -> None:
    with MemoryReader() as reader:
        reader.insert("metrics", **METRIC, created_at=ago(0))
        reader.insert("log_records", ts=ago(9_000))
        assert metric_of(reader, tmp_path).found == "not refreshed yet; its buckets hold all records"


@pytest.mark.parametrize(
    ("free", "state", "words"),
    [
        ((100 << 20, 5), Health.OK, "105 MB are free on the disk of"),
        ((63 << 20, 5), Health.WARNING, "66.1 MB are free on the disk of"),
        ((4096, 5), Health.WRONG, "is full: 4,096 bytes are free, and no line can be stored"),
        ((100 << 20, 0), Health.WRONG, "all of its inodes are used"),
    ],
)
def test_the_finding_about_the_disk_names_how_much_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: tuple[int, int], state: Health, words: str
) -> None:
    free_bytes, free_files = free

    def statvfs(_: Path) -> os.statvfs_result:
        return os.statvfs_result((4096, 4096, 10**9, 10**9, free_bytes // 4096, 10**6, 10**6, free_files, 0, 255))

    monkeypatch.setattr("puppylog.stores.duckdb.client.doctor.os.statvfs", statvfs)
    with MemoryReader() as reader:
        told = list_findings(
            reader, StoreInfo("duckdb:///x", "duckdb", "2.0.0", 1), StoreDirectory(tmp_path), 123, verify_nothing
        )
    [found] = [finding for finding in told.findings if finding.subject == "disk"]
    assert (found.state, bool(found.advice)) == (state, state.is_bad)
    assert words in found.found


def test_metrics_share_the_time_of_the_comparison_and_those_without_any_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "COMPARE_ALL_S", 0)
    with MemoryReader() as reader:
        reader.insert("metrics", **METRIC, created_at=ago(0))
        reader.insert("log_records", ts=ago(9_000))
        found = metric_of(reader, tmp_path)
    skipped = "not compared with the records: the 0 s for all metrics are over"
    assert (found.state, found.found) == (Health.OK, f"not refreshed yet; {skipped}")
