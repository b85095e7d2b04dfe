"""``puppylog monitor metrics list | get | meta``: the metrics, their observations and their definitions."""

import functools
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.complete import complete_metrics
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
from puppylog.cli.tables import Layout
from puppylog.cli.talk import tell, warn
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.model.metric import Metric
from puppylog.model.period import format_period, parse_period
from puppylog.monitor.metrics import (
    Extent,
    MetricState,
    count_buckets,
    get_metric,
    list_metrics,
    measure_extent,
    read_in_steps,
    read_observations,
    read_steps,
)
from puppylog.monitor.range import ALWAYS, Range
from puppylog.settings import Settings
from puppylog.stores.base import Store
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
_LAYOUT: Final = Layout(
    expendable=("group", "of", "filter", "segment", "property", "statistic", "period_s"),
    wrapped=("segment", "filter", "of"),
    headings={"period_s": "period"},
    shown={"period_s": format_period},
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
    write_rows([{**asdict(state.metric), "state": state.state} for state in states], _LISTED, settings, _LAYOUT)


@click.command(
    epilog=examples(
        "puppylog monitor metrics get total_traffic",
        "puppylog monitor metrics get total_traffic_per_route --since 1h",
        "puppylog monitor metrics get total_traffic --step 1h --since 1d -o csv",
        "puppylog monitor metrics get total_traffic_per_route --segment blog --from 2015-05-17 --to 2015-05-18 -o csv",
    )
)
@click.argument("name", shell_complete=complete_metrics)
@range_options
@limit_option("of the newest buckets that are not empty", 100)
@click.option("--segment", metavar="VALUE", help="Only this segment.")
@click.option("--step", metavar="LENGTH", help="A value for each step of this length, such as 1h, not for each bucket.")
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
    step: str | None,
    chart: bool | None,
) -> None:
    """Show the observations of a metric.

    On a terminal, a chart: columns over time; for a metric with segments, a bar and a sparkline per segment. With
    --since, --from or --to, the chart covers the whole range, in steps of several periods if necessary. Elsewhere, a
    row per bucket and segment.

    The value of a --step is that of all its records for counts, sums, rates, ratios, min and max. For the other
    statistics it is the mean of its buckets' values.

    Otherwise only the newest buckets are shown; stderr says how many there are.
    """
    within = parse_range(settings, since, from_, to)
    step_s = None if step is None else parse_period(step, "step")
    width = terminal_width()
    is_chart = chart if chart is not None else width is not None and settings.output == "table"
    is_whole = is_chart and _is_default("limit") and (step_s is not None or within != ALWAYS)
    chart_steps = (width or _CHART_WIDTH) - _CHART_MARGIN if is_whole else None
    with connect(settings.store) as store:
        state = get_metric(store, name)
        metric = state.metric
        _doubt(state, settings)
        found = _find(store, metric, within, segment, step_s=step_s, chart_steps=chart_steps, limit=limit)
        if is_chart:
            _draw(metric, found.table, settings, width, found.step_s)
        else:
            write_table(found.table if metric.segment is not None else found.table.drop_columns("segment"), settings)
        sys.stdout.flush()
        if found.count is not None:
            shown = _count_buckets(found.table)
            what = "buckets" if step_s is None else "steps"
            tell_truncated(settings, what, shown=shown, limit=limit, count=found.count)


@dataclass(frozen=True, slots=True)
class _Found:
    """What `get` shows."""

    table: pa.Table  # bucket, segment, value
    step_s: int  # the seconds between two buckets
    count: Callable[[int], int] | None  # counts the buckets up to a limit; None if all of them are in the table


def _find(
    store: Store,
    metric: Metric,
    within: Range,
    segment: str | None,
    *,
    step_s: int | None,
    chart_steps: int | None,
    limit: int,
) -> _Found:
    """Return observations: of a whole range for a chart of so many steps, otherwise the newest ``limit``.

    Args:
        store: the store.
        metric: the metric.
        within: the range.
        segment: only this segment; None for all.
        step_s: the seconds in a step; None for the metric's buckets, or for steps that fit the chart.
        chart_steps: the number of steps that fit the chart of a whole range; None if the newest are wanted.
        limit: the number of buckets or steps.
    """
    if step_s is not None:
        steps = read_steps(store, metric, step_s, within=within, segment=segment)
        if chart_steps is not None:
            return _Found(steps, step_s, None)
        return _Found(_newest(steps, limit), step_s, lambda most: min(most, _count_buckets(steps)))
    if chart_steps is not None:
        return _Found(*read_in_steps(store, metric, within=within, steps=chart_steps, segment=segment), None)
    newest = read_observations(store, metric, within=within, buckets=limit, segment=segment)
    count = functools.partial(count_buckets, store, metric, within=within, segment=segment)
    return _Found(newest, metric.period_s, count)


def _count_buckets(table: pa.Table) -> int:
    """Return the number of different buckets, which may have several segments."""
    return len(set(table["bucket"].to_pylist()))  # Arrow's functions take longer to load than this


def _newest(table: pa.Table, buckets: int) -> pa.Table:
    """Return the rows of the newest ``buckets``, in the order of the table, which is that of its buckets."""
    import pyarrow.compute as pc  # noqa: PLC0415 - only --step needs it

    known = pc.unique(table["bucket"])
    return table if len(known) <= buckets else table.filter(pc.is_in(table["bucket"], known[len(known) - buckets :]))


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
    lines = draw_metric(
        metric,
        rows,
        width=width or _CHART_WIDTH,
        zone=settings.zone,
        now=settings.clock(),
        zone_name=settings.zone_name,
        step_s=step_s,
    )
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _is_default(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is click.core.ParameterSource.DEFAULT


@click.command()
@click.argument("name", shell_complete=complete_metrics)
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
