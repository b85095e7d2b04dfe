"""Backups of an embedded store, and new stores from backups. PostgreSQL has its own programs for this."""

from dataclasses import dataclass
from pathlib import Path

from puppylog.errors import UsageError
from puppylog.stores.address import is_remote
from puppylog.stores.connect import connect, is_postgresql, name_store, parse_duckdb_url


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds."""

    records: int
    rejected_lines: int


def back_up(url: str, place: Path) -> BackedUp:
    """Copy the store at ``url`` to the new directory ``place`` while it is used.

    The backup is one snapshot of the store: the position of each file is the end of the last line of it in the backup.

    Raises:
        UsageError: the store is PostgreSQL's, or behind a server.
        AlreadyExists: ``place`` already exists.
        ConfigurationError: ``url`` is not the URL of a store, or the directory cannot be written.
        StoreError: the store does not answer, is damaged, or has no disk space.
    """
    if is_remote(url):
        raise UsageError("back up", f"store {name_store(url)}", "run this command on the server's machine")
    if is_postgresql(url):
        raise UsageError(
            "back up", f"store {name_store(url)}", "PostgreSQL does this itself", "use pg_dump, or a base backup"
        )
    from puppylog.stores.duckdb.client.store import DuckdbStore  # noqa: PLC0415 - Flight is loaded for an embedded store only

    parse_duckdb_url(url)
    with connect(url) as store:
        assert isinstance(store, DuckdbStore)  # noqa: S101 - the only other kind of store
        copy = store.back_up(place)
    return BackedUp(copy.records, copy.rejected_lines)


def restore(backup: Path, url: str) -> None:
    """Make the embedded store at ``url``, which must not exist yet, from a backup, which stays as it is.

    Raises:
        UsageError: the store is PostgreSQL's, or behind a server.
        NotFound: there is no such backup.
        AlreadyExists: the store's directory is not empty.
        ConfigurationError: ``url`` is not the URL of a store, or the directory is not a backup of this version.
        StoreFull: there is no disk space.
    """
    if is_remote(url):
        raise UsageError("restore", f"store {name_store(url)}", "run this command on the server's machine")
    if is_postgresql(url):
        raise UsageError(
            "restore", f"store {name_store(url)}", "PostgreSQL does this itself", "use pg_restore, or a base backup"
        )
    from puppylog.stores.duckdb.copies import restore as restore_directory  # noqa: PLC0415 - as above

    restore_directory(backup, parse_duckdb_url(url))
