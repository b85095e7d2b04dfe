"""The number of the last commit, in the database and in a file of its directory, so that lost commits are noticed.

DuckDB opens a database whose write-ahead log is missing or cut as if the commits in the log had never been. Each
transaction therefore raises a number in the database, and after the commit the number is written over the mark, a small
file in the store's directory. At opening, a mark that is ahead of the database proves that commits are lost.

The mark is written after the commit. A process that is killed in between leaves it one behind, which is no fault. A
power cut may leave it further behind, because it is synced once a second and not with each commit: then fewer lost
commits are noticed, but a sound database is never called damaged.
"""

import contextlib
import logging
import os
import time
from types import TracebackType
from typing import Final, Self

from puppylog.errors import StoreDamaged
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error
from puppylog.stores.duckdb.engine.database import Connection
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "commits.sql")

_SYNC_S: Final = 1.0
_DIGITS: Final = 19  # of the largest 64-bit number: the mark keeps its size, and writing over it needs no space

# DuckDB's headers. A database that is no larger holds nothing, unless it has a write-ahead log.
_HEADERS_BYTES: Final = 3 * 4096

_log = logging.getLogger("puppylog.engine")


class CommitNumbers:
    """Numbers the commits of one store. For the process that owns the store. Usable with ``with``."""

    def __init__(self, directory: StoreDirectory) -> None:
        """Read the mark, or make it before the database is made.

        Raises:
            StoreRefused: it cannot be opened.
            StoreFull: the disk is full.
        """
        # After the store is opened, all fields are used in the writer's thread only.
        self._directory = directory
        self._synced_at = 0.0  # by the monotonic clock, in seconds
        is_new_store = not directory.database.exists() and not directory.last_commit.exists()
        try:
            self._fd = os.open(directory.last_commit, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.marked = _parse_mark(os.pread(self._fd, _DIGITS + 1, 0))
            if is_new_store:
                self._write(0)
                self.marked = 0
        except OSError as error:
            raise translate_os_error(directory.path, error) from None

    def check_database_file(self) -> None:
        """Refuse a store whose database is missing. Remove a database whose making was cut short by a kill.

        Raises:
            StoreDamaged: the mark tells of commits, and there is no database.
        """
        database, log = self._directory.database, self._directory.write_ahead_log
        if self.marked and not database.exists():
            raise self._damaged(f"{database.name} is missing")
        is_empty = database.exists() and database.stat().st_size <= _HEADERS_BYTES and not log.exists()
        if self.marked == 0 and is_empty:
            database.unlink()

    def check_last_commit(self, connection: Connection) -> None:
        """Refuse a database that is behind the mark. It is OK if the database has no schema yet.

        Raises:
            StoreDamaged: commits are lost.
        """
        has_number = connection.value(_QUERIES["has_commits"])
        found = int(connection.value(_QUERIES["last_commit"])) if has_number else 0
        if self.marked is not None and found < self.marked:
            raise self._damaged(
                f"its last {self.marked - found:,} commits are lost; "
                f"{self._directory.write_ahead_log.name} is missing, incomplete or not its own"
            )

    def mark_last_commit(self, connection: Connection) -> None:
        """Bring the mark up to the database, before the first transaction that is numbered."""
        self.mark(int(connection.value(_QUERIES["last_commit"])))

    def _damaged(self, cause: str) -> StoreDamaged:
        mark = self._directory.last_commit.name
        advice = f"put the store's own files back, or remove {mark} in it to go on with what is left"
        return StoreDamaged("read", f"the store {self._directory.path}", cause, advice)

    def number(self, connection: Connection) -> int:
        """Return the number of the transaction that is about to commit."""
        return int(connection.value(_QUERIES["number_commit"]))

    def mark(self, number: int) -> None:
        """Note that the commit of this number is in the database. A failure leaves the mark behind, and is logged."""
        try:
            self._write(number)
        except OSError as error:
            _log.error("cannot write %s: %s", self._directory.last_commit, error)

    def _write(self, number: int) -> None:
        os.pwrite(self._fd, f"{number:0{_DIGITS}d}\n".encode(), 0)
        if time.monotonic() - self._synced_at >= _SYNC_S:
            os.fdatasync(self._fd)
            self._synced_at = time.monotonic()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.fdatasync(self._fd)
        os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _parse_mark(text: bytes) -> int | None:
    """Return the number, or None if it cannot be read: a store of an older Puppylog has no mark."""
    try:
        return int(text)
    except ValueError:
        return None
