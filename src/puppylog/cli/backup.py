"""``puppylog backup`` and ``puppylog restore``: copy an embedded store while it is used, and make a store of a copy."""

import os
from pathlib import Path
from typing import Final

import click

from puppylog.cli.claiming import describe_rows
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, pass_settings, store_options
from puppylog.model.number import format_bytes, format_number
from puppylog.settings import Settings
from puppylog.stores.backup import back_up
from puppylog.stores.backup import restore as restore_store
from puppylog.stores.connect import connect, name_store

_DIRECTORY: Final = click.Path(path_type=Path, file_okay=False)


@click.command(
    epilog=examples(
        "puppylog backup /srv/backup/puppylog-monday", "puppylog logs --store duckdb:///srv/backup/puppylog-monday"
    )
)
@click.argument("path", type=_DIRECTORY)
@store_options
@pass_settings
def backup(settings: Settings, path: Path) -> None:
    """Copy an embedded store while it is used.

    The backup is the new directory PATH. It is one snapshot: its records and the positions in its files are of the same
    moment, so a collector that goes on from it stores every line once. It is a store itself, which can be searched
    where it is. It is made in the store's directory and then moved, so there must be disk space for it there, too. An
    archive of old records is not in it. The hashes of tokens are.
    """
    copy = back_up(settings.store.url, path.absolute())
    size = sum(entry.stat().st_size for entry in os.scandir(path))
    tell(
        settings,
        f"backed up {describe_rows(copy.records, copy.rejected_lines)} to {path}, {format_bytes(size)}",
    )


@click.command(epilog=examples("puppylog restore /srv/backup/puppylog-monday --store duckdb:///var/lib/puppylog"))
@click.argument("path", type=_DIRECTORY)
@store_options
@pass_settings
def restore(settings: Settings, path: Path) -> None:
    """Make an embedded store from a backup.

    The store must not exist yet; the backup in PATH stays as it is. Collectors of the store go on at the positions of
    the backup: they read again what was stored after it, as long as its files, or their rotated ones, still exist.
    Tokens are accepted again that were revoked after the backup; revoke them again.
    """
    restore_store(path.absolute(), settings.store.url)
    with connect(settings.store) as store:
        records = store.query("SELECT count(*) AS records FROM puppylog.log_records")["records"][0].as_py()
        accepted = [token.name for token in store.list_tokens() if token.find_fault(settings.clock()) is None]
    tell(settings, f"restored {format_number(records)} records to {name_store(settings.store.url)}")
    if accepted:
        names = "1 token is" if len(accepted) == 1 else f"{len(accepted)} tokens are"
        tell(settings, f"{names} accepted, also if revoked after the backup: see puppylog tokens list")
