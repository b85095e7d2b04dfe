"""``puppylog up`` and ``puppylog down``: keep a store's jobs running, or stop the engine of an embedded store."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from puppylog.cli.collecting import Reporter, describe_summary
from puppylog.cli.complete import complete_files
from puppylog.cli.options import examples, group_option, host_option, pass_settings, store_options
from puppylog.cli.parsing import choose_format, format_options, zone_option
from puppylog.cli.signals import Signals
from puppylog.cli.talk import tell, warn
from puppylog.collect.choosing import make_source
from puppylog.collect.collector import Collector
from puppylog.collect.options import CollectOptions
from puppylog.collect.retry import call_with_retry
from puppylog.errors import PuppylogError
from puppylog.model.identifier import parse_identifier
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect, name_store, stop

# How often to check that the engine runs: a crashed engine is started again within this time.
_KEEP_ALIVE_S: Final = 2.0


@click.command(epilog=examples("puppylog up", "puppylog up /var/log/nginx/access.log --group shop"))
@click.argument("paths", metavar="[PATH]...", nargs=-1, shell_complete=complete_files)
@format_options
@zone_option
@group_option("The log group of these files; created if it does not exist.")
@host_option
@store_options
@pass_settings
def up(
    settings: Settings,
    *,
    paths: tuple[str, ...],
    format_: str,
    format_from: Path | None,
    year: int | None,
    group: str | None,
) -> None:
    """Keep the store running, and follow files.

    Until it is interrupted, metrics are refreshed and alerts are evaluated, even if no other command uses the store.
    The named files and patterns are collected, as with puppylog collector --watch.
    """
    if group is not None:
        parse_identifier(group, "group")
    with ExitStack() as stack:
        asked = stack.enter_context(Signals()).stop
        reporter = stack.enter_context(Reporter(settings))
        store = stack.enter_context(call_with_retry(lambda: connect(settings.store), asked, reporter.on_event))
        tell(settings, f"up: {name_store(settings.store)}; Ctrl-C to quit")
        if not paths:
            _keep_alive(store, asked)
            return
        options = CollectOptions(
            sources=[make_source(paths, choose_format(settings, format_, format_from, year), group=group)],
            host=settings.host if store.is_shared else "",
            watch=True,
        )
        summary = Collector(store, options, stop=asked, on_event=reporter.on_event).run()
    tell(settings, describe_summary(summary))


@click.command(epilog=examples("puppylog down"))
@store_options
@pass_settings
def down(settings: Settings) -> None:
    """Stop the engine of an embedded store.

    The engine must have no client left. It stops by itself after a few seconds without a client; this command stops it
    now, for example to copy its files.
    """
    tell(settings, "the engine has stopped" if stop(settings.store) else "no engine is running")


def _keep_alive(store: Store, asked: threading.Event) -> None:
    """Keep the store running until ``asked`` is set."""
    is_away = False
    while not asked.wait(_KEEP_ALIVE_S):
        try:
            store.keep_alive()
            is_away = False
        except PuppylogError as error:
            if not error.transient:
                raise
            if not is_away:
                warn(f"{error.message}; trying again")
            is_away = True
