"""What there is to know of metrics: their definitions, how far they are materialized, what they observed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from puppylog.errors import NotFound
from puppylog.model.metric import Metric
from puppylog.monitor.range import ALWAYS, Range
from puppylog.stores.base import Outlet, Value
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


@dataclass(frozen=True, slots=True)
class MetricState:
    """A metric, and how far it is materialized."""

    metric: Metric
    created_at: datetime
    watermark: datetime | None  # buckets below it are materialized; None: not one is yet
    refreshed_at: datetime | None
    error: str | None  # why the last refresh failed; the next one may succeed only if something is done about it
    is_being_checked: bool  # some buckets may lack records until they are refreshed, within seconds

    @property
    def state(self) -> str:
        """``error``, ``checking`` or ``ok``."""
        if self.error is not None:
            return "error"
        return "checking" if self.is_being_checked else "ok"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of a metric, live part included."""

    observations: int
    buckets: int
    segments: int
    first_bucket: datetime | None
    last_bucket: datetime | None


def list_metrics(outlet: Outlet, *, group: str | None = None) -> list[MetricState]:
    """Return the metrics in the order of their names; only those limited to ``group`` if one is given."""
    rows = outlet.query(_QUERIES["metric_states"], {"name": None, "group": group}).to_pylist()
    return [_metric_state(row) for row in rows]


def get_metric(outlet: Outlet, name: str) -> MetricState:
    """Return one metric.

    Raises:
        NotFound: there is none of that name.
    """
    rows = outlet.query(_QUERIES["metric_states"], {"name": name, "group": None}).to_pylist()
    if not rows:
        raise NotFound(f"cannot find metric {name!r}: see 'puppylog monitor metrics list'")
    return _metric_state(rows[0])


def measure_extent(outlet: Outlet, metric: Metric) -> Extent:
    """Return how much there is of ``metric``."""
    [row] = outlet.query(_QUERIES["metric_extent"].format(metric=metric.name)).to_pylist()
    return Extent(**row)


def read_observations(
    outlet: Outlet, metric: Metric, *, within: Range = ALWAYS, buckets: int, segment: str | None = None
) -> pa.Table:
    """Return ``(bucket, segment, value)`` of the newest ``buckets`` that are not empty, oldest first.

    ``segment`` picks one series of a segmented metric; None takes them all.
    """
    parameters: dict[str, Value] = {**within.parameters(), "buckets": buckets}
    if metric.segment is not None and segment is None:
        return outlet.query(_QUERIES["series_by_segment"].format(metric=metric.name), parameters)
    return outlet.query(_QUERIES["series"].format(metric=metric.name), {**parameters, "segment": segment})


def _metric_state(row: dict[str, Any]) -> MetricState:
    return MetricState(
        metric_of(row),
        created_at=row["created_at"],
        watermark=row["watermark"],
        refreshed_at=row["refreshed_at"],
        error=row["error"],
        is_being_checked=row["is_being_checked"],
    )
