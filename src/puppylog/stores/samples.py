"""From a metric to SQL: the condition of the records that it counts, of which some are shown as samples."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from puppylog.model.derived import is_derived, list_inputs
from puppylog.model.expression import render, render_segment
from puppylog.model.metric import Metric
from puppylog.stores.aggregate import operand_sql


class Samples(NamedTuple):
    """SQL expressions over the columns of ``log_records``."""

    segment: str  # the record's segment, a text
    condition: str  # whether the metric counts the record


def sample_sql(metric: Metric, known: Mapping[str, Metric], dialect: Literal["duckdb", "postgres"]) -> Samples:
    """Return which records are samples of a metric, without the condition on its log group.

    Samples match the metric's filter and have the metric's property. Samples of a ratio also match ``of``. Samples of a
    derived metric are the samples of all metrics that it is computed from.

    Args:
        metric: the metric.
        known: all metrics of the store by name; only needed for a derived metric.
        dialect: the SQL dialect of the store.
    """
    segment = "CAST(NULL AS TEXT)" if metric.segment is None else render_segment(metric.segment, dialect)
    conditions = list(dict.fromkeys(_condition(source, dialect) for source in _iter_sources(metric, known)))
    return Samples(segment, " OR ".join(f"({condition})" for condition in conditions) or "true")


def _iter_sources(metric: Metric, known: Mapping[str, Metric]) -> Iterator[Metric]:
    """Yield the metrics over records that a metric is computed from: itself if it is not derived."""
    if not is_derived(metric):
        yield metric
        return
    for name in list_inputs(metric):
        yield from _iter_sources(known[name], known)


def _condition(metric: Metric, dialect: Literal["duckdb", "postgres"]) -> str:
    conditions = [render(text, dialect) for text in (metric.filter, metric.of) if text is not None]
    if metric.property != "*":
        conditions.append(f"({operand_sql(metric, dialect)}) IS NOT NULL")
    return " AND ".join(conditions) or "true"
