"""``puppylog monitor metrics list | get | meta``: the metrics, their observations and their definitions."""

import functools
import sys
from dataclasses import asdict
from typing import Final

import click
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.cli.options import (
    examples,
    group_option,
    limit_option,
    output_options,
    pass_settings,
    range_options,
    store_options,
)
from puppylog.cli.output import terminal_width, write_record, write_rows, write_table
from puppylog.cli.talk import tell, warn
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.model.metric import Metric
from puppylog.monitor.metrics import (
    Extent,
    MetricState,
    count_buckets,
    get_metric,
    list_metrics,
    measure_extent,
    read_in_steps,
    read_observations,
)
from puppylog.monitor.range import ALWAYS
from puppylog.settings import Settings
from puppylog.stores.connect import connect
from puppylog.tui.observation import Observation, draw_metric

_INSTANT: Final = pa.timestamp("us", "UTC")
_LISTED: Final = pa.schema(
    [
        ("name", pa.string()),
        ("statistic", pa.string()),
        ("property", pa.string()),
        ("period_s", pa.int32()),
        ("segment", pa.string()),
        ("filter", pa.string()),
        ("of", pa.string()),
        ("group", pa.string()),
        ("state", pa.string()),
    ]
)
_META: Final = pa.schema(
    [
        *_LISTED,
        ("error", pa.string()),
        ("refresh_s", pa.int32()),
        ("created_at", _INSTANT),
        ("refreshed_at", _INSTANT),
        ("watermark", _INSTANT),
        ("observations", pa.int64()),
        ("buckets", pa.int64()),
        ("segments", pa.int64()),
        ("first_bucket", _INSTANT),
        ("last_bucket", _INSTANT),
    ]
)
_CHART_WIDTH: Final = 100
_CHART_MARGIN: Final = 12  # cells for the labels of the axis


@click.command("list")
@group_option("Only metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
def list_(settings: Settings, group: str | None) -> None:
    """List the metrics.

    The state of a metric is ok, checking (late lines have arrived, and their buckets are being refreshed), or error
    (its last refresh failed: see doctor).
    """
    with connect(settings.store) as store:
        states = list_metrics(store, group=group)
    if not states:
        tell(settings, "no metrics yet; a good start is: puppylog monitor metrics create --default")
    write_rows([{**asdict(state.metric), "state": state.state} for state in states], _LISTED, settings)


@click.command(
    epilog=examples(
        "puppylog monitor metrics get total_traffic",
        "puppylog monitor metrics get total_traffic_per_route --since 1h",
        "puppylog monitor metrics get total_traffic_per_route --segment blog --from 2015-05-17 --to 2015-05-18 -o csv",
    )
)
@click.argument("name")
@range_options
@limit_option("of the newest buckets that are not empty", 100)
@click.option("--segment", metavar="VALUE", help="Only this segment.")
@click.option(
    "--chart/--no-chart", default=None, help="Draw a chart. Default: on a terminal, unless -o asks for another format."
)
@output_options
@store_options
@pass_settings
def get(
    settings: Settings,
    name: str,
    *,
    since: str | None,
    from_: str | None,
    to: str | None,
    limit: int,
    segment: str | None,
    chart: bool | None,
) -> None:
    """Show the observations of a metric.

    On a terminal, a chart: columns over time; for a metric with segments, a bar and a sparkline per segment. With
    --since, --from or --to, the chart covers the whole range, in steps of several periods if necessary. Elsewhere, a
    row per bucket and segment.

    Otherwise only the newest buckets are shown; stderr says how many there are.
    """
    within = parse_range(settings, since, from_, to)
    width = terminal_width()
    is_chart = chart if chart is not None else width is not None and settings.output == "table"
    with connect(settings.store) as store:
        state = get_metric(store, name)
        metric = state.metric
        _doubt(state, settings)
        if is_chart and within != ALWAYS and _is_default("limit"):
            steps = (width or _CHART_WIDTH) - _CHART_MARGIN
            table, step_s = read_in_steps(store, metric, within=within, steps=steps, segment=segment)
            _draw(metric, table, settings, width, step_s)
            return
        table = read_observations(store, metric, within=within, buckets=limit, segment=segment)
        if is_chart:
            _draw(metric, table, settings, width, metric.period_s)
        else:
            write_table(table if metric.segment is not None else table.drop_columns("segment"), settings)
        sys.stdout.flush()
        count = functools.partial(count_buckets, store, metric, within=within, segment=segment)
        tell_truncated(settings, "buckets", shown=pc.count_distinct(table["bucket"]).as_py(), limit=limit, count=count)


def _doubt(state: MetricState, settings: Settings) -> None:
    """Say so if the values are out of date, or may still change."""
    if state.error is not None:
        warn(
            f"metric {state.metric.name} may be out of date, because its last refresh failed: {state.error}; "
            "'puppylog doctor' says more"
        )
    elif state.is_being_checked:
        tell(settings, f"metric {state.metric.name} does not include all late lines yet: values may change")


def _draw(metric: Metric, table: pa.Table, settings: Settings, width: int | None, step_s: int) -> None:
    rows = [Observation(**row) for row in table.to_pylist()]
    for line in draw_metric(metric, rows, width=width or _CHART_WIDTH, zone=settings.zone, step_s=step_s):
        sys.stdout.write(f"{line}\n")


def _is_default(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.DEFAULT


@click.command()
@click.argument("name")
@output_options
@store_options
@pass_settings
def meta(settings: Settings, name: str) -> None:
    """Show a metric's definition and size.

    Buckets below the watermark are materialized; buckets above it are computed when they are read.
    """
    with connect(settings.store) as store:
        state = get_metric(store, name)
        extent = measure_extent(store, state.metric)
    write_record(_describe(state, extent), _META, settings)


def _describe(state: MetricState, extent: Extent) -> dict[str, object]:
    times = {"created_at": state.created_at, "refreshed_at": state.refreshed_at, "watermark": state.watermark}
    health = {"state": state.state, "error": state.error}
    return {**asdict(state.metric), **health, **times, **asdict(extent)}
