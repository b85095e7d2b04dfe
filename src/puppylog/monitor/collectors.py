"""How collectors get on, by what they have said of their streams: who is behind, and by how much; who has stalled.

This is the one place where that is judged: ``collector status`` and ``doctor`` both ask here.

A collector that has stalled cannot say so. So what it says has an age, and everything is judged by the store's clock.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from puppylog.model.finding import format_age
from puppylog.model.stream import name_source, split_uri
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

STALE_S: Final = 30
"""Two reports of a collector are 15 s apart at most; so this is two that have not come."""

# A report may be a little ahead of the question: on PostgreSQL, both are of the time when a transaction began.
_AHEAD_S: Final = 5.0

_QUERIES = load_queries("puppylog.stores", "collectors.sql")


class StreamState(StrEnum):
    """How a stream gets on."""

    OK = "ok"  # everything is read
    BEHIND = "behind"  # something waits, and is being stored
    STALLED = "stalled"  # nothing is stored, though it should be
    FINISHED = "finished"  # its file was read to its end, all of it is stored, and it is not there any more
    ENDED = "ended"  # its collector has ended in order


@dataclass(frozen=True, slots=True)
class FollowedStream:
    """One stream, and what its collector has said of it."""

    stream_id: int
    source_uri: str
    group: str | None
    state: StreamState
    problem: str | None  # why it has stalled
    report_age_s: float
    lag_bytes: int  # that wait to be stored, read or not
    lag_s: float  # for how long the oldest of them has been waiting; 0 if none is
    lines_per_s: float
    stored_at: datetime | None  # when lines were last stored
    records: int  # stored since the collector started
    rejects: int
    waiting_lines: int  # that were read, and wait for the store
    format: str

    @property
    def host(self) -> str | None:
        return split_uri(self.source_uri)[0]

    @property
    def source(self) -> str:
        return split_uri(self.source_uri)[1]

    @property
    def name(self) -> str:
        return name_source(self.source_uri)


def list_followed_streams(
    reader: RecordReader, *, stale_s: float = STALE_S, within_s: float | None = None, group: str | None = None
) -> list[FollowedStream]:
    """Return the streams that collectors follow or have followed, in the order of their sources.

    Args:
        reader: the store.
        stale_s: after so long without a report, or without a line stored while lines wait, a stream has stalled.
        within_s: leave out those of which no collector has said anything for so long.
        group: only streams of this log group.
    """
    rows = reader.query(_QUERIES["stream_reports"], {"group": group}).to_pylist()
    return [_judge(row, stale_s) for row in rows if within_s is None or row["report_age_s"] <= within_s]


def _judge(row: dict[str, Any], stale_s: float) -> FollowedStream:
    age_s = max(0.0, row["report_age_s"])
    is_over = row["ended"] or row["finished"]
    problem = None if is_over else _problem_of(row, age_s, stale_s)
    if is_over:
        state = StreamState.ENDED if row["ended"] else StreamState.FINISHED
    elif problem is not None:
        state = StreamState.STALLED
    else:
        state = StreamState.BEHIND if row["backlog_bytes"] else StreamState.OK
    is_alive = not is_over and age_s <= stale_s
    # What waits goes on waiting while nobody says anything; after an orderly end nobody waits for it.
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
