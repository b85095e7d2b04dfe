"""The owner of the database. Only this module, `connection` and `failures` import DuckDB.

DuckDB lets only one process open a database for writing, and concurrent write transactions conflict. So one thread with
a queue runs all write transactions, and each reader has its own cursor.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

import duckdb

from puppylog.errors import PuppylogError, StoreDamaged, StoreError, StoreFull, StoreRefused
from puppylog.stores.duckdb.engine import block_cache, priority
from puppylog.stores.duckdb.engine.configuration import LOCK, SETTINGS
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.damage import DamageNote
from puppylog.stores.duckdb.engine.deferred_writes import DeferredWrites, Work
from puppylog.stores.duckdb.engine.failures import BrokenByDamage, BrokenError, translated
from puppylog.stores.duckdb.engine.gate import Gate

T = TypeVar("T")

_log = logging.getLogger("puppylog.engine")


class Engine:
    """The open database. Usable with ``with``. A transaction is durable when `write` returns.

    Any thread may call `write`, `write_later` and `read`. The work of `write` and `write_later` runs in the writer's
    thread, and a `read` in the caller's thread.
    """

    def __init__(self, path: Path, damage: DamageNote | None = None, copies: Path | None = None) -> None:
        """Open the database at ``path``, which is created if it does not exist.

        Args:
            path: the database file.
            damage: records damage that a statement meets.
            copies: the directory in which copies of the database may be written; None allows none.

        Raises:
            StoreDamaged: the file is not a database, or cannot be read.
            StoreRefused: a newer DuckDB wrote the file, or another process has opened it.
            StoreFull: the disk is full.
        """
        # Fields without a comment are not changed after the constructor.
        self.is_broken = threading.Event()  # set in any thread and never cleared
        self.needs_space = threading.Event()  # set while blocks of deleted rows are needed that queries still read
        self._store_path = path.resolve().parent
        self.log_path = path.with_name(path.name + ".wal")
        self._damage = damage
        # Set once, by `number_commits`, before other threads know the engine; used in the writer's thread.
        self._number_commit: Callable[[Connection], int] | None = None
        self._mark_commit: Callable[[int], None] | None = None
        # SQL cannot name a path with bytes that are not UTF-8: such a store works, but cannot be backed up.
        allowed = "" if copies is None or not str(copies).isprintable() else _quote(str(copies))
        try:
            with translated(), priority.lowered_for_new_threads():
                self._root = duckdb.connect(str(path), config=SETTINGS)  # in any thread, to make cursors only
                self._root.execute(LOCK.format(directories=allowed))
        except StoreFull:
            raise
        except StoreDamaged as error:
            raise self._describe_damage(error) from None
        except PuppylogError as error:
            raise StoreRefused("open", f"database {path.resolve()}", error.cause) from None
        self._gate = Gate()
        self._deferred = DeferredWrites(self._commit)
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        # The writer's thread waits while this thread runs a transaction for it.
        self._bulk = ThreadPoolExecutor(1, "bulk-writer", initializer=priority.lower_own)
        self._noted_days: dict[int, float] = {}  # in the writer's thread
        self._writer = self._root.cursor()  # in the writer's thread, and in `close` after that thread has ended

    @property
    def version(self) -> str:
        return str(duckdb.__version__)

    def number_commits(self, number: Callable[[Connection], int], mark: Callable[[int], None]) -> None:
        """Call ``number`` at the end of each transaction from now on, and ``mark`` with its result after the commit.

        Must be called before other threads know the engine. Both are called in the writer's thread.
        """
        self._number_commit, self._mark_commit = number, mark

    def write(self, work: Callable[[Connection], T], *, is_bulk: bool = False) -> T:
        """Run ``work`` in its own transaction, after the transactions in the queue; return the result of ``work``.

        Args:
            work: the work.
            is_bulk: whether it takes long and may wait for queries, see `priority`.
        """
        run = self._write_in_bulk if is_bulk else self._deferred.run_with
        return self._queue.submit(run, work).result()

    def _write_in_bulk(self, work: Callable[[Connection], T]) -> T:
        return self._bulk.submit(self._deferred.run_with, work).result()

    def write_later(self, work: Work) -> None:
        """Run ``work`` in the transaction of the next write, or soon after `WAIT_S`. An error is logged."""
        self._deferred.add(work)

    def write_joined(self, work: Callable[[Connection], T], within_s: float) -> T:
        """Run ``work`` as `write` does, but in the next write's transaction if there is one within ``within_s``."""
        return self._deferred.join(work, within_s, lambda: self.write_deferred(now=True))

    def write_deferred(self, *, now: bool = False) -> None:
        """Begin to run deferred writes in a transaction of their own if they have waited long enough, or ``now``."""
        if now or self._deferred.is_due():
            self._queue.submit(self._deferred.run)

    def release_blocks(self) -> None:
        """Begin to release the memory of blocks, as `block_cache.release` does, if no query reads. Return at once."""
        self._queue.submit(self._release_blocks)

    def _release_blocks(self) -> None:
        try:
            with self._gate.closed(0.0) as is_alone:
                if is_alone:
                    block_cache.release(Connection(self._writer))
        except PuppylogError as error:
            _log.error("cannot release memory: %s", error.message)

    def checkpoint(self) -> bool:
        """Write the log into the database file. This frees the blocks of deleted rows that no query reads.

        Return whether this was possible: a query that begins or reads may keep DuckDB from it.
        """
        self.write(lambda _: None)  # DuckDB frees nothing if nothing was written since the last checkpoint
        return self._queue.submit(self._checkpoint).result()

    def _checkpoint(self) -> bool:
        try:
            with translated():
                self._writer.execute("CHECKPOINT")
        except StoreError as error:
            if isinstance(error.__cause__, duckdb.TransactionException):
                return False
            raise
        return True

    def _commit(self, work: Callable[[Connection], T]) -> T:
        connection = Connection(self._writer, self._noted_days)
        try:
            connection.run("BEGIN")
            result = work(connection)
            number = None if self._number_commit is None else self._number_commit(connection)
            connection.run("COMMIT")
        except StoreDamaged as error:
            self._roll_back(error)
            raise self._note_damage(error) from None
        except BaseException as error:
            self._roll_back(error)
            raise
        # After the commit, so that the mark is never ahead of the database, whenever the process is killed.
        if number is not None and self._mark_commit is not None:
            self._mark_commit(number)
        return result

    def _roll_back(self, cause: BaseException) -> None:
        self._noted_days.clear()
        try:
            self._writer.execute("ROLLBACK")
        except duckdb.TransactionException:
            pass  # a failed commit has rolled back already
        except duckdb.Error:
            self.is_broken.set()
        if isinstance(cause, BrokenError | BrokenByDamage):
            self.is_broken.set()

    def _describe_damage(self, error: StoreDamaged) -> StoreDamaged:
        return type(error)("read", f"the store {self._store_path}", error.cause)

    def _note_damage(self, error: StoreDamaged) -> StoreDamaged:
        if self._damage is not None:
            self._damage.note(error.cause)
        return self._describe_damage(error)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection with a read-only transaction, which sees one snapshot of the store."""
        cursor = self._root.cursor()
        try:
            with self._gate.reading():
                with translated():
                    # The path lets a user's SQL say just log_records.
                    cursor.execute("SET search_path = 'puppylog,main'; BEGIN TRANSACTION READ ONLY")
                try:
                    yield Connection(cursor)
                finally:
                    cursor.close()  # ends the snapshot before the gate is left
        except StoreDamaged as error:
            if isinstance(error, BrokenByDamage):
                self.is_broken.set()
            raise self._note_damage(error) from None
        except BrokenError:
            self.is_broken.set()
            raise
        finally:
            cursor.close()

    def checkpoint_alone(self, within_s: float) -> bool:
        """Free the blocks of all deleted rows by a `checkpoint` while no query reads; return whether this was possible.

        New queries wait meanwhile, and running ones get ``within_s`` seconds to end. The caller must not be in a `read`
        block.
        """
        with self._gate.closed(within_s) as is_alone:
            return is_alone and self.checkpoint()

    @contextmanager
    def copy_into(self, target: Path) -> Iterator[Connection]:
        """Yield a connection that sees one snapshot of the store and can write the new database ``target`` as well.

        SQL calls the new database ``copied``. When the ``with`` block has ended, ``target`` is complete and closed. One
        copy at a time.

        Args:
            target: a file that does not exist, in the directory for copies.
        """
        cursor = self._root.cursor()
        try:
            with translated():
                cursor.execute(f"ATTACH {_quote(str(target))} AS copied")
            try:
                with self._gate.reading():
                    with translated():
                        cursor.execute("BEGIN")
                    yield Connection(cursor)
                    with translated():
                        cursor.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # the error that is raised has ended the transaction already
                    cursor.execute("ROLLBACK")
                raise
            finally:
                with translated():
                    cursor.execute("DETACH copied")
        finally:
            cursor.close()

    def close(self) -> None:
        """Run the queued and deferred writes, and close the database, which writes its log into the database file."""
        self.write_deferred(now=True)
        self._queue.shutdown()
        self._bulk.shutdown()
        self._writer.close()
        self._root.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _quote(text: str) -> str:
    """Return ``text`` as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
