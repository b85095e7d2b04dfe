"""The run of ``puppylog collector``: reads the sources, connects to the store, and collects until the run is over."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import click

from puppylog.cli.collecting import Reporter, describe_reasons, describe_summary, describe_times, tell_summary
from puppylog.cli.given_options import find_config_files
from puppylog.cli.gone_streams import finish_gone_streams
from puppylog.cli.messages import tell, warn
from puppylog.cli.options import reread_settings
from puppylog.cli.signals import Signals
from puppylog.collect.collector import Collector
from puppylog.collect.dry_run import DryWriter
from puppylog.collect.events import Summary
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.pods.access import find_access
from puppylog.collect.retry import call_with_retry
from puppylog.errors import PuppylogError, StoreCrowded, UsageError
from puppylog.settings import Settings
from puppylog.stores.address import StoreAddress
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tail.source import STDIN
from puppylog.tui.clean import clean

_MOST_REJECTED: Final = (
    "most lines are rejected, and kept: 'puppylog rejects count' shows why, and 'puppylog rejects replay --format …' "
    "parses them again"
)
_CROWDED_S: Final = 60.0  # a limit, so that runs that cron starts one after another do not pile up


def run(
    read_sources: Callable[[Settings], Sequence[SourceOptions]],
    settings: Settings,
    *,
    paths: Sequence[str],
    watch: bool,
    echo: bool,
    is_dry: bool,
) -> Summary | None:
    """Collect until the run is over; return its summary, or None if it was stopped while the store was unavailable.

    Args:
        read_sources: returns the sources. Called again, with the settings of then, after SIGHUP.
        settings: of the command.
        paths: those that the command line names; standard input cannot be read again after SIGHUP.
        watch: go on after the end of the files.
        echo: print the store's answer to each batch.
        is_dry: store nothing, and print what would be stored.
    """
    options = CollectOptions(
        sources=read_sources(settings), watch=watch, node=settings.host, cluster=find_access(os.environ)
    )
    with Signals(can_restart=watch and STDIN not in paths) as signals, Reporter(settings, echo=echo) as reporter:
        summary: Summary | None
        if is_dry:
            summary = Collector(DryWriter(), options, stop=signals.stop, on_event=reporter.on_event).run()
            for line in (describe_summary(summary), *describe_times(summary.counts), *describe_reasons(summary)):
                sys.stdout.write(clean(line) + "\n")
        else:
            summary = _collect(options, settings, signals, reporter)
            while signals.take_restart_request():
                tell(settings, "restarting after SIGHUP")
                with _keeping_what_was_read():
                    changed = reread_settings()
                    options, settings = replace(options, sources=read_sources(changed)), changed
                summary = _collect(options, settings, signals, reporter)
    return summary


@contextmanager
def _keeping_what_was_read() -> Iterator[None]:
    """If the block raises an error of the configuration, say so, and go on with what was read before."""
    try:
        yield
    except PuppylogError as error:
        warn(f"{error.message}; what was read before stays in effect")


def read_declared_sources(ctx: click.Context, settings: Settings) -> Sequence[SourceOptions]:
    """Return the sources of the configuration file."""
    from puppylog.config.reading import read_configuration  # noqa: PLC0415 - takes as long as all other modules
    from puppylog.config.sources import make_options  # noqa: PLC0415 - likewise

    declared = read_configuration(find_config_files(ctx)).sources
    if not declared:
        raise UsageError(
            "collect", "nothing", advice="name a source with -s/--source, or with [[source]] in the configuration file"
        )
    return [make_options(source, settings.data_zone, os.environ) for source in declared]


def _collect(options: CollectOptions, settings: Settings, signals: Signals, reporter: Reporter) -> Summary | None:
    """Collect into the store. Return None if SIGHUP arrived while the store was unavailable."""
    try:
        with _connect(settings.store, signals.stop, reporter, waits=options.watch) as store:
            options = replace(options, host=settings.host if store.is_shared else "")
            if options.watch:
                finish_gone_streams(store, options)
            summary = Collector(store, options, stop=signals.stop, on_event=reporter.on_event).run()
    except PuppylogError as error:
        if not (error.transient and signals.is_restart_requested):
            raise
        return None
    tell_summary(settings, summary)
    if summary.rejects > summary.records:
        tell(settings, _MOST_REJECTED)
    return summary


def _connect(address: StoreAddress, stop: threading.Event, reporter: Reporter, *, waits: bool) -> Store:
    """Connect to the store.

    If the store is unavailable, a collector that watches waits until it answers. Any other run waits only if the store
    has no connection left, and at most a minute.
    """
    deadline = time.monotonic() + _CROWDED_S

    def may_retry(error: PuppylogError) -> bool:
        return error.transient and (waits or (isinstance(error, StoreCrowded) and time.monotonic() < deadline))

    return call_with_retry(lambda: connect(address), stop, reporter.on_event, may_retry=may_retry)
