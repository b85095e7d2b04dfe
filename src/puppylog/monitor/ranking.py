"""The largest segments of a metric, ranked in the store: a metric may have a hundred thousand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.model.metric import Metric
from puppylog.monitor.metrics import Query, read_steps, rows_query, steps_query
from puppylog.monitor.range import Range
from puppylog.monitor.segments import Segments
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

SUM: Final = "sum(value)"
MEAN: Final = "avg(value)"
GREATEST: Final = "max(value)"

_SAME_IN_ANY_STEP: Final = {("count", SUM), ("sum", SUM), ("max", GREATEST)}
"""Statistics and sizes for which a segment's size does not depend on the length of the steps."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The largest segments, and the size of the others."""

    segments: Sequence[str | None]  # the largest one first
    left_out: int  # how many other segments there are
    rest: float  # what the sizes of these add up to


@dataclass(frozen=True, slots=True)
class LargestSegments:
    """The observations of the largest segments of a metric, and the size of the others."""

    table: pa.Table  # bucket, segment, value: in the order of the buckets and segments
    left_out: int  # how many segments the table does not have
    rest: float  # what the sizes of these segments add up to


def read_largest(
    reader: RecordReader,
    metric: Metric,
    step_s: int,
    *,
    within: Range,
    size: str,
    most: int,
    segments: Segments = None,
) -> LargestSegments:
    """Return the observations of the largest segments, in steps as those of `puppylog.monitor.metrics.read_steps`.

    The ranking is a query of its own, made before the one of the observations, so that the store reads no bucket of the
    other segments.

    Args:
        reader: the store.
        metric: the metric.
        step_s: the seconds in a step.
        within: the range.
        size: SQL, the size of a segment: `SUM`, `MEAN` or `GREATEST` of its steps' finite values. Without one, it is 0.
        most: the greatest number of segments.
        segments: only these segments, even if they are more than ``most``.
    """
    if metric.segment is None or segments is not None:
        return LargestSegments(read_steps(reader, metric, step_s, within=within, segments=segments), 0, 0.0)
    if (metric.statistic, size) in _SAME_IN_ANY_STEP:
        observations = rows_query(reader, metric, within=within)
    else:
        observations = steps_query(reader, metric, step_s, within=within)
    ranking = rank_segments(reader, observations, size=size, most=most)
    table = read_steps(reader, metric, step_s, within=within, segments=ranking.segments)
    return LargestSegments(table, ranking.left_out, ranking.rest)


def rank_segments(reader: RecordReader, observations: Query, *, size: str, most: int) -> Ranking:
    """Return the largest segments of the observations that a query finds.

    Args:
        reader: the store.
        observations: a query of ``segment`` and ``value``, and its parameters.
        size: SQL, as of `read_largest`.
        most: the greatest number of segments.
    """
    sql, parameters = observations
    ranked = _QUERIES["ranked_segments"].format(observations=sql, size=size)
    rows = reader.query(ranked, {**parameters, "max_segments": most}).to_pylist()
    if not rows:
        return Ranking([], 0, 0.0)
    return Ranking([row["segment"] for row in rows], int(rows[0]["left_out"]), float(rows[0]["rest"]))
