"""``puppylog groups``: create, list and delete log groups."""

from typing import Final

import click

from puppylog.cli.complete import complete_groups
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import write_table
from puppylog.cli.tables import Layout
from puppylog.model.identifier import parse_identifier
from puppylog.model.number import format_bytes, format_number
from puppylog.monitor.groups import list_groups
from puppylog.settings import Settings
from puppylog.stores.connect import connect

LAYOUT: Final = Layout(
    expendable=("files", "moved_at", "bytes", "streams"),
    headings={"bytes": "stored", "moved_at": "last stored"},
    shown={"streams": format_number, "files": format_number, "bytes": format_bytes},
)


@click.group(
    epilog=examples(
        "puppylog groups create shop", "puppylog collector -s access.log --group shop", "puppylog logs --group shop"
    )
)
def groups() -> None:
    """Create, list and delete log groups.

    A group is an application's streams. Metrics, alerts and searches can be limited to one.
    """


@groups.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@store_options
@pass_settings
def create(settings: Settings, names: tuple[str, ...]) -> None:
    """Create log groups. A group that already exists stays as it is."""
    checked = [parse_identifier(name, "group") for name in names]
    with connect(settings.store) as store:
        for name in checked:
            is_new = store.create_group(name)
            tell(settings, f"created group {name}" if is_new else f"group {name} already exists")


@groups.command("list")
@output_options
@store_options
@pass_settings
def list_(settings: Settings) -> None:
    """List the log groups and what is in them."""
    with connect(settings.store) as store:
        found = list_groups(store)
    if not found.num_rows:
        tell(settings, "no groups yet; a collector makes one: puppylog collector -s FILE --group NAME")
    write_table(found, settings, LAYOUT)


@groups.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_groups)
@store_options
@pass_settings
def delete(settings: Settings, names: tuple[str, ...]) -> None:
    """Delete log groups.

    Their streams and records stay, without a group. A group that a metric is limited to cannot be deleted.
    """
    with connect(settings.store) as store:
        for name in names:
            store.delete_group(name)
            tell(settings, f"deleted group {name}")
