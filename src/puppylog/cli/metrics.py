"""``puppylog monitor metrics list | get | meta``: what metrics there are, and what they have observed."""

import sys
from dataclasses import asdict
from typing import Final

import click
import pyarrow as pa

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
from puppylog.cli.talk import tell
from puppylog.cli.times import parse_range
from puppylog.monitor.metrics import Extent, MetricState, get_metric, list_metrics, measure_extent, read_observations
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


@click.command("list")
@group_option("Only metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
def list_(settings: Settings, group: str | None) -> None:
    """List the metrics.

    A metric is ok, or checking: lines came late, and their buckets are being refreshed; or in error: see doctor.
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
@click.option("--chart/--no-chart", default=None, help="Draw it. Default: on a terminal, unless -o says otherwise.")
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
    """Show what a metric has observed.

    On a terminal: columns over time; for a metric with segments, bars of their totals and a small line each. Elsewhere:
    one row per bucket and segment.
    """
    within = parse_range(settings, since, from_, to)
    with connect(settings.store) as store:
        metric = get_metric(store, name).metric
        table = read_observations(store, metric, within=within, buckets=limit, segment=segment)
    width = terminal_width()
    if chart if chart is not None else width is not None and settings.output == "table":
        rows = [Observation(**row) for row in table.to_pylist()]
        for line in draw_metric(metric, rows, width=width or _CHART_WIDTH, zone=settings.zone):
            sys.stdout.write(f"{line}\n")
    else:
        write_table(table if metric.segment is not None else table.drop_columns("segment"), settings)


@click.command()
@click.argument("name")
@output_options
@store_options
@pass_settings
def meta(settings: Settings, name: str) -> None:
    """Show how a metric is defined and how far it is.

    Buckets below the watermark are materialized; those above are computed when they are asked for.
    """
    with connect(settings.store) as store:
        state = get_metric(store, name)
        extent = measure_extent(store, state.metric)
    write_record(_describe(state, extent), _META, settings)


def _describe(state: MetricState, extent: Extent) -> dict[str, object]:
    times = {"created_at": state.created_at, "refreshed_at": state.refreshed_at, "watermark": state.watermark}
    health = {"state": state.state, "error": state.error}
    return {**asdict(state.metric), **health, **times, **asdict(extent)}
