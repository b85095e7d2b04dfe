"""``puppylog collector``: log files into the store."""

import sys
import threading
from contextlib import ExitStack
from typing import Final

import click

from puppylog.cli.collecting import Reporter, describe_reasons, describe_summary, stopped_by_signals
from puppylog.cli.lazy import LazyGroup, Table
from puppylog.cli.options import examples, host_option, pass_settings, store_options
from puppylog.cli.parsing import choose_format, format_options, zone_option
from puppylog.cli.restamp import Restamped
from puppylog.cli.talk import tell
from puppylog.collect.collector import Collector
from puppylog.collect.dry import DryInlet
from puppylog.collect.patience import patiently
from puppylog.errors import UsageError
from puppylog.model.identifier import parse_identifier
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tui.clean import clean

COMMANDS: Final[Table] = {
    "detect": ("puppylog.cli.detect:detect", "Show how a file would be parsed."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    invoke_without_command=True,
    epilog=examples(
        "puppylog collector -s access.log",
        "puppylog collector -s '/var/log/nginx/*.log' --watch --group shop",
        "zcat access.log.2.gz | puppylog collector -s -",
        "puppylog collector -s access.log --dry-run",
        "puppylog collector detect access.log",
    ),
)
@click.option(
    "-s",
    "--source",
    "sources",
    multiple=True,
    metavar="PATH",
    envvar="PUPPYLOG_SOURCE",
    show_envvar=True,
    help="A file, a pattern such as '/var/log/*.log', or - for standard input. May be given again.",
)
@click.option(
    "-w",
    "--watch",
    is_flag=True,
    envvar="PUPPYLOG_WATCH",
    show_envvar=True,
    help="Go on when the end is reached, through rotation and truncation, until interrupted.",
)
@click.option("-n", "--now", is_flag=True, help="Give records the time when they are read, not their own.")
@click.option("--from-end", is_flag=True, help="Start files that the store does not know yet at their end.")
@format_options
@zone_option
@click.option(
    "--group",
    metavar="NAME",
    envvar="PUPPYLOG_GROUP",
    show_envvar=True,
    help="The log group of these sources; made if it is new.",
)
@click.option("-r", "--redirect_psql_out", "echo", is_flag=True, help="Print what the store answers to each batch.")
@click.option("--dry-run", is_flag=True, help="Parse and count, store nothing; also tell why lines are rejected.")
@host_option
@store_options
@pass_settings
@click.pass_context
def collector(
    ctx: click.Context,
    settings: Settings,
    *,
    sources: tuple[str, ...],
    watch: bool,
    now: bool,
    from_end: bool,
    format_: str,
    year: int | None,
    group: str | None,
    echo: bool,
    dry_run: bool,
) -> None:
    """Collect log files into the store.

    Every complete line is stored exactly once: as a record, or as a rejected line with its reason. The store knows how
    far each file has been read, so the same command again goes on where the last one ended. An interrupt stops reading,
    commits what has been read, and ends.
    """
    if ctx.invoked_subcommand is not None:
        return
    if not sources:
        raise UsageError("cannot collect nothing: name a source with -s/--source")
    if dry_run and watch:
        raise UsageError("cannot watch in a dry run: it ends where the files end")
    format_chosen = choose_format(settings, format_, year)
    if group is not None:
        parse_identifier(group, "group")
    with ExitStack() as stack:
        stop = stack.enter_context(stopped_by_signals())
        reporter = stack.enter_context(Reporter(settings, echo=echo))
        store = None if dry_run else stack.enter_context(_connect(settings.store, stop, reporter, waits=watch))
        summary = Collector(
            DryInlet() if store is None else store,
            sources,
            format=Restamped(format_chosen) if now else format_chosen,
            stop=stop,
            on_event=reporter.on_event,
            group=group,
            host=settings.host if store is not None and store.is_shared else "",
            watch=watch,
            from_end=from_end,
        ).run()
    if dry_run:
        for line in (describe_summary(summary), *describe_reasons(summary)):
            sys.stdout.write(clean(line) + "\n")
    else:
        tell(settings, describe_summary(summary))


def _connect(url: str, stop: threading.Event, reporter: Reporter, *, waits: bool) -> Store:
    """Connect to the store; who watches also waits for it."""
    return patiently(lambda: connect(url), stop, reporter.on_event) if waits else connect(url)
