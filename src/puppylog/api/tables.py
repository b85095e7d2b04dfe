"""Definitions, states and findings as Arrow tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Final

import pyarrow as pa

from puppylog.model.finding import Finding
from puppylog.monitor.alerts import AlertState
from puppylog.monitor.metrics import MetricState
from puppylog.monitor.rejects import LINES

_INSTANT: Final = pa.timestamp("us", "UTC")
_METRICS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("name", "statistic", "property")),
        ("period_s", pa.int32()),
        *((name, pa.string()) for name in ("segment", "filter", "of", "group", "state", "error")),
        *((name, _INSTANT) for name in ("created_at", "refreshed_at", "watermark")),
    ]
)
_ALERTS: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("name", "metric", "group", "segment", "state")),
        ("since", _INSTANT),
        ("value", pa.float64()),
        ("statistic", pa.string()),
        ("comparison", pa.string()),
        ("threshold", pa.float64()),
        ("window_s", pa.int32()),
        ("period_s", pa.int32()),
        ("evaluated_at", _INSTANT),
        ("last_fired_at", _INSTANT),
        ("error", pa.string()),
    ]
)
_FINDINGS: Final = pa.schema([(name, pa.string()) for name in ("subject", "state", "found", "advice")])


def of_metrics(states: Sequence[MetricState]) -> pa.Table:
    """Return a row for each metric."""
    own = ("state", "error", "created_at", "refreshed_at", "watermark")
    rows = [{**asdict(state.metric), **{name: getattr(state, name) for name in own}} for state in states]
    return pa.Table.from_pylist(rows, _METRICS)


def of_alerts(states: Sequence[AlertState]) -> pa.Table:
    """Return a row for each alert and judged segment. The state of an alert whose evaluation is overdue is null."""
    rows = []
    for state in states:
        alert = state.alert
        rows.append(
            {
                **asdict(alert),
                "comparison": str(alert.comparison),
                "group": state.group,
                "segment": state.segment_name,
                "state": None if state.state is None or state.is_overdue else str(state.state),
                **{name: getattr(state, name) for name in ("since", "value", "evaluated_at", "last_fired_at", "error")},
            }
        )
    return pa.Table.from_pylist(rows, _ALERTS)


def of_findings(findings: Iterable[Finding]) -> pa.Table:
    """Return a row for each finding."""
    return pa.Table.from_pylist([{**asdict(finding), "state": str(finding.state)} for finding in findings], _FINDINGS)


def or_empty(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches of rejected lines, at least one: an empty answer has columns, too."""
    first = next(batches, None)
    return chain([pa.RecordBatch.from_pylist([], LINES) if first is None else first], batches)
