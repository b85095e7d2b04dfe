"""``puppylog config``: check and show the configuration file, and print its JSON Schema."""

import json
import os
import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

import click

from puppylog.cli.complete import complete_files
from puppylog.cli.given_options import find_config_files, given_options, origins_of
from puppylog.cli.messages import warn
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.serving import check_certificates
from puppylog.cli.texts import write_texts
from puppylog.config.contacts import open_contacts
from puppylog.config.effective import list_effective
from puppylog.config.faults import Faults
from puppylog.config.reading import check_configuration, read_configuration
from puppylog.config.schema import make_schema
from puppylog.config.values import Configuration
from puppylog.errors import ConfigurationError
from puppylog.settings import Settings, read_variables

_COLUMNS: Final = ("table", "entry", "key", "value")


@click.group()
def config() -> None:
    """Check and show the configuration file.

    The page docs/configuration.md has every key.
    """


@config.command(epilog=examples("puppylog config check", "puppylog config check ./config.toml"))
@click.argument("file", type=click.Path(path_type=Path), required=False, shell_complete=complete_files)
@store_options
@click.pass_context
def check(ctx: click.Context, file: Path | None) -> None:
    """Check a configuration file, and the files that it includes.

    All faults are shown, and the exit code is 78 if there are any. Without FILE, the file is that of --config, or those
    in their places.
    """
    paths = [file] if file is not None else find_config_files(ctx)
    if not paths:
        raise ConfigurationError("find", "a configuration file", advice="name one: puppylog config check FILE")
    configuration, found = check_configuration(paths)
    faults = Faults(list(found))
    open_contacts(configuration.contacts, os.environ, faults)
    check_certificates(configuration.listen, faults)
    for fault in faults.found:
        warn(fault.message)
    for sentence in configuration.find_unknown_contacts():
        warn(sentence)
    if faults.found:
        ctx.exit(ConfigurationError.exit_code)
    if not given_options(ctx).get("quiet"):
        warn(f"{' and '.join(map(str, paths))}: {describe_contents(configuration)}")


@config.command(epilog=examples("puppylog config show", "puppylog config show --origin -o json"))
@click.option("--origin", "has_origin", is_flag=True, help="Show where each value is from: a file, a flag, …")
@output_options
@store_options
@pass_settings
@click.pass_context
def show(ctx: click.Context, settings: Settings, *, has_origin: bool) -> None:
    """Show the value of every key, defaults included. Secrets are not shown."""
    paths = find_config_files(ctx)
    read_configuration(paths)
    defaults = {"store": settings.store.url, "host": settings.host, "color": "auto", "output": "table", "quiet": False}
    variables = read_variables(os.environ)
    origins = {**dict.fromkeys(variables, "environment"), **origins_of(ctx)}
    values = list_effective(paths, {**variables, **given_options(ctx)}, origins, defaults)
    rows = [(value.table, value.entry, value.key, write_value(value.value), value.origin) for value in values]
    columns = (*_COLUMNS, "origin") if has_origin else _COLUMNS
    write_texts(columns, [row[: len(columns)] for row in rows], settings, wrapped=("value",))


@config.command(epilog=examples("puppylog config schema > puppylog.schema.json"))
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    sys.stdout.write(json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n")


def write_value(value: object) -> str:
    """Return a value as the file would have it; empty for a key without a value.

    >>> write_value(["a", "b"]), write_value(True), write_value(None)
    ('["a", "b"]', 'true', '')
    """
    if value is None:
        return ""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


def describe_contents(configuration: Configuration) -> str:
    """Return the numbers of what a configuration declares: "2 sources, 1 metric, 1 alert, 1 contact"."""
    counts = {
        "source": len(configuration.sources),
        "metric": len(configuration.metrics),
        "alert": len(configuration.alerts),
        "contact": len(configuration.contacts),
    }
    if configuration.silences:
        counts["silence"] = len(configuration.silences)
    counted = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()]
    if configuration.retention is not None:
        counted.append("a retention")
    if configuration.listen is not None:
        counted.append("a server")
    return ", ".join(counted)
