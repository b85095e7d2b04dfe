"""``puppylog up``: the permanent process. ``puppylog down``: stop the engine of an embedded store."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from puppylog.cli.complete import complete_files
from puppylog.cli.given_options import find_config_files
from puppylog.cli.messages import tell
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
from puppylog.errors import UsageError
from puppylog.model.address import Address
from puppylog.model.identifier import parse_identifier
from puppylog.settings import Settings
from puppylog.stores.connect import begin_engine, stop

if TYPE_CHECKING:  # loaded while the engine starts
    from puppylog.cli.declared import Declared


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
    if paths and is_flag_given("config"):
        raise UsageError("follow", "PATH with --config", "the file's sources are followed", "give one of them")

    ctx.call_on_close(begin_engine(settings.store))
    # These take half a second of CPU, in which the engine starts.
    from puppylog.cli import declared as declaring  # noqa: PLC0415 - see above
    from puppylog.cli import up_run  # noqa: PLC0415 - see above
    from puppylog.config.listen import parse_syslog_url  # noqa: PLC0415 - see above

    syslog = [parse_syslog_url(url) for url in listen_syslog]

    def read_again(before: "Declared | None") -> "Declared":
        with ctx.scope(cleanup=False):  # another thread calls this
            return declaring.read_declared(find_config_files(ctx), reread_settings(), os.environ, before)

    if paths:
        from puppylog.collect.format_choice import make_source  # noqa: PLC0415 - see above

        source = make_source(paths, choose_format(settings, format_, format_from, year, joins_lines=True), group=group)
        declared = declaring.Declared(settings, sources=[source])
    else:
        declared = declaring.read_declared(find_config_files(ctx), settings, os.environ)
    up_run.run(declared, None if paths else read_again, address, syslog)


@click.command(epilog=examples("puppylog down"))
@store_options
@pass_settings
def down(settings: Settings) -> None:
    """Stop the engine of an embedded store.

    The engine must have no client left. It stops by itself after a few seconds without a client; this command stops it
    now, for example to copy its files.
    """
    tell(settings, "the engine has stopped" if stop(settings.store.url) else "no engine is running")
