"""Which levels of a metric answer a question, so that few rows are read and the answer is that of all buckets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from puppylog.model.metric import Metric
from puppylog.monitor.metric_reader import METRICS_SQL
from puppylog.monitor.range import Range
from puppylog.monitor.segments import Segments, letters_of, render_segments
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.levels import Part, merge_sql, rows_sql
from puppylog.stores.queries import load_queries
from puppylog.stores.sketches import has_sketch

_QUERIES = load_queries("puppylog.stores", "monitor.sql")
_COLUMNS: Final = ["id", "name", "step_s", "level_watermark", "has_sizes"]  # all columns take four times as long
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LIVE_TIMES: Final = (1, 8, 64)  # the lengths of live parts, in times of the buckets that are asked for
_MAX_LIVE_S: Final = 366 * 86_400  # a question about a longer time is answered from the whole range


@dataclass(frozen=True, slots=True)
class Levels:
    """The roll-ups of one metric in the store."""

    metric_id: int
    watermarks: dict[int, datetime]  # by the seconds in a bucket; without roll-ups that have no bucket
    has_sizes: bool  # whether the store knows how many buckets all segments together have


@dataclass(slots=True)
class Instants:
    """Parameters of a query that are instants. Each has a name of its own."""

    parameters: dict[str, Value] = field(default_factory=dict)

    def add(self, instant: datetime) -> str:
        """Return the parameter, as ``$edge_b``, for an instant."""
        name = f"edge_{letters_of(len(self.parameters))}"
        self.parameters[name] = instant.astimezone(UTC).isoformat()
        return f"${name}"

    def limit(self, since: datetime | None, until: datetime | None) -> list[str]:
        """Return the conditions on buckets from one instant up to but not including another."""
        conditions = [] if since is None else [_QUERIES["since_bucket"].format(instant=self.add(since))]
        return conditions if until is None else [*conditions, _QUERIES["until_bucket"].format(instant=self.add(until))]


def read_levels(reader: RecordReader) -> dict[str, Levels]:
    """Return the levels of the metrics that have any, by the names of the metrics."""
    found: dict[str, Levels] = {}
    for row in reader.query(METRICS_SQL).select(_COLUMNS).to_pylist():
        if row["step_s"] is None:
            continue
        levels = found.setdefault(row["name"], Levels(row["id"], {}, row["has_sizes"]))
        if row["level_watermark"] is not None:
            levels.watermarks[row["step_s"]] = row["level_watermark"]
    return found


def steps_sql(
    metric: Metric, levels: Levels, step_s: int, within: Range, instants: Instants, *, in_segments: str = "true"
) -> str:
    """Return the query of a metric in steps: ``bucket``, ``segment``, ``value`` and further columns.

    Each part of the range is read from the coarsest level that divides a step, is materialized there, and has no bucket
    that reaches over an end of the range.

    Args:
        metric: a metric that is not derived.
        levels: its levels.
        step_s: the seconds in a step, a multiple of the metric's period.
        within: the range.
        instants: takes the parameters of the query.
        in_segments: SQL, the condition on the segments that are read.
    """
    usable = [level_s for level_s in levels.watermarks if step_s % level_s == 0]
    return merge_sql(metric, step_s, _list_parts(metric, levels, usable, within, instants, in_segments=in_segments))


def coarsest_sql(metric: Metric, levels: Levels, within: Range, instants: Instants) -> str:
    """Return the query of the fewest rows that have all segments and all values of a range, as `rows_sql` makes it."""
    return rows_sql(metric, _list_parts(metric, levels, list(levels.watermarks), within, instants))


def _list_parts(
    metric: Metric,
    levels: Levels,
    usable: Sequence[int],
    within: Range,
    instants: Instants,
    *,
    in_segments: str = "true",
) -> list[Part]:
    """Return the parts of a range, each of the coarsest of the usable levels, or of the metric's own buckets."""
    parts: list[Part] = []
    usable = [level_s for level_s in usable if level_s != metric.period_s]
    for level_s, part in cover(sorted(usable, reverse=True), levels, within.since, within.until):
        where = " AND ".join([*instants.limit(part.since, part.until), in_segments])
        if level_s is None:
            sketches = f"puppylog.sketches_{levels.metric_id}" if has_sketch(metric) else None
            parts.append(Part(f"puppylog.buckets_{levels.metric_id}", metric.period_s, sketches, where))
        else:
            level, sketch = (f"puppylog.{kind}_{levels.metric_id}_{level_s}" for kind in ("level", "sketch"))
            parts.append(Part(level, level_s, sketch if has_sketch(metric) else None, where, is_level=True))
    return parts


def cover(
    usable: Sequence[int], levels: Levels, since: datetime | None, until: datetime | None
) -> list[tuple[int | None, Range]]:
    """Return the parts of a range, each with the seconds of its level; None for the metric's own buckets.

    Each part is of the coarsest level that is materialized there and has no bucket that reaches over an end of it.

    Args:
        usable: the levels that may be used, the coarsest first.
        levels: the metric's levels.
        since: the start of the range.
        until: its end.
    """
    if since is not None and until is not None and since >= until:
        return [(None, Range(since, until))]
    for no, level_s in enumerate(usable):
        finer, watermark = usable[no + 1 :], levels.watermarks[level_s]
        start = None if since is None else -_round_down(-_seconds(since), level_s)
        end = _round_down(_seconds(watermark if until is None else min(until, watermark)), level_s)
        if start is not None and start >= end:
            continue
        first, last = None if start is None else _instant(start), _instant(end)
        parts: list[tuple[int | None, Range]] = [(level_s, Range(first, last))]
        if since is not None and first is not None and since < first:
            parts = [*cover(finer, levels, since, first), *parts]
        return parts if until is not None and last >= until else [*parts, *cover(finer, levels, last, until)]
    return [(None, Range(since, until))]


def _seconds(at: datetime) -> float:
    return (at - _EPOCH) / timedelta(seconds=1)


def _instant(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def _round_down(seconds: float, step_s: int) -> int:
    return int(seconds // step_s) * step_s


class Newest(NamedTuple):
    """The part of a range that has its newest buckets."""

    within: Range
    segments: int  # the least number of segments that have a value in it; 0 is unknown


def find_newest(
    reader: RecordReader, metric: Metric, levels: Levels, *, within: Range, buckets: int, segments: Segments
) -> Newest:
    """Return a part of a range that has its newest ``buckets`` buckets, or the range itself.

    The part is found with the finest level: the newest buckets of a metric are seldom many of the level's.
    """
    coarser = [level_s for level_s in sorted(levels.watermarks) if level_s != metric.period_s]
    if not coarser:
        return Newest(within, 0)
    instants = Instants()
    in_segments, names = render_segments(segments)
    where = " AND ".join([*instants.limit(within.since, within.until), in_segments])
    sql = _QUERIES["newest_level_buckets"].format(id=levels.metric_id, step_s=coarser[0], where=where)
    parameters = {**instants.parameters, **names, "most": buckets}
    found = max_segments = 0
    for row in reader.query(sql, parameters).to_pylist():
        # A level's bucket that reaches over the end of the range may have no bucket in the range.
        is_whole = within.until is None or row["bucket"] + timedelta(seconds=coarser[0]) <= within.until
        if is_whole:
            found += row["buckets"]
            max_segments = max(max_segments, row["segments"])
        if found >= buckets:
            since = row["bucket"] if within.since is None else max(row["bucket"], within.since)
            # The oldest of the level's buckets may begin before the range, and hold segments that the range has not.
            is_cut = within.since is not None and row["bucket"] < within.since
            return Newest(Range(since, within.until), 0 if is_cut else max_segments)
    return Newest(within, 0)


def list_live_parts(
    reader: RecordReader, metric: Metric, levels: Levels, *, within: Range, buckets: int
) -> list[Range]:
    """Return parts at the end of a range, the shortest first, one of which may have its newest ``buckets`` buckets.

    They are above the metric's watermark, where buckets are computed from records whenever they are read. Usually the
    watermark is some seconds old and there is no such part. During a backfill it stays behind, and to read all
    buckets above it would take longer and longer.

    A part ends with the newest record's bucket. PostgreSQL has no statistics of a table that has just been filled. It
    takes a range with a start and an end for few rows, which it finds by the index. A range without an end it takes for
    a third of the table, and reads the whole table.
    """
    if buckets * metric.period_s > _MAX_LIVE_S:
        return []
    span = timedelta(seconds=buckets * metric.period_s)
    oldest = max(filter(None, (within.since, levels.watermarks.get(metric.period_s))), default=None)
    end = datetime.now(UTC) if within.until is None else within.until
    if oldest is not None and oldest >= end - span:
        return []
    # With a start, TimescaleDB plans no scan of the chunks below the watermark.
    above = Range(oldest, within.until).parameters()
    [row] = reader.query(_QUERIES["newest_record"], above).to_pylist()
    parts: list[Range] = []
    if row["newest"] is None:
        return parts
    newest_end = _instant(_round_down(_seconds(row["newest"]), metric.period_s) + metric.period_s)
    until = newest_end if within.until is None else min(within.until, newest_end)
    for times in _LIVE_TIMES:
        since = _instant(_round_down(_seconds(row["newest"] - times * span), metric.period_s))
        if oldest is not None and since <= oldest:
            break
        parts.append(Range(since, until))
    return parts
