"""The state of each stream, derived from the reports of its collector: how far it is behind, and whether it stalled.

``collector status`` and ``doctor`` both use this module, so they always agree.

A collector that was killed cannot report that it stalled. So the age of its last report counts as well, measured by the
store's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from puppylog.model.finding import format_age
from puppylog.model.source import name_on_host, name_source, split_uri
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import decode_labels

STALE_S: Final = 30
"""A collector reports at least every 15 s, so two reports are missing after this time."""

# On PostgreSQL, now() is the time at which a transaction began, so a report may be slightly ahead of the query.
_AHEAD_S: Final = 5.0

_QUERIES = load_queries("puppylog.stores", "collectors.sql")


class StreamState(StrEnum):
    """Whether the lines of a stream are being stored."""

    OK = "ok"  # every line is stored
    BEHIND = "behind"  # lines wait, and are being stored
    STALLED = "stalled"  # lines wait and none is stored, the file cannot be read, or the collector does not report
    FINISHED = "finished"  # the file is gone, and every line of it is stored
    ENDED = "ended"  # the collector has ended normally


@dataclass(frozen=True, slots=True)
class FollowedStream:
    """One stream, and the last report of its collector."""

    stream_id: int
    source_uri: str
    group: str | None
    state: StreamState
    problem: str | None  # why it has stalled
    report_age_s: float
    lag_bytes: int  # bytes that are not stored yet, whether read or not
    lag_s: float  # seconds that the oldest of these bytes has been waiting; 0 if no byte waits
    lines_per_s: float
    stored_at: datetime | None  # when lines were last stored
    records: int  # stored since the collector started
    rejects: int  # likewise
    waiting_lines: int  # lines that were read and are not stored yet
    format: str

    @property
    def host(self) -> str | None:
        return split_uri(self.source_uri)[0]

    @property
    def source(self) -> str:
        return name_on_host(self.source_uri)

    @property
    def name(self) -> str:
        return name_source(self.source_uri)


@dataclass(frozen=True, slots=True)
class StoredStream:
    """One stream with what is stored of it."""

    stream_id: int
    source_uri: str
    group: str | None
    labels: Mapping[str, str]
    files: int
    bytes: int  # of its lines that are stored
    stored_at: datetime | None  # when lines were last stored
    rejected_lines: int  # that are stored as rejected now
    followed: FollowedStream | None  # what its collector has reported; None if no report is known


def list_streams(reader: RecordReader, *, group: str | None = None) -> list[StoredStream]:
    """Return all streams, also those that no collector reports, in the order of their sources.

    Args:
        reader: the store.
        group: only streams of this log group.
    """
    followed = {stream.stream_id: stream for stream in list_followed_streams(reader, group=group)}
    rows = reader.query(_QUERIES["stored_streams"], {"group": group}).to_pylist()
    return [
        StoredStream(
            stream_id=row["stream_id"],
            source_uri=row["source_uri"],
            group=row["group_name"],
            labels=decode_labels(row["labels"]),
            files=row["files"],
            bytes=row["bytes"],
            stored_at=row["stored_at"],
            rejected_lines=row["rejected_lines"],
            followed=followed.get(row["stream_id"]),
        )
        for row in rows
    ]


def list_followed_streams(
    reader: RecordReader, *, stale_s: float = STALE_S, within_s: float | None = None, group: str | None = None
) -> list[FollowedStream]:
    """Return the streams that a collector follows or has followed, in the order of their sources.

    Args:
        reader: the store.
        stale_s: seconds without a report, or without a line stored while lines wait, after which a stream has stalled.
        within_s: leave out streams whose last report is older than this, in seconds.
        group: only streams of this log group.
    """
    rows = reader.query(_QUERIES["stream_reports"], {"group": group}).to_pylist()
    return [_judge(row, stale_s) for row in rows if within_s is None or row["report_age_s"] <= within_s]


def _judge(row: dict[str, Any], stale_s: float) -> FollowedStream:
    age_s = max(0.0, row["report_age_s"])
    is_over = row["ended"] or row["finished"]
    problem = None if is_over else _problem_of(row, age_s, stale_s)
    if is_over:
        state = StreamState.FINISHED if row["finished"] else StreamState.ENDED
    elif problem is not None:
        state = StreamState.STALLED
    else:
        state = StreamState.BEHIND if row["backlog_bytes"] else StreamState.OK
    is_alive = not is_over and age_s <= stale_s
    # Bytes that waited at the last report have waited since then as well, unless the collector has ended.
    lag_s = 0.0 if row["behind_s"] is None else row["behind_s"] + (0.0 if row["ended"] else age_s)
    return FollowedStream(
        stream_id=row["stream_id"],
        source_uri=row["source_uri"],
        group=row["group_name"],
        state=state,
        problem=problem,
        report_age_s=age_s,
        lag_bytes=row["backlog_bytes"],
        lag_s=lag_s,
        lines_per_s=row["lines_per_s"] if is_alive else 0.0,
        stored_at=row["stored_at"],
        records=row["records"],
        rejects=row["rejects"],
        waiting_lines=0 if is_over else row["waiting_lines"],
        format=row["format"],
    )


def _problem_of(row: dict[str, Any], age_s: float, stale_s: float) -> str | None:
    """Return why the stream has stalled; None if it has not."""
    ahead_s = -row["report_age_s"]
    if ahead_s > _AHEAD_S:
        ahead = format_age(ahead_s)
        return (
            f"its last report is {ahead} ahead of the store's clock: the clock was set back, and no report came since"
        )
    if age_s > stale_s:
        age = format_age(age_s)
        return f"its collector has not reported for {age}: it was killed, or it cannot write to the store"
    if row["problem"] is not None:
        return str(row["problem"])
    waiting_s = row["behind_s"] or 0.0
    idle_s = waiting_s if row["stored_ago_s"] is None else min(waiting_s, row["stored_ago_s"])
    if row["backlog_bytes"] and idle_s + age_s > stale_s:
        return f"{row['backlog_bytes']:,} bytes wait, and nothing has been stored for {format_age(idle_s + age_s)}"
    return None
