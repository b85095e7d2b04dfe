"""Tries an alert's rule on the stored observations of a metric: when would the alert have fired?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from puppylog.errors import UsageError
from puppylog.model.alert import Alert, State
from puppylog.model.alert_rule import adds_up, window_of
from puppylog.model.alert_schedule import MAX_SEGMENTS
from puppylog.model.alert_trial import Judged, Judgements, Series, evaluations_within, try_rule
from puppylog.model.metric import Metric
from puppylog.monitor.range import Range
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

MAX_OBSERVATIONS: Final = 3_000_000
"""How many observations a trial reads. More would take minutes and gigabytes."""

_QUERIES = load_queries("puppylog.stores", "trial.sql")


@dataclass(frozen=True, slots=True)
class Problem:
    """A time in which the alert would have been firing, or without data."""

    state: State
    segment: str | None
    since: datetime
    until: datetime | None  # None: until after the last evaluation
    value: float | None  # at its start
    end_value: float | None  # at its end


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of a trial.

    Attributes:
        first_at: the first evaluation.
        last_at: the last evaluation.
        judgements: all changes of state.
        problems: the times in which the alert would have been firing or without data, in the order of their starts.
        segments: how many segments were judged.
        unjudged_segments: how many more segments the evaluator would not have judged.
        missing_until: before this instant the metric has no bucket and the store has no record, so the rule saw
            nothing there; None if there is no such time in the range.
    """

    first_at: datetime
    last_at: datetime
    judgements: Judgements
    problems: tuple[Problem, ...]
    segments: int
    unjudged_segments: int
    missing_until: datetime | None

    def count(self, state: State) -> int:
        """Return how often the alert would have changed to this state, firing or without data."""
        return sum(problem.state is state for problem in self.problems)

    def measure_s(self, state: State) -> float:
        """Return for how long the alert would have been in this state, in seconds, added up over all segments."""
        return sum(
            ((problem.until or self.last_at) - problem.since).total_seconds()
            for problem in self.problems
            if problem.state is state
        )


def try_alert(reader: RecordReader, alert: Alert, metric: Metric, since: datetime, until: datetime) -> Trial:
    """Return what the alert would have done from ``since`` to ``until``. It begins in the state ok.

    Raises:
        UsageError: the range has no evaluation, or the metric has too many observations in it.
    """
    within = evaluations_within(alert.period_s, since, until)
    if within is None:
        raise UsageError("test", f"alert {alert.name!r}", "it is not evaluated in this range", "choose a longer one")
    first_at, last_at = within
    begin, _ = window_of(alert, metric.period_s, first_at)
    _, end = window_of(alert, metric.period_s, last_at)
    parameters = Range(begin, end).parameters()
    [extent] = reader.query(_QUERIES["trial_extent"].format(metric=metric.name), parameters).to_pylist()
    if extent["observations"] > MAX_OBSERVATIONS:
        cause = f"metric {metric.name!r} has {extent['observations']:,} observations in this range"
        advice = f"choose a shorter one: a trial reads at most {MAX_OBSERVATIONS:,}"
        raise UsageError("test", f"alert {alert.name!r}", cause, advice)
    sql = _QUERIES["trial_observations"].format(metric=metric.name, **_columns_of(alert, metric))
    series = _gather(reader.query(sql, parameters), alert)
    judged = dict(list(series.items())[:MAX_SEGMENTS])
    judgements = try_rule(alert, metric, judged, first_at, last_at)
    return Trial(
        first_at,
        last_at,
        judgements,
        tuple(sorted(_iter_problems(judgements), key=lambda problem: problem.since)),
        segments=len(judged),
        unjudged_segments=len(series) - len(judged),
        missing_until=_find_missing(extent, begin, end),
    )


def _find_missing(extent: dict[str, Any], begin: datetime, end: datetime) -> datetime | None:
    """Return up to when both buckets and records are missing at the beginning of the range."""
    first_known = min(filter(None, (extent["first_bucket"], extent["first_record_at"])), default=end)
    return min(first_known, end) if first_known > begin else None


def _columns_of(alert: Alert, metric: Metric) -> dict[str, str]:
    """Return how the query makes the observations that the alert judges, as the evaluators make them."""
    is_ratio = metric.statistic == "ratio"
    if alert.each_segment or not (is_ratio or adds_up(metric.statistic)):
        parts = ("part", "whole") if is_ratio else ("NULL", "NULL")
        segment = "segment" if alert.each_segment else "NULL"
        return {"segment": segment, "value": "value", "part": parts[0], "whole": parts[1], "grouping": ""}
    columns = {"segment": "NULL", "value": "sum(value)", "part": "NULL", "whole": "NULL", "grouping": "GROUP BY bucket"}
    if is_ratio:
        share = "CAST(sum(part) AS DOUBLE PRECISION) / CAST(sum(whole) AS DOUBLE PRECISION)"
        columns |= {"value": share, "part": "sum(part)", "whole": "sum(whole)"}
    return columns


def _gather(table: pa.Table, alert: Alert) -> dict[str | None, Series]:
    """Return the series, those that are observed first at the front. The table is in the order of the buckets."""
    series: dict[str | None, Series] = {} if alert.each_segment else {None: Series()}
    columns = (table[name].to_pylist() for name in ("bucket_us", "segment", "value", "part", "whole"))
    for bucket_us, segment, value, part, whole in zip(*columns, strict=True):
        one = series.get(segment)
        if one is None:
            one = series[segment] = Series()
        one.starts_us.append(bucket_us)
        one.values.append(value)
        if whole is not None:
            one.parts.append(part)
            one.wholes.append(whole)
    return series


def _iter_problems(judgements: Judgements) -> Iterator[Problem]:
    begun: dict[str | None, Judged] = {}
    for judged in judgements:
        before = begun.pop(judged.segment, None)
        if before is not None:
            yield _problem(before, judged)
        if judged.to_state in {State.FIRING, State.NO_DATA}:
            begun[judged.segment] = judged
    for before in begun.values():
        yield _problem(before, None)


def _problem(begun: Judged, ended: Judged | None) -> Problem:
    return Problem(
        begun.to_state,
        begun.segment,
        begun.evaluated_at,
        until=None if ended is None else ended.evaluated_at,
        value=begun.value,
        end_value=None if ended is None else ended.value,
    )
