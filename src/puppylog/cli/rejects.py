"""``puppylog rejects``: show the lines that did not fit their format, and parse them again."""

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import pyarrow as pa

from puppylog.cli.complete import complete_files
from puppylog.cli.messages import tell
from puppylog.cli.options import (
    examples,
    group_option,
    limit_option,
    output_options,
    pass_settings,
    range_options,
    store_options,
)
from puppylog.cli.output import write_rows
from puppylog.cli.parsing import choose_format, format_options, zone_option
from puppylog.cli.queries import query_argument, read_query, translate_for
from puppylog.cli.rejected_lines import LISTED, open_list_writer
from puppylog.cli.tables import Layout
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.collect.replay import Summary, replay
from puppylog.errors import UsageError
from puppylog.model.number import format_number
from puppylog.model.query import REJECTS
from puppylog.model.source import name_source
from puppylog.monitor.condition import WrittenQuery, join_conditions
from puppylog.monitor.rejects import (
    KnownFile,
    RejectFilter,
    count_lines,
    count_reasons,
    get_file_ids,
    iter_newest,
    iter_rejects,
    read_files,
)
from puppylog.monitor.search import get_group_id
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tui.clean import clean

COUNTED: Final = pa.schema(
    [
        ("lines", pa.int64()),
        ("reason", pa.string()),
        ("source", pa.string()),
        ("first_at", pa.timestamp("us", tz="UTC")),
        ("last_at", pa.timestamp("us", tz="UTC")),
    ]
)
COUNT_LAYOUT: Final = Layout(
    expendable=("first_at", "last_at", "source"),
    paths=("source",),
    wrapped=("reason",),
    headings={"first_at": "first", "last_at": "last"},
    shown={"lines": format_number, "source": name_source},
)
_NONE: Final = "no rejected line is found"
_UNKNOWN_FILE: Final = KnownFile(0, 0, "", "")


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The values of the options that choose rejected lines."""

    since: str | None
    from_: str | None
    to: str | None
    sources: tuple[str, ...]
    group: str | None
    reason: str
    query: WrittenQuery | None


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose rejected lines. The command gets their values as the argument ``chosen``."""

    @functools.wraps(command)
    def with_filter(
        *,
        since: str | None,
        from_: str | None,
        to: str | None,
        sources: tuple[str, ...],
        group: str | None,
        reason: str,
        query: tuple[str, ...] = (),
        **others: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401 - what the command returns
        return command(chosen=FilterOptions(since, from_, to, sources, group, reason, read_query(query)), **others)

    decorated: Callable[..., Any] = with_filter
    for option in reversed(
        (
            query_argument,
            range_options,
            click.option(
                "-s",
                "--source",
                "sources",
                multiple=True,
                metavar="PATH",
                shell_complete=complete_files,
                help="Only lines of this source: a path, a pattern such as '*/nginx/*', or - for standard input.",
            ),
            group_option("Only lines of this log group."),
            click.option("--reason", metavar="TEXT", default="", help="Only lines whose reason contains this."),
        )
    ):
        decorated = option(decorated)
    return decorated


@contextmanager
def _open_filtered(
    settings: Settings, chosen: FilterOptions
) -> Iterator[tuple[Store, dict[int, KnownFile], RejectFilter]]:
    """Yield the store, its files by id, and the filter for its rejected lines."""
    within = parse_range(settings, chosen.since, chosen.from_, chosen.to)
    with connect(settings.store) as store:
        files = read_files(store)
        group_id = None if chosen.group is None else get_group_id(store, chosen.group)
        file_ids = get_file_ids(files, chosen.sources) if chosen.sources else None
        asked = None if chosen.query is None else translate_for(store, chosen.query, settings, vocabulary=REJECTS)
        condition = join_conditions(store, asked)
        yield store, files, RejectFilter(within, chosen.reason, group_id, file_ids, condition)


@click.group(
    epilog=examples(
        "puppylog rejects count",
        "puppylog rejects list 'healthz -source:access.log'",
        "puppylog rejects list --since 1h --source /var/log/nginx/access.log",
        "puppylog rejects export --reason 'no time' | puppylog collector detect -",
        "puppylog rejects replay --format combined --dry-run",
    )
)
def rejects() -> None:
    """Show rejected lines, and parse them again.

    A rejected line is a complete line that did not fit its format. The store keeps it, with the reason.
    """


@rejects.command("list")
@filter_options
@limit_option("of the newest lines", 100)
@output_options
@store_options
@pass_settings
def list_lines(settings: Settings, *, chosen: FilterOptions, limit: int) -> None:
    """List rejected lines, the newest last."""
    writer = open_list_writer(settings)
    with _open_filtered(settings, chosen) as (store, files, wanted):
        shown = 0
        for batch in iter_newest(store, wanted, lines=limit):
            writer.write(_show(batch, files))
            shown += batch.num_rows
        writer.close()
        sys.stdout.flush()
        if not shown and limit:
            tell(settings, _NONE)
        tell_truncated(settings, "lines", shown=shown, limit=limit, count=functools.partial(count_lines, store, wanted))


def _show(batch: pa.RecordBatch, files: dict[int, KnownFile]) -> pa.RecordBatch:
    known = [files.get(file_id, _UNKNOWN_FILE) for file_id in batch["file_id"].to_pylist()]
    columns = [
        pa.array([file.source_uri for file in known], pa.string()),
        pa.array([file.path for file in known], pa.string()),
        *(batch[name] for name in ("line_offset", "rejected_at", "reason")),
        pa.array([line.decode(errors="replace") for line in batch["line"].to_pylist()], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LISTED)


@rejects.command("count")
@filter_options
@output_options
@store_options
@pass_settings
def count(settings: Settings, *, chosen: FilterOptions) -> None:
    """Count rejected lines by reason and source, most frequent first."""
    with _open_filtered(settings, chosen) as (store, files, wanted):
        found = count_reasons(store, wanted).to_pylist()
    if not found:
        tell(settings, _NONE)
    sources = {file.stream_id: file.source_uri for file in files.values()}
    rows = [{**row, "source": sources.get(row["stream_id"], "")} for row in found]
    write_rows([{name: row[name] for name in COUNTED.names} for row in rows], COUNTED, settings, COUNT_LAYOUT)


@rejects.command("export")
@filter_options
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file instead of standard output.",
)
@zone_option
@store_options
@pass_settings
def export(settings: Settings, *, chosen: FilterOptions, path: Path | None) -> None:
    """Write the bytes of rejected lines.

    The lines are written unchanged, each with a newline, so that 'puppylog collector detect' or any other tool can read
    them.
    """
    if path is None and sys.stdout.isatty():
        raise UsageError(
            "write",
            "the lines to a terminal",
            "they may hold control sequences",
            advice="name a file with --file, or a pipe",
        )
    with _open_filtered(settings, chosen) as (store, _, wanted), ExitStack() as stack:
        out = sys.stdout.buffer if path is None else stack.enter_context(_open_file(path))
        for batch in iter_rejects(store, wanted):
            out.writelines(line + b"\n" for line in batch["line"].to_pylist())
        out.flush()


def _open_file(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise UsageError("write", str(path), (error.strerror or str(error)).lower()) from None


@rejects.command(
    "replay",
    epilog=examples(
        "puppylog rejects replay --format combined --dry-run",
        "puppylog rejects replay --format json --source '/var/log/app/*' --since 1d",
    ),
)
@filter_options
@format_options
@click.option("--dry-run", is_flag=True, help="Parse and count the lines, change nothing.")
@zone_option
@store_options
@pass_settings
@click.pass_context
def replay_lines(
    ctx: click.Context,
    settings: Settings,
    *,
    chosen: FilterOptions,
    format_: str,
    format_from: Path | None,
    year: int | None,
    dry_run: bool,
) -> None:
    """Parse rejected lines again, and store those that fit as records.

    A line that fits the format becomes a record at the same place, exactly once, even if a replay is interrupted or
    runs twice; metrics count it. A line that does not fit stays a rejected line, with its old reason.
    """
    if format_from is None and ctx.get_parameter_source("format_") is click.core.ParameterSource.DEFAULT:
        raise UsageError("replay", "without a format", advice="name it with --format ('puppylog formats' lists them)")
    format_chosen = choose_format(settings, format_, format_from, year, joins_lines=False)
    with _open_filtered(settings, chosen) as (store, _, wanted):
        summary = replay(None if dry_run else store, iter_rejects(store, wanted), format_chosen)
    if dry_run:
        for line in _describe(summary, is_dry=True):
            sys.stdout.write(clean(line) + "\n")
    else:
        for line in _describe(summary, is_dry=False):
            tell(settings, line)


def _describe(summary: Summary, *, is_dry: bool) -> Sequence[str]:
    """Return lines about what a replay has done, the first one a summary."""
    now = "would be records" if is_dry else "are records now"
    read, records, stay = map(format_number, (summary.read, summary.records, summary.unchanged))
    lines = [f"{read} rejected lines read: {records} {now}, {stay} stay"]
    if summary.missed:
        lines.append(f"{format_number(summary.missed):>8} gone: another replay has stored them")
    if summary.rowless:
        lines.append(f"{format_number(summary.rowless):>8} stay: they make no row, as directives do")
    return lines + [f"{format_number(number):>8} stay: {reason}" for reason, number in summary.reasons.most_common()]
