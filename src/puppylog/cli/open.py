"""``puppylog open`` and ``puppylog FILE``: collect files into a store in the cache directory, and report on them."""

import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from puppylog.cli.collecting import Reporter, tell_summary
from puppylog.cli.messages import tell, warn
from puppylog.cli.newest_part import count_in_time, tell_counted_since
from puppylog.cli.nothing_found import tell_nothing_found
from puppylog.cli.options import (
    examples,
    group_option,
    is_flag_given,
    pass_settings,
    range_options,
    report_output_options,
    store_options,
    timeout_option,
    within_option,
)
from puppylog.cli.output import terminal_width
from puppylog.cli.parsing import choose_format, format_options, multiline_options
from puppylog.cli.report_commands import list_commands
from puppylog.cli.report_json import write_report_json
from puppylog.cli.signals import Signals
from puppylog.cli.surroundings import wants_color
from puppylog.cli.times import parse_range
from puppylog.collect.collector import Collector
from puppylog.collect.events import Event, FileFinished, FormatChosen, Summary
from puppylog.collect.format_choice import joins_lines, make_source
from puppylog.collect.options import CollectOptions
from puppylog.errors import SourceError, StreamBusy, UsageError
from puppylog.formats.file.folder import find_versions
from puppylog.model.number import format_bytes
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.report import Report, make_report
from puppylog.monitor.search import Search, get_group_id
from puppylog.settings import Settings, cache_directory
from puppylog.stores.base import Store
from puppylog.stores.cache import CachedStore, StoreCache
from puppylog.stores.connect import connect, name_store
from puppylog.tail.source import STDIN, expand_sources, is_pipe
from puppylog.tui.clean import clean
from puppylog.tui.report import draw_report
from puppylog.tui.times import format_instant


@dataclass(frozen=True, slots=True)
class _Reported:
    """A report, what it is about, and the store from which it was made."""

    report: Report
    title: str
    url: str | None  # for commands that go on from here; None: they find the store without
    since: datetime | None  # from where on records are counted; None: all are


@click.command(
    "open",
    epilog=examples(
        "puppylog access.log",
        "puppylog open /var/log/nginx/ --since 24h",
        "zcat access.log.*.gz | puppylog -",
        "puppylog access.log -o html > report.html",
        "puppylog open --store postgresql:///logs",
    ),
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(readable=False))
@format_options
@multiline_options
@range_options
@group_option("Without FILE: only records of this log group.")
@within_option
@timeout_option
@report_output_options
@store_options
@pass_settings
@click.pass_context
def open_(
    ctx: click.Context,
    settings: Settings,
    *,
    files: tuple[str, ...],
    format_: str,
    format_from: Path | None,
    year: int | None,
    multiline: str,
    multiline_timeout: float,
    since: str | None,
    from_: str | None,
    to: str | None,
    group: str | None,
    budget_s: float | None,
) -> None:
    """Show what is in log files, or in a store, at a glance.

    FILE is a file, compressed or not, a directory, a pattern, or - for standard input. Its lines are collected into a
    store of their own in the cache directory. If the same files are opened again, only what is new in them is read.
    Without FILE, the report is about the records of the store.

    -o html writes one page that needs no other file, to be kept or mailed.
    """
    within = parse_range(settings, since, from_, to)
    if not files:
        with connect(settings.store, timeout_s=settings.timeout_s) as store:
            group_id = None if group is None else get_group_id(store, group)
            report, part_at = _report(settings, store, Search("true", within, group_id), budget_s)
        title = f"group {group}" if group is not None else name_store(settings.store.url)
        url = name_store(settings.store.url) if is_flag_given("store") else None
        _show(settings, _Reported(report, title, url, part_at), budget_s)
        return
    _refuse_store_options(group)
    chosen = choose_format(settings, format_, format_from, year, joins_lines=joins_lines(multiline))
    expand_sources(files)  # so that no store is made for files that cannot be read
    paths = [path if path == STDIN else str(Path(path).absolute()) for path in files]
    options = CollectOptions(
        sources=[make_source(paths, chosen, multiline=multiline, multiline_timeout_s=multiline_timeout)]
    )
    reading = (format_, str(format_from or ""), str(year or ""), str(settings.data_zone), multiline)
    versions = find_versions(format_)  # so that lines are read again after a format file was changed
    is_unique = any(path == STDIN or is_pipe(path) for path in paths)
    cached = _cache().find(paths, [*reading, *versions], unique=f"{time.time_ns()} {os.getpid()}" if is_unique else "")
    reported, unread = _report_files(
        settings, cached, options, Search("true", within), title=_name_files(files), budget_s=budget_s
    )
    _show(settings, reported, budget_s)
    _point_at_rejects(settings, reported.report)
    if unread:
        ctx.exit(SourceError.exit_code)


def _cache() -> StoreCache:
    return StoreCache(cache_directory(os.environ))


def _refuse_store_options(group: str | None) -> None:
    if is_flag_given("store"):
        raise UsageError(
            "use",
            "--store with FILE",
            "the report has a store of its own",
            advice="collect with `puppylog collector -s FILE --store URL`, then `puppylog open --store URL`",
        )
    if group is not None:
        raise UsageError("use", "--group with FILE", "its lines have no group")


def _report_files(
    settings: Settings,
    cached: CachedStore,
    options: CollectOptions,
    search: Search,
    *,
    title: str,
    budget_s: float | None,
) -> tuple[_Reported, int]:
    """Collect the files into their store and make the report; also return how many files could not be read.

    Raises:
        KeyboardInterrupt: a signal has ended the collecting; what was read is stored.
    """
    # A query over a large file may take longer than the default, which protects stores that others use.
    timeout_s = settings.timeout_s if is_flag_given("timeout") else None
    store, deleted = _cache().connect(cached, timeout_s=timeout_s)
    with store:
        for old in deleted:
            size = format_bytes(old.size_bytes)
            tell(settings, f"deleted the cached store of {', '.join(old.files)}, {size}, which was not used lately")
        summary = _collect(settings, cached, store, options)
        report, since = _report(settings, store, search, budget_s)
    return _Reported(report, title, cached.url, since), 0 if summary is None else summary.unread


def _report(settings: Settings, store: Store, search: Search, budget_s: float | None) -> tuple[Report, datetime | None]:
    """Return the report, and from where on records are counted; None: all are.

    If it is empty, say on stderr why, and what to type next.
    """
    dialect = dialect_of(store)
    report, since = count_in_time(store, search, budget_s, lambda part: make_report(store, part, dialect))
    if not report.lines and since is None:
        tell_nothing_found(settings, store, search)
    return report, since


def _collect(settings: Settings, cached: CachedStore, store: Store, options: CollectOptions) -> Summary | None:
    """Collect what is new; return None if another process does, and this one has waited or has been refused.

    A pipe has often no end but an interrupt, and what was read from it cannot be read again. So its report is shown.

    Raises:
        KeyboardInterrupt: a signal has ended the collecting of files; what was read is stored.
    """
    is_told = False

    def may_wait() -> bool:
        nonlocal is_told
        if not is_told:
            tell(settings, "another process reads the same files for a report; waiting for it")
            is_told = True
        return not signals.stop.is_set()

    summary = None
    with Signals() as signals, Reporter(settings) as reporter, cached.collecting(may_wait) as is_mine:

        def on_event(event: Event) -> None:
            if not isinstance(event, FormatChosen | FileFinished):  # the report has the formats and the files
                reporter.on_event(event)

        if is_mine:
            try:
                summary = Collector(store, options, stop=signals.stop, on_event=on_event).run()
            except StreamBusy as error:
                warn(f"{error.message}; the report has what is stored now")
    if signals.stop.is_set() and not cached.is_unique:
        tell(settings, "interrupted; what was read is stored, and the same command goes on from there")
        raise KeyboardInterrupt
    if summary is not None and (summary.bytes_read or summary.unfinished_bytes):
        tell_summary(settings, summary)
    return summary


def _name_files(files: Sequence[str]) -> str:
    names = ["standard input" if file == STDIN else file for file in dict.fromkeys(files)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _show(settings: Settings, reported: _Reported, budget_s: float | None) -> None:
    commands = list_commands(reported.report, reported.url)
    title = reported.title  # a page is mailed, so the note on stderr does not go with it
    if reported.since is not None:
        title += f", only records since {format_instant(reported.since, settings.zone)}"
    _write(settings, reported, title, commands)
    tell_counted_since(settings, reported.since, budget_s)


def _write(settings: Settings, reported: _Reported, title: str, commands: Sequence[str]) -> None:
    if settings.output == "html":
        from puppylog.cli.report_page import render_page  # noqa: PLC0415 - only this output needs the page

        sys.stdout.write(render_page(reported.report, title, commands, zone=settings.zone))
        return
    if settings.output.startswith("json"):  # a configuration file may name any format of rows
        zone = settings.data_zone
        write_report_json(sys.stdout, reported.report, title, commands, zone=zone, counted_since=reported.since)
        return
    color = wants_color(settings)
    width = max(terminal_width() or 80, 40)
    if reported.report.lines:
        drawn = draw_report(reported.report, title=title, width=width, zone=settings.zone, color=color)
        sys.stdout.writelines(line + "\n" for line in drawn)
        sys.stdout.write("\n")
        sys.stdout.writelines(clean(command) + "\n" for command in commands)
    sys.stdout.flush()


def _point_at_rejects(settings: Settings, report: Report) -> None:
    """If most lines were rejected, say on stderr how to find out why."""
    if report.rejects <= report.records:
        return
    worst = max(report.sources, key=lambda source: source.rejects).name
    file = "FILE" if worst == STDIN else shlex.quote(worst)
    tell(settings, f"most lines are rejected; see where they do not fit: puppylog collector detect {file}")
