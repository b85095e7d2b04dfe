"""Metrics: their definitions, how far they are materialized, and their observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import pyarrow as pa

from puppylog.errors import NotFound, UsageError
from puppylog.model.derived import is_derived, list_inputs, order_by_depth
from puppylog.model.metric import Metric
from puppylog.model.period import format_period
from puppylog.monitor.extents import LevelReader
from puppylog.monitor.levels import (
    Instants,
    Levels,
    Newest,
    coarsest_sql,
    find_newest,
    list_live_parts,
    read_levels,
    steps_sql,
)
from puppylog.monitor.metric_reader import METRICS_SQL
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.segments import Segments, render_segments, segments_of
from puppylog.monitor.steps import Ends, choose_step, cover_range
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.derived import derived_sql
from puppylog.stores.queries import load_queries, parameters_of
from puppylog.stores.rows import metric_of

Query: TypeAlias = tuple[str, Mapping[str, Value]]
"""A query, and its parameters."""

_IN_STEPS: Final = {
    "count": "sum(value)",
    "sum": "sum(value)",
    "rate": "sum(value) * {period_s} / {step_s}",
    "ratio": "CAST(sum(part) AS DOUBLE PRECISION) / CAST(sum(whole) AS DOUBLE PRECISION)",
    "min": "min(value)",
    "max": "max(value)",
}

_QUERIES = load_queries("puppylog.stores", "monitor.sql")
_LAST: Final = datetime.max.replace(tzinfo=UTC)
"""The end of a range that has a start only: PostgreSQL then reads a table without statistics by its index, see
`puppylog.monitor.levels.list_live_parts`. TimescaleDB does not compare records with ``infinity``."""


@dataclass(frozen=True, slots=True)
class MetricState:
    """A metric, and how far it is materialized."""

    metric: Metric
    created_at: datetime
    watermark: datetime | None  # buckets below the watermark are materialized; None: no bucket is
    refreshed_at: datetime | None
    error: str | None  # why the last refresh failed
    is_being_checked: bool  # late lines have arrived, and their buckets are refreshed within seconds

    @property
    def state(self) -> str:
        """``error``, ``checking`` or ``ok``."""
        if self.error is not None:
            return "error"
        return "checking" if self.is_being_checked else "ok"


@dataclass(frozen=True, slots=True)
class Extent:
    """The size of a metric, including the buckets above its watermark."""

    observations: int
    buckets: int
    segments: int
    first_bucket: datetime | None
    last_bucket: datetime | None


def list_metrics(reader: RecordReader, *, group: str | None = None) -> list[MetricState]:
    """Return the metrics in the order of their names; with ``group``, those that are limited to this log group."""
    states = _read_states(reader).values()
    return [state for state in states if group is None or state.metric.group == group]


def get_metric(reader: RecordReader, name: str) -> MetricState:
    """Return one metric.

    Raises:
        NotFound: no metric has this name.
    """
    state = _read_states(reader).get(name)
    if state is None:
        raise NotFound("find", f"metric {name!r}", advice="see 'puppylog monitor metrics list'")
    return state


def measure_extent(reader: RecordReader, metric: Metric) -> Extent:
    """Return the number of observations, buckets and segments of ``metric``, and its first and last bucket."""
    levels = _find_levels(reader, metric)
    if levels is not None and (metric.segment is None or levels.has_sizes):
        asked = LevelReader(reader, metric, levels)
        observations, segments = asked.count_observations(ALWAYS)
        buckets = observations if metric.segment is None else asked.count_buckets(ALWAYS)
        ends = asked.find_ends(ALWAYS)
        return Extent(observations, buckets, segments, ends and ends.first, ends and ends.last)
    rows, parameters = rows_query(reader, metric, within=ALWAYS)
    sql = _QUERIES["metric_extent"].format(metric=metric.name, segments=rows)
    [row] = reader.query(sql, parameters).to_pylist()
    return Extent(**row)


def read_observations(
    reader: RecordReader, metric: Metric, *, within: Range = ALWAYS, buckets: int, segment: str | None = None
) -> pa.Table:
    """Return ``(bucket, segment, value)`` of the newest ``buckets`` that are not empty, oldest first.

    With ``segment``, only the observations of this segment.
    """
    segments = segments_of(segment)
    newest, observed = _search_newest(reader, metric, within, buckets, segments)
    return _read_newest(reader, metric, newest.within, buckets, segments) if observed is None else observed


def read_few_segments(
    reader: RecordReader, metric: Metric, *, within: Range = ALWAYS, buckets: int, most: int
) -> pa.Table | None:
    """Return what `read_observations` returns, or None if it has more than ``most`` segments.

    Usually these are not read then: the levels tell how many segments there are at least.
    """
    newest, observed = _search_newest(reader, metric, within, buckets, None)
    if newest.segments > most:
        return None
    if observed is None:
        observed = _read_newest(reader, metric, newest.within, buckets, None)
    return observed if len(set(observed["segment"].to_pylist())) <= most else None


def _search_newest(
    reader: RecordReader, metric: Metric, within: Range, buckets: int, segments: Segments
) -> tuple[Newest, pa.Table | None]:
    """Return a part of a range that has its newest buckets, and their observations if they were read meanwhile."""
    levels = _read_own_levels(reader, metric)
    if levels is None:
        return Newest(within, 0), None
    for part in list_live_parts(reader, metric, levels, within=within, buckets=buckets):
        observed = _read_newest(reader, metric, part, buckets, segments)
        if len(set(observed["bucket"].to_pylist())) >= buckets:
            return Newest(part, 0), observed
    return find_newest(reader, metric, levels, within=within, buckets=buckets, segments=segments), None


def _read_newest(reader: RecordReader, metric: Metric, within: Range, buckets: int, segments: Segments) -> pa.Table:
    """Return the observations in the newest ``buckets`` of a range that are not empty."""
    if within.since is not None and within.until is None:
        within = replace(within, until=_LAST)
    if metric.segment is not None and segments is None:
        instants = Instants()
        # Of the range without a start, no condition: PostgreSQL takes one for a choice of few rows, and sorts them.
        in_range = " AND ".join(instants.limit(within.since, within.until) or ["true"])
        sql = _QUERIES["series_by_segment"].format(metric=metric.name, in_range=in_range)
        return reader.query(sql, {**instants.parameters, "buckets": buckets})
    in_segments, names = render_segments(segments)
    sql = _QUERIES["series"].format(metric=metric.name, in_segments=in_segments)
    return reader.query(sql, {**within.parameters(), **names, "buckets": buckets})


def find_newest_buckets(reader: RecordReader, metric: Metric, *, within: Range, buckets: int) -> tuple[Range, int]:
    """Return the part of a range that has its newest buckets that are not empty, and how many these are."""
    levels = _read_own_levels(reader, metric)
    narrow = within
    if levels is not None:
        narrow = find_newest(reader, metric, levels, within=within, buckets=buckets, segments=None).within
    [row] = _ask(reader, "newest_buckets", metric, narrow, buckets=buckets)
    return (narrow if row["since"] is None else replace(within, since=row["since"])), int(row["buckets"])


def count_buckets(
    reader: RecordReader, metric: Metric, most: int, *, within: Range = ALWAYS, segment: str | None = None
) -> int:
    """Return the number of buckets that are not empty, counting no further than ``most``."""
    levels = _find_levels(reader, metric)
    segments = segments_of(segment)
    if levels is not None:
        asked = LevelReader(reader, metric, levels, segment)
        if metric.segment is None or segment:  # "" stands for no segment, too, and both may have the same bucket
            return min(most, asked.count_observations(within).observations)
        if segment is None and levels.has_sizes:
            return min(most, asked.count_buckets(within))
        within = find_newest(reader, metric, levels, within=within, buckets=most, segments=segments).within
    [row] = _ask(reader, "series_count", metric, within, segments, most=most)
    return int(row["n"])


def _ask(
    reader: RecordReader, query: str, metric: Metric, within: Range, segments: Segments = None, **values: Value
) -> list[dict[str, Any]]:
    in_segments, names = render_segments(segments)
    sql = _QUERIES[query].format(metric=metric.name, in_segments=in_segments)
    return list(reader.query(sql, {**within.parameters(), **names, **values}).to_pylist())


def read_in_steps(
    reader: RecordReader, metric: Metric, *, within: Range, now: datetime, steps: int, segment: str | None = None
) -> tuple[pa.Table, int]:
    """Return `read_steps` of a whole range in at most ``steps`` steps, and the seconds in a step.

    The steps cover the range as `cover_range` says.
    """
    step_s = find_step(metric, find_ends(reader, metric, within, segment), within=within, now=now, steps=steps)
    return read_steps(reader, metric, step_s, within=within, segments=segments_of(segment)), step_s


def find_ends(reader: RecordReader, metric: Metric, within: Range, segment: str | None = None) -> Ends | None:
    """Return the first and the last bucket of a range that are not empty; None if all are empty."""
    levels = _find_levels(reader, metric)
    if levels is not None:
        return LevelReader(reader, metric, levels, segment).find_ends(within)
    [extent] = _ask(reader, "series_extent", metric, within, segments_of(segment))
    return None if extent["first_bucket"] is None else Ends(extent["first_bucket"], extent["last_bucket"])


def find_step(metric: Metric, observed: Ends | None, *, within: Range, now: datetime, steps: int) -> int:
    """Return the seconds in a step of which at most ``steps`` cover a whole range, given what `find_ends` returned."""
    ends = cover_range(metric, within, now, observed, step_s=metric.period_s)
    span_s = metric.period_s
    if ends is not None:
        span_s += int((ends.last - ends.first).total_seconds())
    return choose_step(metric.period_s, span_s, steps)


def _read_own_levels(reader: RecordReader, metric: Metric) -> Levels | None:
    """Return the roll-ups of a metric; None if it is derived, or the store has no levels."""
    return None if is_derived(metric) else read_levels(reader).get(metric.name)


def _find_levels(reader: RecordReader, metric: Metric) -> Levels | None:
    """Return the levels of a metric; None if it has none that hold a bucket."""
    levels = _read_own_levels(reader, metric)
    return levels if levels is not None and levels.watermarks.keys() - {metric.period_s} else None


def read_steps(
    reader: RecordReader, metric: Metric, step_s: int, *, within: Range, segments: Segments = None
) -> pa.Table:
    """Return ``(bucket, segment, value)`` of a whole range, in steps of several buckets, the oldest first.

    The value of a step is that of all its records. Percentiles and numbers of distinct values are estimated from
    sketches, see `puppylog.stores.sketches`, unless a step is one bucket. The value of a derived metric is its formula
    over its inputs' steps. In a store without levels, the value of avg, stddev, variance, distinct and percentiles is
    the unweighted mean of the buckets' values.

    Args:
        reader: the store.
        metric: the metric.
        step_s: the seconds in a step, a multiple of the metric's period.
        within: the range.
        segments: only these segments.

    Raises:
        UsageError: the step is not a multiple of the period.
    """
    sql, parameters = steps_query(reader, metric, step_s, within=within, segments=segments)
    return reader.query(_QUERIES["in_order"].format(observations=sql), parameters)


def steps_query(
    reader: RecordReader, metric: Metric, step_s: int, *, within: Range, segments: Segments = None
) -> Query:
    """Return a query of what `read_steps` returns, in no order, and its parameters."""
    if step_s % metric.period_s:
        cause = f"it is not a multiple of the period of metric {metric.name!r}, {format_period(metric.period_s)}"
        raise UsageError("use", f"a step of {format_period(step_s)}", cause)
    asked = _Steps(read_levels(reader), step_s, within, Instants())
    in_segments, names = render_segments(segments)
    parts = {"metric": metric.name, "in_segments": in_segments}
    if is_derived(metric):
        known = {name: state.metric for name, state in _read_states(reader).items()}
        derived = _steps_of_input(metric, asked, known)
        sql = _QUERIES["chosen_segments"].format(observations=derived, **parts)
    elif step_s == metric.period_s:
        sql = _QUERIES["observations"].format(**parts)
    elif metric.name in asked.levels:
        sql = steps_sql(metric, asked.levels[metric.name], step_s, within, asked.instants, in_segments=in_segments)
    else:
        sql = _QUERIES["series_in_steps"].format(value=_value_in_steps(metric, step_s), **parts)
    values = {**within.parameters(), **asked.instants.parameters, **names, "step_s": step_s}
    return sql, {name: values[name] for name in parameters_of(sql)}


def rows_query(reader: RecordReader, metric: Metric, *, within: Range) -> Query:
    """Return a query of ``segment`` and ``value``, in the fewest rows that have all segments and values of a range.

    The values of a segment's rows add up to the sum of a count or a sum, and to the records of a rate. The greatest one
    is that of a max. For other statistics, a value means nothing.
    """
    levels = _find_levels(reader, metric)
    if levels is None:
        return steps_query(reader, metric, metric.period_s, within=within)
    instants = Instants()
    return coarsest_sql(metric, levels, within, instants), instants.parameters


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps in which a metric is read, and the levels of the store's metrics by name."""

    levels: Mapping[str, Levels]
    step_s: int
    within: Range
    instants: Instants


def _steps_of_input(metric: Metric, asked: _Steps, known: Mapping[str, Metric]) -> str:
    """Return the query of the steps of a metric, all segments included; of a derived one from those of its inputs."""
    if is_derived(metric):
        inputs = [known[name] for name in list_inputs(metric)]
        return derived_sql(metric, inputs, lambda source: _steps_of_input(source, asked, known))
    levels = asked.levels.get(metric.name)
    if levels is None:
        value = _value_in_steps(metric, asked.step_s)
        return _QUERIES["series_in_steps"].format(metric=metric.name, value=value, in_segments="true")
    return steps_sql(metric, levels, asked.step_s, asked.within, asked.instants)


def _value_in_steps(metric: Metric, step_s: int) -> str:
    return _IN_STEPS.get(metric.statistic, "avg(value)").format(period_s=metric.period_s, step_s=step_s)


def _read_states(reader: RecordReader) -> dict[str, MetricState]:
    """Return the states of all metrics by name. The state of a derived metric is that of its inputs."""
    rows = {row["name"]: row for row in reader.query(METRICS_SQL).to_pylist()}
    states = {name: _metric_state(rows[name]) for name in sorted(rows)}
    metrics = {name: state.metric for name, state in states.items()}
    for metric in order_by_depth(metrics):
        inputs = [states[name] for name in list_inputs(metric) if name in states]
        states[metric.name] = _derive_state(states[metric.name], inputs)
    return states


def _derive_state(state: MetricState, inputs: Sequence[MetricState]) -> MetricState:
    """Return the state of a derived metric: it is as up to date as the oldest of its inputs."""
    watermarks, refreshes = ([getattr(input_, part) for input_ in inputs] for part in ("watermark", "refreshed_at"))
    return replace(
        state,
        watermark=None if None in watermarks else min(watermarks, default=None),
        refreshed_at=None if None in refreshes else min(refreshes, default=None),
        error=next((f"its input {input_.metric.name}: {input_.error}" for input_ in inputs if input_.error), None),
        is_being_checked=any(input_.is_being_checked for input_ in inputs),
    )


def _metric_state(row: dict[str, Any]) -> MetricState:
    return MetricState(
        metric_of(row),
        created_at=row["created_at"],
        watermark=row["watermark"],
        refreshed_at=row["refreshed_at"],
        error=row["error"],
        is_being_checked=row["is_being_checked"],
    )
