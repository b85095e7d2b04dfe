"""``puppylog monitor metrics list | get | meta``: the metrics, their observations and their definitions."""

import functools
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.complete import complete_metrics
from puppylog.cli.messages import tell, warn
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
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.model.metric import Metric
from puppylog.model.period import format_period, parse_period
from puppylog.monitor.metric_reader import MetricReader
from puppylog.monitor.metrics import (
    Extent,
    MetricState,
    count_buckets,
    find_ends,
    find_newest_buckets,
    find_step,
    get_metric,
    list_metrics,
    measure_extent,
    read_few_segments,
    read_observations,
)
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.ranking import MEAN, SUM, LargestSegments, read_largest
from puppylog.monitor.segments import Segments, segments_of
from puppylog.monitor.steps import Ends, count_steps, cover_range, fill_steps, include_buckets
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader
from puppylog.stores.connect import connect
from puppylog.tui.observation import MAX_SEGMENTS, SUMMED, Observation, draw_metric

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


def _write_filter(condition: str) -> str:
    """Return a filter for people: SQL, or the query that became a pattern of SQL, which may be long."""
    if "REGEXP_LIKE" not in condition:
        return condition
    from puppylog.model.query.reverse import find_query  # noqa: PLC0415 - it loads sqlglot, and few filters need it

    return find_query(condition) or condition


_LAYOUT: Final = Layout(
    expendable=("group", "of", "filter", "segment", "property", "statistic", "period_s"),
    wrapped=("segment", "filter", "of"),
    headings={"period_s": "period"},
    shown={"period_s": format_period, "filter": _write_filter, "of": _write_filter},
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
@click.option(
    "--segments",
    type=click.IntRange(min=1),
    default=MAX_SEGMENTS,
    show_default=True,
    help="At most this many segments, those with the largest sum, or mean, of their values.",
)
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
    segments: int,
    step: str | None,
    chart: bool | None,
) -> None:
    """Show the observations of a metric.

    On a terminal, a chart: columns over time; for a metric with segments, a bar and a sparkline per segment. With
    --since, --from or --to, the chart covers the whole range, up to now if it has no earlier end, in steps of several
    periods if necessary. Elsewhere, a row per bucket and segment.

    The value of a --step is that of all its records. Percentiles of several buckets differ by at most 1 % from the
    exact ones, and numbers of distinct values have a standard error of 3.3 %. A metric without levels, as older ones
    on TimescaleDB may be, shows the mean of its buckets' values for both, avg, stddev and variance. Steps without
    observations are shown, too: as 0 for counts, sums and rates, without a value for the other statistics.

    Otherwise only the newest buckets are shown, of the largest segments; stderr says how many there are.
    """
    within = parse_range(settings, since, from_, to)
    step_s = None if step is None else parse_period(step, "step")
    width = terminal_width()
    is_chart = chart if chart is not None else width is not None and settings.output == "table"
    is_whole = is_chart and _is_default("limit") and (step_s is not None or within != ALWAYS)
    chart_steps = (width or _CHART_WIDTH) - _CHART_MARGIN if is_whole else None
    with connect(settings.store) as store:
        reader = MetricReader(store)
        state = get_metric(reader, name)
        metric = state.metric
        _doubt(state, settings)
        asked = _Asked(within, settings.clock(), segment, segments, step_s, limit)
        if chart_steps:
            found = _find_whole(reader, metric, asked, chart_steps)
        else:
            is_drawn_newest = is_chart and step_s is None and metric.segment is not None and segment is None
            find = _find_newest_of_largest if is_drawn_newest else _find_newest
            found = find(reader, metric, asked)
        if is_chart:
            _draw(metric, found, settings, width, segments)
        else:
            write_table(found.table if metric.segment is not None else found.table.drop_columns("segment"), settings)
        sys.stdout.flush()
        if found.count is not None:
            shown = _count_buckets(found.table) if found.buckets is None else found.buckets
            what = "buckets" if step_s is None else "steps"
            tell_truncated(settings, what, shown=shown, limit=limit, count=found.count)
        if found.left_out and not is_chart:
            _tell_segments(settings, shown=segments, total=segments + found.left_out)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which observations are asked for."""

    within: Range
    now: datetime
    segment: str | None  # only this segment; None for the largest
    segments: int  # how many of these
    step_s: int | None  # the seconds in a step; None for the metric's buckets, or for steps that fit a chart
    limit: int  # of buckets or steps


@dataclass(frozen=True, slots=True)
class _Found:
    """What `get` shows."""

    table: pa.Table  # bucket, segment, value
    step_s: int  # the seconds between two buckets
    ends: Ends | None = None  # the first and the last step of a whole range
    count: Callable[[int], int] | None = None  # counts the buckets up to a limit; None if all of them are in the table
    left_out: int = 0  # how many segments are not in the table
    rest: float = 0.0  # what the sizes of these segments add up to
    buckets: int | None = None  # how many buckets all segments have; None: those in the table


def _find_whole(reader: RecordReader, metric: Metric, asked: _Asked, chart_steps: int) -> _Found:
    """Return the observations of a whole range, in at most ``chart_steps`` steps unless a step is asked for."""
    only = segments_of(asked.segment)
    observed = find_ends(reader, metric, asked.within, asked.segment)
    step_s = asked.step_s
    if step_s is None:
        step_s = find_step(metric, observed, within=asked.within, now=asked.now, steps=chart_steps)
    largest = _read_largest(reader, metric, step_s, asked.within, most=asked.segments, segments=only)
    ends = cover_range(metric, asked.within, asked.now, include_buckets(observed, largest.table), step_s=step_s)
    return _Found(largest.table, step_s, ends, left_out=largest.left_out, rest=largest.rest)


def _find_newest_of_largest(reader: RecordReader, metric: Metric, asked: _Asked) -> _Found:
    """Return the newest buckets of the largest segments of a metric."""
    within, buckets = find_newest_buckets(reader, metric, within=asked.within, buckets=asked.limit)
    largest = _read_largest(reader, metric, metric.period_s, within, most=asked.segments)
    return _Found(
        largest.table,
        metric.period_s,
        include_buckets(find_ends(reader, metric, within), largest.table),
        count=functools.partial(count_buckets, reader, metric, within=asked.within),
        left_out=largest.left_out,
        rest=largest.rest,
        buckets=buckets,
    )


def _read_largest(
    reader: RecordReader, metric: Metric, step_s: int, within: Range, *, most: int, segments: Segments = None
) -> LargestSegments:
    size = SUM if metric.statistic in {*SUMMED, "rate"} else MEAN
    return read_largest(reader, metric, step_s, within=within, size=size, most=most, segments=segments)


def _find_newest(reader: RecordReader, metric: Metric, asked: _Asked) -> _Found:
    """Return the newest buckets that are not empty, or the newest steps."""
    if asked.step_s is not None:
        only = segments_of(asked.segment)
        largest = _read_largest(reader, metric, asked.step_s, asked.within, most=asked.segments, segments=only)
        ends = _find_ends(metric, asked, largest.table, asked.step_s)
        if ends is None:
            return _Found(largest.table, asked.step_s)
        total = count_steps(ends, asked.step_s)
        filled = fill_steps(metric, largest.table, asked.step_s, ends, newest=asked.limit)
        return _Found(filled, asked.step_s, count=lambda most: min(most, total), left_out=largest.left_out)
    if metric.segment is not None and asked.segment is None and asked.limit:
        few = read_few_segments(reader, metric, within=asked.within, buckets=asked.limit, most=asked.segments)
        if few is None:
            return _find_newest_of_largest(reader, metric, asked)
        return _Found(few, metric.period_s, count=functools.partial(count_buckets, reader, metric, within=asked.within))
    newest = read_observations(reader, metric, within=asked.within, buckets=asked.limit, segment=asked.segment)
    count = functools.partial(count_buckets, reader, metric, within=asked.within, segment=asked.segment)
    return _Found(newest, metric.period_s, count=count)


def _find_ends(metric: Metric, asked: _Asked, table: pa.Table, step_s: int) -> Ends | None:
    buckets = table["bucket"]
    observed = Ends(buckets[0].as_py(), buckets[-1].as_py()) if table.num_rows else None
    return cover_range(metric, asked.within, asked.now, observed, step_s=step_s)


def _count_buckets(table: pa.Table) -> int:
    """Return the number of different buckets, which may have several segments."""
    return len(set(table["bucket"].to_pylist()))  # Arrow's functions take longer to load than this


def _doubt(state: MetricState, settings: Settings) -> None:
    """Say so if the values are out of date, or may still change."""
    if state.error is not None:
        warn(
            f"metric {state.metric.name} may be out of date, because its last refresh failed: {state.error}; "
            "'puppylog doctor' says more"
        )
    elif state.is_being_checked:
        tell(settings, f"metric {state.metric.name} does not include all late lines yet: values may change")


def _tell_segments(settings: Settings, *, shown: int, total: int) -> None:
    tell(
        settings,
        f"the largest {shown:,} of {total:,} segments; --segments {total} shows all, and --segment VALUE one of them",
    )


def _draw(metric: Metric, found: _Found, settings: Settings, width: int | None, max_segments: int) -> None:
    rows = [Observation(**row) for row in found.table.to_pylist()]
    lines = draw_metric(
        metric,
        rows,
        width=width or _CHART_WIDTH,
        zone=settings.zone,
        now=settings.clock(),
        zone_name=settings.zone_name,
        step_s=found.step_s,
        ends=found.ends,
        left_out=found.left_out,
        rest=found.rest,
        max_segments=max_segments,
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
        reader = MetricReader(store)
        state = get_metric(reader, name)
        extent = measure_extent(reader, state.metric)
    shown = {name: _LAYOUT.shown[name] for name in ("filter", "of")}
    write_record(_describe(state, extent), _META, settings, Layout(shown=shown))


def _describe(state: MetricState, extent: Extent) -> dict[str, object]:
    times = {"created_at": state.created_at, "refreshed_at": state.refreshed_at, "watermark": state.watermark}
    health = {"state": state.state, "error": state.error}
    return {**asdict(state.metric), **health, **times, **asdict(extent)}
