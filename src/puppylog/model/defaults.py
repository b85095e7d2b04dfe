"""The metrics and alerts that ``--default`` creates: those that fit what a store has records of.

Every store gets the number of its records, in total and per stream, and an alert on a stream that has gone silent.
Requests of a web server get their sections, the share of failures with an alert on it, and the 95th percentile of their
durations. Records with a severity get their errors. The set of the first Puppylog is here, too. Its alert on the total
traffic fires on any busy site.
"""

from dataclasses import dataclass
from typing import Final

from puppylog.model.alert import Alert, Comparison, NoData, define_alert
from puppylog.model.metric import Metric


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store has records of."""

    has_requests: bool  # records with a status code
    has_severities: bool
    duration: str | None  # the attribute with the time that a request took


@dataclass(frozen=True, slots=True)
class Defaults:
    """Metrics and alerts, in the order in which they are created."""

    metrics: tuple[Metric, ...]
    alerts: tuple[Alert, ...]


_TOTAL_TRAFFIC: Final = Metric("total_traffic", "count", "*", period_s=1, refresh_s=10)
_PER_ROUTE: Final = Metric(
    "total_traffic_per_route", "count", "*", period_s=10, segment="SPLIT_PART(request_route, '/', 2)", refresh_s=10
)
# A query computes the buckets that are not materialized yet, so a long refresh interval saves work and hides nothing.
_LINES_PER_STREAM: Final = Metric("lines_per_stream", "count", "*", period_s=60, segment="stream_id", refresh_s=60)
_FAILED_SHARE: Final = Metric(
    "failed_share",
    "ratio",
    "*",
    period_s=60,
    refresh_s=60,
    filter="status_code IS NOT NULL",
    of="status_code >= 500",
)

# A stream is judged from its first line on. A day after its last line its state is deleted, and the alert ends.
_SILENT_STREAM: Final = define_alert(
    "silent_stream",
    _LINES_PER_STREAM,
    statistic="sum",
    comparison=Comparison.BELOW,
    threshold=1,
    window_s=300,
    period_s=10,
    delay_s=10,
    each_segment=True,
)
# A site with few requests has minutes in which one failure is a large share: only five bad minutes in a row count.
_MANY_FAILURES: Final = define_alert(
    "many_failures",
    _FAILED_SHARE,
    comparison=Comparison.ABOVE,
    threshold=0.05,
    window_s=300,
    for_s=300,
    no_data=NoData.OK,
)

ORIGINAL: Final = Defaults(
    (_PER_ROUTE, _TOTAL_TRAFFIC, _LINES_PER_STREAM),
    (
        define_alert(
            "totaltraffic", _TOTAL_TRAFFIC, statistic="avg", comparison=Comparison.ABOVE, threshold=10, window_s=120
        ),
        _SILENT_STREAM,
    ),
)
"""The defaults of the first Puppylog, and the alert on a silent stream."""


def choose_defaults(contents: Contents) -> Defaults:
    """Return the metrics and alerts that fit a store with these contents.

    >>> chosen = choose_defaults(Contents(has_requests=True, has_severities=False, duration="duration_ms"))
    >>> [metric.name for metric in chosen.metrics]
    ['total_traffic', 'lines_per_stream', 'total_traffic_per_route', 'failed_share', 'p95_duration']
    >>> [alert.name for alert in chosen.alerts]
    ['silent_stream', 'many_failures']
    """
    metrics, alerts = [_TOTAL_TRAFFIC, _LINES_PER_STREAM], [_SILENT_STREAM]
    if contents.has_requests:
        metrics += [_PER_ROUTE, _FAILED_SHARE]
        alerts.append(_MANY_FAILURES)
    if contents.duration is not None:
        property_ = f"attributes.{contents.duration}"
        metrics.append(Metric("p95_duration", "p95", property_, period_s=60, refresh_s=60))
    if contents.has_severities:
        metrics.append(_errors_by_severity())
    return Defaults(tuple(metrics), tuple(alerts))


def _errors_by_severity() -> Metric:
    from puppylog.model.query import Reading, parse_query, translate  # noqa: PLC0415 - needs the parser of expressions

    text = "severity>=error"
    errors = translate(parse_query(text), Reading(text=text, is_kept=True))
    return Metric(
        "errors_by_severity", "count", "*", period_s=60, segment="LOWER(severity)", filter=errors, refresh_s=60
    )
