"""The number of the last commit, in the database and in a file of its directory, to detect lost commits.

If the write-ahead log is missing or cut, DuckDB opens the database without an error and without the commits in the log.
So each transaction increases a number in the database. After the commit, the engine writes this number into the mark, a
small file in the store's directory. If the mark is ahead of the database when the store is opened, commits are lost.

The mark is written after the commit. If the process is killed in between, the mark is one behind, which is no fault. A
power cut may leave the mark further behind, because it is synced every 30 seconds and not with each commit. Then some
lost commits are not detected, but an undamaged database is never reported as damaged.
"""

import contextlib
import logging
import os
import time
from types import TracebackType
from typing import Final, Self

from puppylog.errors import StoreDamaged
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "commits.sql")

# Each sync writes a page. A file that grows slowly would pay as much for one a second as for its rows.
_SYNC_S: Final = 30.0
# The digits of the largest 64-bit number. The mark always has this size, so that overwriting it needs no disk space.
_DIGITS: Final = 19

# The size of DuckDB's headers. A database file of this size is empty, unless there is a write-ahead log.
_HEADERS_BYTES: Final = 3 * 4096

_log = logging.getLogger("puppylog.engine")


class CommitNumbers:
    """Numbers the commits of one store, in the process that owns the store. Usable with ``with``."""

    def __init__(self, directory: StoreDirectory) -> None:
        """Read the mark, or create it if the store is new.

        Raises:
            StoreRefused: the file of the mark cannot be opened.
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
        """Check that the database file exists. Remove a file whose creation was interrupted, so that it is made again.

        Raises:
            StoreDamaged: there is no database file although the mark counts commits.
        """
        database, log = self._directory.database, self._directory.write_ahead_log
        if self.marked and not database.exists():
            raise self._damaged(f"{database.name} is missing")
        is_empty = database.exists() and database.stat().st_size <= _HEADERS_BYTES and not log.exists()
        if self.marked == 0 and is_empty:
            database.unlink()

    def check_last_commit(self, connection: Connection) -> None:
        """Check that the database is not behind the mark. It is OK if the database has no schema yet.

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
        """Set the mark to the number in the database. Call this before the first numbered transaction."""
        self.mark(int(connection.value(_QUERIES["last_commit"])))

    def _damaged(self, cause: str) -> StoreDamaged:
        mark = self._directory.last_commit.name
        advice = f"put the store's own files back, or remove {mark} in it to go on without the lost commits"
        return StoreDamaged("read", f"the store {self._directory.path}", cause, advice)

    def number(self, connection: Connection) -> int:
        """Increase the number in the database; return it. Call this last in each transaction, before its commit."""
        return int(connection.value(_QUERIES["number_commit"]))

    def mark(self, number: int) -> None:
        """Write the mark, after the commit of this number. An error is logged, and the mark stays behind."""
        try:
            self._write(number)
        except OSError as error:
            _log.error("cannot write %s: %s", self._directory.last_commit, error)

    def _write(self, number: int) -> None:
        os.pwrite(self._fd, format_mark(number), 0)
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


def format_mark(number: int) -> bytes:
    """Return the content of the mark's file for the number of the last commit."""
    return f"{number:0{_DIGITS}d}\n".encode()


def _parse_mark(text: bytes) -> int | None:
    """Return the number in the mark, or None if it has none: a store of an older Puppylog has no mark."""
    try:
        return int(text)
    except ValueError:
        return None
