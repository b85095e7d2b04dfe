"""The state of a stream depends on the last report of its collector and on the age of that report."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.monitor.collectors import StreamState, list_followed_streams
from support.memory import MemoryReader

WAITING = "5 bytes wait, and nothing has been stored for"
GONE = "its collector has not reported for"


def add_report(reader: MemoryReader, *, stream_id: int = 1, age_s: float = 1, **values: Any) -> None:
    """Insert a report of ``age_s`` seconds ago; ``behind_s`` and ``stored_ago_s`` are seconds before the report."""
    at = datetime.now(UTC) - timedelta(seconds=age_s)
    for name, column in (("behind_s", "behind_since"), ("stored_ago_s", "stored_at")):
        if values.get(name) is not None:
            values[column] = at - timedelta(seconds=values[name])
        values.pop(name, None)
    reader.insert(
        "log_streams", id=stream_id, source_uri=f"file://web{stream_id}/var/log/a%20b.log", group_id=stream_id
    )
    reader.insert("stream_reports", stream_id=stream_id, reported_at=at, **values)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("report", "state", "problem"),
    [
        ({}, StreamState.OK, None),
        ({"stored_ago_s": 5000}, StreamState.OK, None),
        ({"backlog_bytes": 5, "behind_s": 500, "stored_ago_s": 2}, StreamState.BEHIND, None),
        ({"backlog_bytes": 5, "behind_s": 2, "stored_ago_s": 500}, StreamState.BEHIND, None),
        ({"backlog_bytes": 5, "behind_s": 10, "stored_ago_s": None}, StreamState.BEHIND, None),
        ({"backlog_bytes": 5, "behind_s": 40, "stored_ago_s": 40}, StreamState.STALLED, WAITING),
        ({"backlog_bytes": 5, "behind_s": 40, "stored_ago_s": None}, StreamState.STALLED, WAITING),
        ({"backlog_bytes": 5, "behind_s": 20, "stored_ago_s": 20, "age_s": 15}, StreamState.STALLED, WAITING),
        ({"problem": "cannot read it"}, StreamState.STALLED, "cannot read it"),
        ({"age_s": 100}, StreamState.STALLED, f"{GONE} 1 min: it was killed, or it cannot write to the store"),
        ({"age_s": 100, "problem": "cannot read it"}, StreamState.STALLED, GONE),
        ({"age_s": -4000}, StreamState.STALLED, "its last report is 1 h ahead of the store's clock"),
        ({"age_s": -2}, StreamState.OK, None),
        ({"finished": True, "age_s": 10**6, "problem": "cannot read it: no such file"}, StreamState.FINISHED, None),
        ({"ended": True, "finished": True}, StreamState.FINISHED, None),
        ({"ended": True, "age_s": 10**6, "backlog_bytes": 5, "problem": "cannot read it"}, StreamState.ENDED, None),
    ],
)
def test_the_state_of_a_stream_follows_from_the_last_report(
    reader: MemoryReader, report: dict[str, Any], state: StreamState, problem: str | None
) -> None:
    add_report(reader, **report)
    (stream,) = list_followed_streams(reader)
    assert stream.state is state
    assert (stream.problem is None) if problem is None else str(stream.problem).startswith(problem)


def test_the_caller_chooses_after_what_time_a_stream_has_stalled(reader: MemoryReader) -> None:
    add_report(reader, age_s=100)
    assert [stream.state for stream in list_followed_streams(reader, stale_s=30)] == [StreamState.STALLED]
    assert [stream.state for stream in list_followed_streams(reader, stale_s=200)] == [StreamState.OK]


def test_the_lag_grows_with_the_age_of_the_last_report(reader: MemoryReader) -> None:
    add_report(reader, age_s=100, backlog_bytes=5, behind_s=10, lines_per_s=7.5)
    (stream,) = list_followed_streams(reader)
    assert stream.lag_bytes == 5
    assert stream.lag_s == pytest.approx(110, abs=2)
    assert stream.report_age_s == pytest.approx(100, abs=2)
    assert stream.lines_per_s == 0


def test_a_stream_has_its_host_its_source_and_the_figures_of_its_report(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=1, name="shop")
    add_report(reader, records=10, rejects=2, format="json", lines_per_s=7.5, stored_ago_s=3)
    (stream,) = list_followed_streams(reader)
    assert (stream.host, stream.source, stream.name) == ("web1", "/var/log/a b.log", "web1:/var/log/a b.log")
    assert (stream.group, stream.records, stream.rejects, stream.format) == ("shop", 10, 2, "json")
    assert (stream.lag_bytes, stream.lag_s, stream.lines_per_s) == (0, 0, 7.5)
    assert stream.stored_at is not None
    assert (datetime.now(UTC) - stream.stored_at).total_seconds() == pytest.approx(4, abs=2)


def test_streams_can_be_left_out_by_group_and_by_age(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=1, name="shop")
    add_report(reader, stream_id=1)
    add_report(reader, stream_id=2, age_s=1000)
    assert len(list_followed_streams(reader)) == 2
    assert [stream.host for stream in list_followed_streams(reader, group="shop")] == ["web1"]
    assert [stream.host for stream in list_followed_streams(reader, within_s=100)] == ["web1"]
