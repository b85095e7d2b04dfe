"""Copies the whole store into a new directory while the store is used.

The copy is one snapshot: its rows and its positions are of the same commit. It is made in the store's own directory,
the only place where DuckDB may write another database, and the client moves it to where the user wants it.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from puppylog.errors import StoreError
from puppylog.stores.duckdb import copies
from puppylog.stores.duckdb.directory import StoreDirectory, is_alive, open_private, sync, translate_os_error
from puppylog.stores.duckdb.engine.commits import format_mark
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "backup.sql")

# How often to check whether the client still runs, in seconds.
_WATCH_S: Final = 0.2


class Backups:
    """Makes copies of one store, one after another. For several threads."""

    def __init__(self, engine: Engine, directory: StoreDirectory) -> None:
        self._engine = engine
        self._directory = directory
        self._lock = threading.Lock()

    def back_up(self, name: str) -> copies.Copy:
        """Copy the store into the folder ``name`` for copies. Stop, and remove the folder, if the client has ended.

        Raises:
            StoreError: ``name`` is not a name of such a folder, or the client has ended.
            StoreFull: there is no disk space for the copy.
            StoreDamaged: a part of the database cannot be read.
        """
        pid = copies.find_client(name)
        if pid is None:
            raise StoreError("make", f"a copy named {name[:40]!r}", "this is not a valid name of a copy")
        folder = StoreDirectory(self._directory.outgoing / name)
        with self._lock:
            copies.sweep(self._directory.outgoing)
            shutil.rmtree(folder.path, ignore_errors=True)  # of an attempt whose engine was killed
            try:
                folder.path.mkdir(mode=0o700)
                with self._engine.copy_into(folder.database.resolve()) as connection, _watched(connection, pid):
                    copy = copy_database(connection)
                _complete(folder, copy)
            except OSError as error:
                shutil.rmtree(folder.path, ignore_errors=True)
                raise translate_os_error(self._directory.path, error) from None
            except BaseException:
                shutil.rmtree(folder.path, ignore_errors=True)
                raise
        return copy


def copy_database(connection: Connection) -> copies.Copy:
    """Copy the store's snapshot, in the caller's transaction, into the database ``copied``; return its size."""
    (counts,) = connection.rows(_QUERIES["count_lines"])
    database = connection.value(_QUERIES["database_name"])
    connection.run(_QUERIES["copy_database"].format(database=database))
    connection.run(_QUERIES["forget_unfinished"])
    return copies.Copy(**counts)


@contextmanager
def _watched(connection: Connection, pid: int) -> Iterator[None]:
    """Interrupt the statement that runs on the connection when the process ``pid`` has ended."""
    is_done = threading.Event()

    def watch() -> None:
        while not is_done.wait(_WATCH_S):
            if not is_alive(pid):
                connection.interrupt()

    watcher = threading.Thread(target=watch, name="backup watcher")
    watcher.start()
    try:
        yield
    finally:
        is_done.set()
        watcher.join()


def _complete(folder: StoreDirectory, copy: copies.Copy) -> None:
    """Make the folder a store, and sync its files."""
    with open(folder.last_commit, "wb", opener=open_private) as file:
        file.write(format_mark(copy.last_commit))
    folder.mark()
    for path in folder.path.iterdir():
        sync(path)
    sync(folder.path)
