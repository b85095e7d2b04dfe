"""Steps: equal parts of a range of time, each of several buckets. They are aligned to the epoch, as buckets are."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import pyarrow as pa

from puppylog.model.metric import ADDITIVE_STATISTICS, Metric
from puppylog.monitor.range import ALWAYS, Range

_KNOWN_STEPS_S: Final = [
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
    *(86_400 * days for days in (1, 2, 7, 14, 28, 56, 91, 182, 364, 728, 3640)),
]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = timedelta(microseconds=1)  # between two instants, as stores keep them


def choose_step(period_s: int, span_s: int, steps: int) -> int:
    """Return the length of a step in seconds: a multiple of the period, so that ``steps`` steps cover the span.

    The span may begin anywhere within a step. A round length, such as 5 minutes, is preferred.

    >>> choose_step(period_s=10, span_s=3600, steps=60)
    120
    """
    most = max(1, steps - 1)  # a span that begins within a step reaches into one step more
    if span_s <= period_s * steps:
        return period_s
    for known_s in _KNOWN_STEPS_S:
        if known_s % period_s == 0 and known_s * most >= span_s:
            return known_s
    return -(-span_s // (most * period_s)) * period_s


class Ends(NamedTuple):
    """The first and the last of consecutive buckets or steps, by their starts."""

    first: datetime
    last: datetime


def include_buckets(ends: Ends | None, table: pa.Table) -> Ends | None:
    """Return ends that also include the buckets of a table, some of which may have been stored since ``ends`` was read.

    Args:
        ends: the first and the last bucket; None if there was none.
        table: observations in the order of their buckets.
    """
    if not table.num_rows:
        return ends
    first, last = table["bucket"][0].as_py(), table["bucket"][-1].as_py()
    return Ends(first, last) if ends is None else Ends(min(ends.first, first), max(ends.last, last))


def cover_range(metric: Metric, within: Range, now: datetime, observed: Ends | None, *, step_s: int) -> Ends | None:
    """Return the steps that cover a range; None if the range has no beginning and no observation.

    The first step holds the first bucket that begins in the range. A range without an end, or with an end that is still
    to come, ends now. A range without a beginning begins at the first observation. Without any limit, it also ends at
    the last observation.

    Args:
        metric: the metric.
        within: the range.
        now: the current time.
        observed: the buckets of the first and the last observation in the range; None without observations.
        step_s: the seconds in a step: the metric's period, or a multiple of it. Steps are aligned to the epoch.
    """
    if within.since is not None:
        begin = _end_of_step(within.since, metric.period_s)
    elif observed is not None:
        begin = observed.first
    else:
        return None
    ends = [begin, *([] if observed is None else [observed.last])]
    if within != ALWAYS:
        ends.append((now if within.until is None else min(now, within.until)) - _INSTANT)
    return Ends(_start_of_step(begin, step_s), _start_of_step(max(ends), step_s))


def _end_of_step(at: datetime, step_s: int) -> datetime:
    """Return the first start of a step at or after an instant."""
    start = _start_of_step(at, step_s)
    return start if start == at else start + timedelta(seconds=step_s)


def _start_of_step(at: datetime, step_s: int) -> datetime:
    try:
        return _EPOCH + (at - _EPOCH) // timedelta(seconds=step_s) * timedelta(seconds=step_s)
    except OverflowError:  # in the first step that Python has
        return at


def fill_steps(metric: Metric, table: pa.Table, step_s: int, ends: Ends, *, newest: int) -> pa.Table:
    """Return ``(bucket, segment, value)`` of the ``newest`` steps, those without observations included.

    Such a step has the value 0 for a statistic that adds up, such as a count, and null for any other. A segment has a
    value in every step if it has one in any.

    Args:
        metric: the metric.
        table: what `read_steps` returned.
        step_s: the seconds in a step.
        ends: the first and the last step.
        newest: the greatest number of steps.
    """
    known = {(row["bucket"], row["segment"]): row["value"] for row in table.to_pylist()}
    segments = sorted({segment for _, segment in known}, key=lambda segment: (segment is None, segment or ""))
    if metric.segment is None:
        segments = [None]
    missing = 0.0 if metric.statistic in ADDITIVE_STATISTICS else None
    steps = min(newest, count_steps(ends, step_s))
    buckets = [ends.last - timedelta(seconds=step_s) * back for back in reversed(range(steps))]
    rows = [
        {"bucket": bucket, "segment": segment, "value": known.get((bucket, segment), missing)}
        for bucket in buckets
        for segment in segments
    ]
    return pa.Table.from_pylist(rows, table.schema)


def count_steps(ends: Ends, step_s: int) -> int:
    """Return the number of steps from the first to the last."""
    return (ends.last - ends.first) // timedelta(seconds=step_s) + 1
