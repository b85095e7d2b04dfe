"""``puppylog up`` and ``puppylog down``: keep the store at work, or send the embedded store's engine away."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from puppylog.cli.collecting import Reporter, describe_summary
from puppylog.cli.options import examples, host_option, pass_settings, store_options
from puppylog.cli.parsing import choose_format, format_options, zone_option
from puppylog.cli.signals import Signals
from puppylog.cli.talk import tell, warn
from puppylog.collect.collector import Collector
from puppylog.collect.options import CollectOptions
from puppylog.collect.retry import call_with_retry
from puppylog.errors import PuppylogError
from puppylog.model.identifier import parse_identifier
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect, name_store, stop

# A crashed engine is started again within so long: metrics and alerts are wanted as long as this runs.
_KEEP_ALIVE_S: Final = 2.0


@click.command(epilog=examples("puppylog up", "puppylog up /var/log/nginx/access.log --group shop"))
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@format_options
@zone_option
@click.option("--group", metavar="NAME", help="The log group of these files; made if it is new.")
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
    """Keep the store's engine, and follow files.

    Until interrupted, metrics are refreshed and alerts are evaluated even if nobody else uses the store; files and
    patterns that are named are collected as by the collector with --watch.
    """
    if group is not None:
        parse_identifier(group, "group")
    with ExitStack() as stack:
        asked = stack.enter_context(Signals()).stop
        reporter = stack.enter_context(Reporter(settings))
        store = stack.enter_context(call_with_retry(lambda: connect(settings.store), asked, reporter.on_event))
        tell(settings, f"up: {name_store(settings.store)}; Ctrl-C to leave")
        if not paths:
            _stay(store, asked)
            return
        options = CollectOptions(
            sources=paths,
            format=choose_format(settings, format_, format_from, year),
            group=group,
            host=settings.host if store.is_shared else "",
            watch=True,
        )
        summary = Collector(store, options, stop=asked, on_event=reporter.on_event).run()
    tell(settings, describe_summary(summary))


@click.command(epilog=examples("puppylog down"))
@store_options
@pass_settings
def down(settings: Settings) -> None:
    """Stop an engine that nobody holds.

    It would leave by itself after a while; this is for those who want its files untouched now.
    """
    tell(settings, "the engine has stopped" if stop(settings.store) else "no engine is running")


def _stay(store: Store, asked: threading.Event) -> None:
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
