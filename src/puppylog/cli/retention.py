"""``puppylog retention``: show and set which records the store keeps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import write_table
from puppylog.errors import UsageError
from puppylog.model.number import format_bytes
from puppylog.model.period import format_period, parse_period
from puppylog.model.retention import KEEP_ALL, MIN_KEEP_S, Retention
from puppylog.model.size import parse_size
from puppylog.settings import Settings
from puppylog.stores.connect import connect

_NONE: Final = "none"


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "puppylog retention show",
        "puppylog retention set --keep 30d --group shop=7d",
        "puppylog retention set --max-size 10GB --archive /srv/archive",
    ),
)
@click.pass_context
def retention(context: click.Context) -> None:
    """Show and set which records the store keeps.

    Old records are dropped, and the metrics that were made of them stay. A configuration file with a [retention] table
    sets the same; 'puppylog apply' then replaces what was set here. Without a subcommand, the rules are shown.
    """
    if context.invoked_subcommand is None:
        context.invoke(show)


@retention.command()
@output_options
@store_options
@pass_settings
def show(settings: Settings) -> None:
    """Show which records the store keeps."""
    with connect(settings.store) as store:
        kept = store.get_retention()
    rows = _list_rules(kept)
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [pa.array([], pa.string())] * 3
    write_table(pa.table(columns, ["rule", "group", "value"]), settings)
    if kept.is_empty:
        tell(settings, "all records are kept")


def _list_rules(kept: Retention) -> list[tuple[str, str | None, str]]:
    rules: list[tuple[str, str | None, str]] = []
    if kept.keep_s is not None:
        rules.append(("keep", None, format_period(kept.keep_s)))
    rules += [("keep", name, format_period(keep_s)) for name, keep_s in kept.groups]
    if kept.max_bytes is not None:
        rules.append(("max_size", None, format_bytes(kept.max_bytes)))
    if kept.archive is not None:
        rules.append(("archive", None, kept.archive))
    return rules


@retention.command("set")
@click.option("--keep", metavar="PERIOD", help="Drop records that are older, such as 30d; none keeps them.")
@click.option(
    "--group",
    "groups",
    metavar="NAME=PERIOD",
    multiple=True,
    help="The same for the streams of a group, such as shop=7d; shop=none removes it. Repeatable.",
)
@click.option(
    "--max-size", metavar="SIZE", help="Drop the oldest records before the store becomes larger, such as 10GB; or none."
)
@click.option(
    "--archive",
    metavar="DIRECTORY",
    help="Write records there as Parquet before they are dropped; or none. Embedded stores only.",
)
@click.option("--none", "is_none", is_flag=True, help="Keep all records, and archive nothing.")
@store_options
@pass_settings
def set_(
    settings: Settings,
    *,
    keep: str | None,
    groups: Sequence[str],
    max_size: str | None,
    archive: str | None,
    is_none: bool,
) -> None:
    """Set which records the store keeps. What is not named here stays as it is."""
    is_given = bool(groups) or (keep, max_size, archive) != (None, None, None)
    if is_given == is_none:
        cause = "--none cannot be combined with other options" if is_none else "no option says what to keep"
        raise UsageError("set", "the retention", cause, advice="see 'puppylog retention set --help'")
    with connect(settings.store) as store:
        before = store.get_retention()
        kept = KEEP_ALL if is_none else _changed(before, keep, groups, max_size, archive)
        is_new = store.set_retention(kept)
    rules = ", ".join(f"{rule} {group + ' ' if group else ''}{value}" for rule, group, value in _list_rules(kept))
    tell(settings, f"{'set' if is_new else 'unchanged'}: {rules or 'all records are kept'}")


def _changed(
    before: Retention, keep: str | None, groups: Sequence[str], max_size: str | None, archive: str | None
) -> Retention:
    """Return the retention with the values of the options. None, or an empty sequence, leaves a value as it is."""
    by_name = dict(before.groups)
    for pair in groups:
        name, sign, text = pair.partition("=")
        if not sign:
            raise UsageError("read", f"--group {pair!r}", advice="write NAME=PERIOD, such as shop=7d")
        if text == _NONE:
            by_name.pop(name, None)
        else:
            by_name[name] = parse_period(text, "age", min_s=MIN_KEEP_S)
    keep_s, max_bytes, directory = before.keep_s, before.max_bytes, before.archive
    if keep is not None:
        keep_s = None if keep == _NONE else parse_period(keep, "age", min_s=MIN_KEEP_S)
    if max_size is not None:
        max_bytes = None if max_size == _NONE else parse_size(max_size, "largest size")
    if archive is not None:
        directory = None if archive == _NONE else str(Path(archive).expanduser().absolute())
    return Retention(keep_s, tuple(by_name.items()), max_bytes, directory)
