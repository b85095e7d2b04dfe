"""``puppylog top``, ``hist``, ``stats`` and ``patterns``: count records in the store, without SQL.

The default output is drawn for people; ``-o`` gives the same numbers as rows. Notes on stderr say what an answer leaves
out.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import click
import pyarrow as pa

from puppylog.cli.messages import tell
from puppylog.cli.newest_part import count_in_time, tell_counted_since, write_counts
from puppylog.cli.nothing_found import tell_nothing_found
from puppylog.cli.options import (
    examples,
    group_option,
    limit_option,
    output_options,
    pass_settings,
    range_options,
    store_options,
    timeout_option,
    within_option,
)
from puppylog.cli.output import terminal_width
from puppylog.cli.queries import complete_field, query_argument, read_query, translate_for
from puppylog.cli.surroundings import wants_color
from puppylog.cli.times import parse_instant, parse_range
from puppylog.cli.truncation import tell_later
from puppylog.errors import UsageError
from puppylog.model.expression.term import Dialect
from puppylog.model.period import parse_period
from puppylog.model.query.fields import Field, Kind
from puppylog.monitor import counting
from puppylog.monitor.condition import dialect_of, join_conditions
from puppylog.monitor.search import Search, get_group_id, narrow_search
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tui.bar import draw_patterns, draw_statistics, draw_top, format_share
from puppylog.tui.histogram import draw_histogram, fit_steps
from puppylog.tui.times import localize

_CHART_WIDTH: Final = 80  # of a chart that is not written to a terminal
_UNLIMITED: Final = 100_000  # the width of text that is not written to a terminal
_TIME: Final = pa.timestamp("us", tz="UTC")
_STATISTICS: Final = pa.schema(
    [
        ("field", pa.string()),
        *((name, pa.int64()) for name in ("records", "count", "missing", "not_numbers")),
        *((name, pa.float64()) for name in ("min", "p50", "p90", "p99", "max", "mean")),
        ("bins", pa.list_(pa.struct([("start", pa.float64()), ("end", pa.float64()), ("count", pa.int64())]))),
    ]
)
_PATTERNS: Final = pa.schema(
    [
        ("pattern", pa.string()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        ("first_at", _TIME),
        ("last_at", _TIME),
        ("example", pa.string()),
    ]
)

field_argument: Final = click.argument("field", metavar="FIELD", shell_complete=complete_field)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The values of the options that choose records."""

    query: tuple[str, ...]
    since: str | None
    from_: str | None
    to: str | None
    group: str | None
    budget_s: float | None  # of --within; None: all records are counted


def _choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add QUERY and the options that choose records, which the command gets as ``chosen``, and the shared options."""

    @functools.wraps(command)
    def with_choice(
        *,
        query: tuple[str, ...],
        since: str | None,
        from_: str | None,
        to: str | None,
        group: str | None,
        budget_s: float | None,
        **others: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401 - what the command returns
        return pass_settings(command)(chosen=Chosen(query, since, from_, to, group, budget_s), **others)

    decorated: Callable[..., Any] = with_choice
    options = (query_argument, range_options, group_option("Only records of this log group."), within_option)
    for option in reversed((*options, timeout_option, output_options, store_options)):
        decorated = option(decorated)
    return decorated


@contextmanager
def _open_search(settings: Settings, chosen: Chosen) -> Iterator[tuple[Store, Search, Dialect]]:
    """Yield the store, the search for the chosen records, and the store's dialect."""
    written = read_query(chosen.query)
    within = parse_range(settings, chosen.since, chosen.from_, chosen.to)
    with connect(settings.store, timeout_s=settings.timeout_s) as store:
        asked = None if written is None else translate_for(store, written, settings)
        group_id = None if chosen.group is None else get_group_id(store, chosen.group)
        yield store, narrow_search(store, Search(join_conditions(store, asked), within, group_id)), dialect_of(store)


def _write_lines(lines: Sequence[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()  # so that notes on stderr follow it


@click.command(
    epilog=examples(
        "puppylog top status_code",
        "puppylog top request_route 'status_code>=500' --since 1h",
        "puppylog top user 'severity>=error' -l 3 -o json",
        "puppylog top source",
    )
)
@field_argument
@limit_option("of the most frequent values", 10)
@_choosing
def top(settings: Settings, *, field: str, chosen: Chosen, limit: int) -> None:
    """Count the records of each value of a field.

    The most frequent values come first. FIELD is a column such as status_code, an attribute such as duration_ms, or
    source, stream, group or file. QUERY chooses the records, as in 'puppylog logs'. A share is the share of all records
    that QUERY finds; (none) stands for records without a value.
    """
    with _open_search(settings, chosen) as (store, search, dialect):
        asked = counting.get_field(store, field, dialect)
        found, part_at = count_in_time(
            store,
            search,
            chosen.budget_s,
            lambda part: counting.count_top(store, asked, part, dialect=dialect, values=limit),
        )
        if settings.output != "table":
            _write_top(settings, asked, found, chosen, part_at)
        elif found.records:
            rows = [(_text_of(one.value, settings), one.count) for one in found.values]
            _write_lines(draw_top(rows, found.records, terminal_width() or _UNLIMITED))
        tell_counted_since(settings, part_at, chosen.budget_s)
        if not found.records and part_at is None:
            tell_nothing_found(settings, store, search)
    if len(found.values) < found.distinct:
        share = format_share(sum(one.count for one in found.values), found.records)
        tell(
            settings,
            f"{len(found.values):,} of {found.distinct:,} values are shown, which {share} of the {found.records:,} "
            "records have; -l shows more",
        )


def _write_top(
    settings: Settings, field: Field, found: "counting.Top", chosen: Chosen, part_at: datetime | None
) -> None:
    kinds = {Kind.NUMBER: pa.int64(), Kind.STREAM: pa.int64(), Kind.TIME: _TIME}
    schema = pa.schema([("value", kinds.get(field.kind, pa.string())), ("count", pa.int64()), ("share", pa.float64())])
    rows = [{"value": one.value, "count": one.count, "share": one.count / found.records} for one in found.values]
    write_counts(rows, schema, settings, chosen.budget_s, part_at)


def _text_of(value: object, settings: Settings) -> str | None:
    if isinstance(value, datetime):
        return localize(value, settings.zone).isoformat()
    return None if value is None else str(value)


@click.command(
    epilog=examples(
        "puppylog hist",
        "puppylog hist 'status_code>=500' --since 1h --step 1m",
        "puppylog hist --by severity --since yesterday",
        "puppylog hist --by status_code --series 3 -o csv > statuses.csv",
    )
)
@click.option("--by", metavar="FIELD", shell_complete=complete_field, help="Count each value of this field separately.")
@click.option("--step", metavar="PERIOD", help="The length of a step, such as 1m. Default: by range and width.")
@click.option(
    "--series",
    type=click.IntRange(1, 20),
    default=6,
    show_default=True,
    help="With --by: how many of the most frequent values are counted separately. All others are counted together.",
)
@_choosing
def hist(settings: Settings, *, chosen: Chosen, by: str | None, step: str | None, series: int) -> None:
    """Count records over time.

    Steps cover the range of --since, --from and --to, else that of the records. With --since they go on to the present,
    and at most as far beyond it as --since goes back. A step without records is zero. Steps are aligned to the epoch.
    """
    step_s = None if step is None else parse_period(step, "--step")
    width = terminal_width() or _CHART_WIDTH
    with _open_search(settings, chosen) as (store, search, dialect):
        field = None if by is None else counting.get_field(store, by, dialect)
        found, part_at = count_in_time(
            store,
            search,
            chosen.budget_s,
            lambda part: counting.count_histogram(  # its steps begin where the part does: none is zero without counting
                store,
                part,
                dialect=dialect,
                steps=fit_steps(width),
                by=field,
                step_s=step_s,
                series=series,
                reach=settings.clock() if chosen.since is not None and chosen.to is None else None,
                latest=counting.find_latest(search.within, settings.clock()),
            ),
        )
        if settings.output != "table":
            _write_histogram(settings, by, found, chosen, part_at)
        elif found is not None:
            _write_lines(
                draw_histogram(found, width, zone=settings.zone, now=settings.clock(), color=wants_color(settings))
            )
        tell_counted_since(settings, part_at, chosen.budget_s)
        if found is None and part_at is None:
            tell_nothing_found(settings, store, search)
    if found is not None and found.later:
        tell_later(settings, found.later, found.end)
    if found is not None and found.other_values:
        values = len(found.series) + found.other_values
        tell(
            settings,
            f"{len(found.series)} of {values:,} values of {by} are counted separately and all others together; "
            "--series shows more",
        )


def _write_histogram(
    settings: Settings, by: str | None, found: "counting.Histogram | None", chosen: Chosen, part_at: datetime | None
) -> None:
    columns = [("bucket", _TIME), ("count", pa.int64())]
    if by is not None:
        columns[1:1] = [("value", pa.string()), ("is_other", pa.bool_())]
    rows = [] if found is None else [row for step in range(found.steps) for row in _iter_rows(found, by, step)]
    write_counts(rows, pa.schema(columns), settings, chosen.budget_s, part_at)


def _iter_rows(found: "counting.Histogram", by: str | None, step: int) -> Iterator[dict[str, object]]:
    """Yield the rows of one step."""
    for one in found.all_series:
        is_other = one is found.other
        value = {} if by is None else {"value": None if is_other else one.name, "is_other": is_other}
        yield {"bucket": found.start_of(step), **value, "count": one.counts[step]}


@click.command(
    epilog=examples(
        "puppylog stats response_bytes",
        "puppylog stats duration_ms 'request_route:/shop/*' --since 1d",
        "puppylog stats duration_ms -o json",
    )
)
@field_argument
@_choosing
def stats(settings: Settings, *, field: str, chosen: Chosen) -> None:
    """Show the statistics of a field that is a number.

    These are the extremes, exact percentiles and the mean, and how many records are in each bin. FIELD is a column such
    as response_bytes, or an attribute such as duration_ms; a text that is a number counts as one. Bins have equal
    widths, unless the greatest number is far beyond the median; then their widths grow.
    """
    with _open_search(settings, chosen) as (store, search, dialect):
        asked = counting.get_field(store, field, dialect)
        found, part_at = count_in_time(
            store, search, chosen.budget_s, lambda part: counting.measure_field(store, asked, part, dialect=dialect)
        )
        if settings.output != "table":
            _write_statistics(settings, field, found, chosen, part_at)
        elif found.count:
            _write_lines(draw_statistics(found, terminal_width() or _CHART_WIDTH))
        tell_counted_since(settings, part_at, chosen.budget_s)
        if not found.records and part_at is None:
            tell_nothing_found(settings, store, search)
    if found.missing:
        tell(settings, f"{found.missing:,} of {found.records:,} records have no {field}")
    if found.not_numbers:
        tell(settings, f"{found.not_numbers:,} of {found.count + found.not_numbers:,} values are not numbers")


def _write_statistics(
    settings: Settings, field: str, found: "counting.Statistics", chosen: Chosen, part_at: datetime | None
) -> None:
    row = {
        **{name: getattr(found, name) for name in ("records", "count", "missing", "not_numbers")},
        **{name: getattr(found, name) for name in ("p50", "p90", "p99", "mean")},
        "field": field,
        "min": found.least,
        "max": found.greatest,
        "bins": [{"start": one.start, "end": one.end, "count": one.count} for one in found.bins],
    }
    write_counts([row], _STATISTICS, settings, chosen.budget_s, part_at)


@click.command(
    epilog=examples(
        "puppylog patterns",
        "puppylog patterns 'severity>=warning' --since 1d",
        "puppylog patterns --new-since 2h",
        "puppylog patterns --field request_route -l 50 -o jsonl",
    )
)
@click.option(
    "--field",
    default="message",
    show_default=True,
    metavar="FIELD",
    shell_complete=complete_field,
    help="The text whose patterns count.",
)
@click.option("--new-since", metavar="TIME", help="Only patterns that no record before this time has.")
@limit_option("of the most frequent patterns", 20)
@_choosing
def patterns(settings: Settings, *, chosen: Chosen, field: str, new_since: str | None, limit: int) -> None:
    """Group messages by their pattern, and find new ones.

    A pattern is a message with a star for each number, id, address and text in quotes. It has its number of records,
    the times of the first and the last one, and the last message. The pattern is that of the first line of a message,
    of at most 500 characters.
    """
    if new_since is not None and chosen.budget_s is not None:
        raise UsageError("use", "--within with --new-since", "only all records tell what is new")
    zone = settings.zone
    new_at = None if new_since is None else parse_instant(new_since, "--new-since", now=settings.clock(), zone=zone)
    with _open_search(settings, chosen) as (store, search, dialect):
        asked = counting.get_field(store, field, dialect)
        _check_text(asked)
        found, part_at = count_in_time(
            store,
            search,
            chosen.budget_s,
            lambda part: counting.find_patterns(
                store, part, dialect=dialect, patterns=limit, field=asked, new_since=new_at
            ),
        )
        if settings.output != "table":
            _write_patterns(settings, found, chosen, part_at)
        else:
            _write_lines(
                draw_patterns(
                    found.patterns, found.records, terminal_width() or _UNLIMITED, zone=zone, now=settings.clock()
                )
            )
        tell_counted_since(settings, part_at, chosen.budget_s)
        if not found.records + found.missing and part_at is None:
            tell_nothing_found(settings, store, search)
    _tell_about_patterns(settings, field, found, new_since)


def _check_text(field: Field) -> None:
    """Refuse a field that is not text."""
    if field.kind not in {Kind.TEXT, Kind.SEVERITY, Kind.ATTRIBUTE}:
        cause = "patterns are those of texts, such as message or request_route"
        raise UsageError("find", f"patterns of {field.name}", cause, f"'puppylog top {field.name}' counts its values")


def _tell_about_patterns(settings: Settings, field: str, found: "counting.Patterns", new_since: str | None) -> None:
    if new_since is not None and found.records:
        tell(settings, f"new since {new_since}: {found.new:,} of {found.distinct:,} patterns")
    if len(found.patterns) < found.new:
        new = "" if new_since is None else " new"
        tell(settings, f"{len(found.patterns):,} of {found.new:,}{new} patterns are shown; -l shows more")
    if found.missing:
        advice = "" if found.records else "; --field names another field, such as request_route"
        tell(settings, f"{found.missing:,} of {found.records + found.missing:,} records have no {field}{advice}")


def _write_patterns(settings: Settings, found: "counting.Patterns", chosen: Chosen, part_at: datetime | None) -> None:
    rows = [
        {
            "pattern": one.shape,
            "count": one.count,
            "share": one.count / found.records,
            "first_at": one.first_at,
            "last_at": one.last_at,
            "example": one.example,
        }
        for one in found.patterns
    ]
    write_counts(rows, _PATTERNS, settings, chosen.budget_s, part_at)
