"""``puppylog up``: the permanent process. ``puppylog down``: stop the engine of an embedded store."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from puppylog.cli.collecting import Reporter, tell_summary
from puppylog.cli.complete import complete_files
from puppylog.cli.declared import Declared, read_declared
from puppylog.cli.given import find_config_files
from puppylog.cli.gone_streams import finish_gone_streams
from puppylog.cli.options import (
    examples,
    group_option,
    host_option,
    is_flag_given,
    pass_settings,
    reread_settings,
    store_options,
)
from puppylog.cli.parsing import choose_format, format_options, zone_option
from puppylog.cli.service_socket import ServiceSocket
from puppylog.cli.serving import Serving
from puppylog.cli.signals import Signals
from puppylog.cli.signs_of_life import SignsOfLife
from puppylog.cli.talk import tell
from puppylog.cli.upkeep import Upkeep
from puppylog.collect.choosing import make_source
from puppylog.collect.collector import Collector
from puppylog.collect.events import Event
from puppylog.collect.options import CollectOptions
from puppylog.collect.retry import call_with_retry
from puppylog.config.listen import SyslogConfig, parse_syslog_url
from puppylog.errors import UsageError
from puppylog.model.address import Address
from puppylog.model.identifier import parse_identifier
from puppylog.settings import Settings
from puppylog.stores.connect import connect, name_store, stop


@click.command(
    epilog=examples(
        "puppylog up", "puppylog up -c /etc/puppylog/config.toml", "puppylog up /var/log/nginx/access.log --group shop"
    )
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, shell_complete=complete_files)
@format_options
@zone_option
@group_option("The log group of these files; created if it does not exist.")
@click.option(
    "--listen",
    metavar="ADDRESS",
    envvar="PUPPYLOG_LISTEN",
    show_envvar=True,
    help="Serve HTTP here, such as 127.0.0.1:7380, instead of where the table [listen] says.",
)
@click.option(
    "--listen-syslog",
    metavar="URL",
    multiple=True,
    help="Receive syslog here, too, such as udp://0.0.0.0:5514; also tcp:// and tls://. Repeatable.",
)
@host_option
@store_options
@pass_settings
@click.pass_context
def up(
    ctx: click.Context,
    settings: Settings,
    *,
    paths: tuple[str, ...],
    format_: str,
    format_from: Path | None,
    year: int | None,
    group: str | None,
    listen: str | None,
    listen_syslog: tuple[str, ...],
) -> None:
    """Keep the store running, as the configuration file declares.

    Its sources are followed, its metrics and alerts are applied to the store, and its contacts are told of alerts.
    SIGHUP reads the file again; if the file is wrong, what was read before stays in effect. With PATH, the named files
    and patterns are collected, as with puppylog collector --watch, and the file's tables are not used.

    With --listen, or with a table [listen] in the file, other machines and programs send lines and read the store over
    HTTP; docs/server.md says more.

    Until it is interrupted, metrics are refreshed and alerts are evaluated, even if no other command uses the store.
    """
    if group is not None:
        parse_identifier(group, "group")
    address = None if listen is None else Address.parse(listen)
    syslog = [parse_syslog_url(url) for url in listen_syslog]
    if paths and is_flag_given("config"):
        raise UsageError("follow", "PATH with --config", "the file's sources are followed", "give one of them")

    def read_again(before: Declared | None) -> Declared:
        with ctx.scope(cleanup=False):  # another thread calls this
            return read_declared(find_config_files(ctx), reread_settings(), os.environ, before)

    if paths:
        source = make_source(paths, choose_format(settings, format_, format_from, year, joins_lines=True), group=group)
        declared = Declared(settings, sources=[source])
    else:
        declared = read_declared(find_config_files(ctx), settings, os.environ)
    _run(declared, None if paths else read_again, address, syslog)


def _run(
    declared: Declared,
    read_again: Callable[[Declared], Declared] | None,
    address: Address | None,
    syslog: Sequence[SyslogConfig],
) -> None:
    """Collect, serve and keep the store running until a signal asks for the end."""
    settings = declared.settings
    reload_wanted = threading.Event()  # the thread that reads the files starts when the store answers

    with ExitStack() as stack:
        stop = stack.enter_context(Signals(on_reload=None if read_again is None else reload_wanted.set)).stop
        reporter = stack.enter_context(Reporter(settings))
        serving = Serving(declared, address, syslog, reporter.write_between)
        stack.enter_context(serving)
        store = stack.enter_context(call_with_retry(lambda: connect(settings.store), stop, reporter.on_event))
        tell(settings, f"up: {name_store(settings.store.url)}; Ctrl-C to quit")
        options = CollectOptions(
            sources=declared.sources,
            host=settings.host if store.is_shared else "",
            watch=True,
            waits_for_streams=read_again is not None,
        )

        def on_event(event: Event) -> None:
            serving.note_event(event)
            reporter.on_event(event)

        finish_gone_streams(store, options)
        collector = Collector(store, options, stop=stop, on_event=on_event)
        service = ServiceSocket(os.environ)
        stack.enter_context(
            SignsOfLife(service, collector, stop, on_stop=serving.begin_end, is_serving=serving.has_moved)
        )
        if read_again is None:
            service.tell_ready(serving.describe_status(name_store(settings.store.url)))
        else:
            work = Upkeep(
                declared,
                read_again,
                reload_wanted,
                store=store,
                collector=collector,
                service=service,
                serving=serving,
                write=reporter.write_between,
            )
            stack.enter_context(work)
        summary = collector.run()
    if summary.files or declared.sources:
        tell_summary(settings, summary)


@click.command(epilog=examples("puppylog down"))
@store_options
@pass_settings
def down(settings: Settings) -> None:
    """Stop the engine of an embedded store.

    The engine must have no client left. It stops by itself after a few seconds without a client; this command stops it
    now, for example to copy its files.
    """
    tell(settings, "the engine has stopped" if stop(settings.store.url) else "no engine is running")
