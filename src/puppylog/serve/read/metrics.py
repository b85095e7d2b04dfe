"""``/api/v1/metrics``: the metrics, and the observations of one."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from puppylog.model.derived import is_derived
from puppylog.model.query.reverse import find_field_name, find_query
from puppylog.monitor.metric_reader import MetricReader
from puppylog.monitor.metrics import MetricState, get_metric, list_metrics
from puppylog.monitor.series import SegmentSeries, read_series
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.choice import read_range
from puppylog.serve.read.resource import Answer, Asked, Instant, Interval, Parameters, Reader, Resource


class MetricsParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/metrics``."""

    group: Annotated[str, Meta(description="Only metrics of this log group.")] | None = None


class MetricRow(Struct, kw_only=True):
    """A metric: a statistic of a property of the records, per period and segment."""

    name: str
    statistic: str
    property: Annotated[str, Meta(description="`*` for whole records; for a derived metric, its formula.")]
    period_s: Annotated[int, Meta(description="The length of a bucket in seconds.")]
    segment: Annotated[str | None, Meta(description="The expression whose values are segments.")]
    filter: Annotated[str | None, Meta(description="The condition of its records.")]
    of: Annotated[str | None, Meta(description="Of a ratio: the records whose share it is.")]
    group: str | None
    query: Annotated[str | None, Meta(description="`filter` as a query; null if no query can say it.")]
    of_query: Annotated[str | None, Meta(description="`of` as a query; null if no query can say it.")]
    segment_field: Annotated[
        str | None, Meta(description="The field whose values the segments are; null if they are computed.")
    ]
    formula: Annotated[str | None, Meta(description="Of a derived metric: its formula over other metrics.")]
    state: Annotated[
        str, Meta(description="ok, checking (late lines have arrived), or error.", examples=["ok", "checking", "error"])
    ]
    refreshed_at: Instant | None
    watermark: Annotated[
        Instant | None,
        Meta(description="Buckets before it are materialized. The later ones are computed as they are read."),
    ]
    error: Annotated[str | None, Meta(description="Why the last refresh failed.")]


class Metrics(Answer, kw_only=True):
    """All metrics, in the order of their names."""

    metrics: list[MetricRow]


class SeriesParameters(Interval, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/metrics/{name}``."""

    name: Annotated[str, Meta(description="The name of the metric.")]
    steps: Annotated[
        int, Meta(ge=1, le=2000, description="The greatest number of steps. A step has a round length.")
    ] = 200
    segment: Annotated[str, Meta(description="Only this segment.")] | None = None
    series: Annotated[int, Meta(ge=1, le=200, description="The greatest number of segments.")] = 12


class MetricSeries(Struct, kw_only=True):
    """The observations of one segment."""

    segment: Annotated[str | None, Meta(description="Null: all records, or those for which the expression is null.")]
    values: Annotated[list[float | None], Meta(description="One for each step. Null: the step has no observation.")]


class Observations(Answer, kw_only=True):
    """The observations of a metric, in steps that cover the range. Steps are aligned to the epoch."""

    metric: MetricRow
    start: Annotated[Instant | None, Meta(description="The start of the first step; null without observations.")]
    step_s: Annotated[int, Meta(description="The length of a step in seconds.")]
    series: Annotated[list[MetricSeries], Meta(description="The largest segment comes first.")]
    left_out_segments: Annotated[int, Meta(description="How many other segments there are.")]


def get_metrics(asked: Asked[MetricsParameters], reader: Reader) -> Metrics:
    """List the metrics."""
    return Metrics(metrics=[_describe(state) for state in list_metrics(reader, group=asked.parameters.group or None)])


def get_observations(asked: Asked[SeriesParameters], reader: Reader) -> Observations:
    """Return the observations of a metric."""
    parameters = asked.parameters
    within = read_range(asked)
    metrics = MetricReader(reader)
    state = get_metric(metrics, parameters.name)
    found = read_series(
        metrics,
        state.metric,
        within=within,
        now=asked.now,
        steps=parameters.steps,
        segment=parameters.segment,
        series=parameters.series,
    )
    return Observations(
        metric=_describe(state),
        start=None if found.start is None else format_instant(found.start),
        step_s=found.step_s,
        series=[_describe_series(one) for one in found.series],
        left_out_segments=found.left_out,
    )


def _describe_series(series: SegmentSeries) -> MetricSeries:
    return MetricSeries(segment=series.segment, values=list(series.values))


def _describe(state: MetricState) -> MetricRow:
    metric = state.metric
    return MetricRow(
        name=metric.name,
        statistic=metric.statistic,
        property=metric.property,
        period_s=metric.period_s,
        segment=metric.segment,
        filter=metric.filter,
        of=metric.of,
        group=metric.group,
        query=None if metric.filter is None else find_query(metric.filter),
        of_query=None if metric.of is None else find_query(metric.of),
        segment_field=None if metric.segment is None else find_field_name(metric.segment),
        formula=metric.property if is_derived(metric) else None,
        state=state.state,
        refreshed_at=None if state.refreshed_at is None else format_instant(state.refreshed_at),
        watermark=None if state.watermark is None else format_instant(state.watermark),
        error=state.error,
    )


RESOURCES: Final = (
    Resource(
        path="/api/v1/metrics",
        summary="All metrics",
        parameters=MetricsParameters,
        answer=Metrics,
        work=get_metrics,
        rows="metrics",
    ),
    Resource(
        path="/api/v1/metrics/{name}",
        summary="The observations of a metric",
        parameters=SeriesParameters,
        answer=Observations,
        work=get_observations,
        rows="series",
    ),
)
