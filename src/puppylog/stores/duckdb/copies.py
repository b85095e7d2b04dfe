"""Copies of a store: where the engine makes them, and how a client moves one to its place, or puts one back.

A copy is a directory like that of the store, so Puppylog can open it. It appears at its place complete, or not at all.
"""

import errno
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from puppylog.errors import AlreadyExists, NotFound, StoreRefused
from puppylog.stores.duckdb.directory import StoreDirectory, is_alive, sync, translate_os_error
from puppylog.stores.duckdb.locks import FileLock

# A copy's folder has the number of the client's process in its name, so that folders of dead clients can be removed.
_FOLDER: Final = re.compile(r"(?P<pid>[1-9][0-9]{0,9})-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy holds."""

    records: int
    rejected_lines: int
    last_commit: int  # the number of the last commit in it


def name_copy() -> str:
    """Return a new name for a copy that this process asks for."""
    return f"{os.getpid()}-{os.urandom(4).hex()}"


def find_client(name: str) -> int | None:
    """Return the number of the process that chose ``name``; None if it is not a name of a copy."""
    folder = _FOLDER.fullmatch(name)
    return int(folder["pid"]) if folder else None


def sweep(copies: Path) -> None:
    """Remove the copies of dead clients."""
    for folder in copies.iterdir():
        pid = find_client(folder.name)
        if pid is not None and not is_alive(pid):
            shutil.rmtree(folder, ignore_errors=True)


def refuse_existing(place: Path, what: str) -> None:
    """Check that ``place`` does not exist, or is an empty directory.

    Raises:
        AlreadyExists: it exists, and is not an empty directory.
        StoreRefused: its existence cannot be determined.
    """
    try:
        if not os.path.lexists(place) or (place.is_dir() and not any(place.iterdir())):
            return
    except OSError as error:
        raise translate_os_error(place, error) from None
    raise AlreadyExists("make", f"{what} {place}", "it already exists", "name another directory, or move this one away")


def move(copy: Path, place: Path) -> None:
    """Move a copy to its place, which may be on another disk.

    Raises:
        StoreRefused: a directory cannot be written.
        StoreFull: there is no disk space.
    """
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy.rename(place)
        sync(place.parent)
    except OSError as error:
        if error.errno != errno.EXDEV:  # also between two mounts of one disk, which a service of systemd has
            raise translate_os_error(place, error) from None
    else:
        return
    duplicate(StoreDirectory(copy), place)
    shutil.rmtree(copy, ignore_errors=True)


def duplicate(copy: StoreDirectory, place: Path) -> None:
    """Copy the database of a store, its log and its marks to ``place``. The store must not be in use.

    Raises:
        StoreRefused: a directory cannot be read or written.
        StoreFull: there is no disk space.
    """
    partial = place.with_name(f"{place.name}.{name_copy()}.partial")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        try:
            for path in (copy.database, copy.write_ahead_log, copy.last_commit, copy.marker):
                if path.exists():
                    shutil.copy(path, partial / path.name)
                    sync(partial / path.name)
            sync(partial)
            partial.rename(place)
            sync(place.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise translate_os_error(place, error) from None


def restore(backup: Path, place: Path) -> None:
    """Make the store at ``place`` from a backup, which stays as it is.

    Raises:
        NotFound: there is no such directory.
        AlreadyExists: ``place`` already exists.
        StoreRefused: the directory is not a backup, is of another version, or is used as a store.
        StoreFull: there is no disk space.
    """
    refuse_existing(place, "store")
    copy = StoreDirectory(backup)
    if not backup.is_dir():
        raise NotFound("restore", f"backup {backup}", "there is no such directory")
    if not copy.marker.exists() or not copy.database.exists():
        raise StoreRefused("restore", f"backup {backup}", "the directory holds no store")
    copy.check()
    if not copy.engine_lock.exists():
        duplicate(copy, place)
        return
    with FileLock(copy.engine_lock) as lock:  # a process has opened the backup as a store
        if not lock.acquire():
            raise StoreRefused(
                "restore", f"backup {backup}", "an engine uses it as a store", "stop the engine with puppylog down"
            )
        duplicate(copy, place)
