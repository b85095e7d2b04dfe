"""Enforces which records are kept: by age from time to time, and by size before each batch is stored.

A batch waits until the store has space for it. So the store is never larger than its limit, and collectors wait while
the oldest rows are dropped. If rows cannot be archived they stay, and the batch is refused until they can.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from puppylog.errors import PuppylogError, StoreFull
from puppylog.model.number import format_bytes
from puppylog.model.retention import Retention
from puppylog.stores.duckdb.engine import archive, dropping
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.retention import read_retention, write_retention
from puppylog.stores.duckdb.engine.size import read_size
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "archive.sql")

_TICK_S: Final = 1.0
_AGE_S: Final = 60.0
"""The seconds between two searches for old rows."""
_RETRY_S: Final = 15.0
"""How many seconds after an error of the archive old rows are tried again."""

_SLACK: Final = 0.05
"""The share of the limit that is freed in addition, so that not every batch makes rows go."""
_RESERVE: Final = 0.03
"""The share of the limit that stays free for what is written besides batches: buckets, states, positions, reports."""

_FIRST_RATIO: Final = 0.25
"""The stored size of a batch to the size of its Arrow data, before any batch was measured. Usual logs need 0.12."""
_MARGIN: Final = 1.3
_SMALL_ROWS: Final = 122_880
"""A batch with fewer rows is written into the log first, which compresses nothing."""
_ROW_BYTES: Final = 80
"""What the log needs for a row in addition to its Arrow data, at most: 60 bytes were measured."""
_MIN_ROWS: Final = 10_000
"""The least rows that are dropped at once. Space is freed in groups of rows."""

_READERS_WAIT_S: Final = 0.5
_MAX_TRIES: Final = 60
"""How often, and how many seconds each time, the store waits for queries to end before a batch is refused."""

_log = logging.getLogger("puppylog.retention")


class Retainer:
    """Drops rows of one store, in its own thread and in threads that store batches. Usable with ``with``."""

    def __init__(
        self, engine: Engine, clock_us: Callable[[], int] = lambda: time.time_ns() // 1000, *, runs_thread: bool = True
    ) -> None:
        """Read the setting, remove the files of drops that a crash has interrupted, and start the thread.

        Args:
            engine: the open database.
            clock_us: returns the time in microseconds since the epoch.
            runs_thread: whether to start the thread. Without it, `run_due` must be called.
        """
        self._engine = engine  # not changed after the constructor, as the clock
        self._clock_us = clock_us
        self._lock = threading.RLock()
        # Under the lock.
        self._ratio = _FIRST_RATIO
        self._next_age_at = 0.0  # by the monotonic clock
        engine.write(archive.remove_unfinished)
        with engine.read() as connection:
            self._retention = read_retention(connection)  # replaced under the lock; read without it
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention")
        if runs_thread:
            self._thread.start()

    def set_retention(self, retention: Retention) -> bool:
        """Store another setting, which is enforced at once; return whether it is a change.

        Raises:
            ArchiveError: the archive's directory cannot be created.
        """
        if retention.archive is not None:
            archive.create_root(retention.archive)
        with self._lock:
            is_changed = self._engine.write(lambda connection: write_retention(connection, retention))
            self._retention = retention
            self._next_age_at = 0.0
        return is_changed

    def _run(self) -> None:
        while not self._stop.wait(_TICK_S):
            try:
                self.run_due()
            except PuppylogError as error:
                _log.error("%s", error.message)
                self._stop.wait(_RETRY_S)
            except Exception:  # noqa: BLE001 - a defect here must not end the thread
                _log.exception("cannot drop old rows")

    def close(self) -> None:
        """Stop the thread; return when its current slice is dropped."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def run_due(self) -> None:
        """Drop the rows that are too old, or that are too many for the limit of the size. The thread calls this often.

        Raises:
            PuppylogError: rows cannot be dropped now.
        """
        if self._retention.max_bytes is not None:
            self._reporting(lambda: self._make_space(0))
        if not self._retention.is_empty and time.monotonic() >= self._next_age_at:
            self._next_age_at = time.monotonic() + _RETRY_S
            self._reporting(self._drop_old)
            self._next_age_at = time.monotonic() + _AGE_S

    def _reporting(self, work: Callable[[], None]) -> None:
        """Run ``work``. Record an error, for the doctor, and raise it."""
        try:
            work()
        except PuppylogError as error:
            message = error.message
            self._engine.write(lambda connection: connection.run(_QUERIES["note_error"], {"error": message}))
            raise

    def _drop_old(self) -> None:
        with self._engine.read() as connection:
            limits = dropping.list_limits(connection, self._retention, self._clock_us())
        rows = 0
        for chosen in dropping.iter_old_slices(self._engine, limits):
            if self._stop.is_set():
                return
            with self._lock:  # released between two slices, for batches that wait
                rows += dropping.drop(self._engine, chosen, self._retention.archive, self._clock_us())
        if rows:
            self._engine.checkpoint()  # so that the space is used again
            _log.info("dropped %s old rows", f"{rows:,}")

    @contextmanager
    def space_for(self, rows: int, arrow_bytes: int) -> Iterator[None]:
        """Make space for a batch, which the ``with`` block stores.

        Args:
            rows: the number of records and rejected lines.
            arrow_bytes: the size of their Arrow data.

        Raises:
            StoreFull: there is no space now, because rows cannot be archived, or cannot be freed.
        """
        if self._retention.max_bytes is None:
            yield
            return
        with self._lock:
            try:
                self._reporting(lambda: self._make_space(self._estimate(rows, arrow_bytes)))
            except archive.ArchiveError as error:
                raise StoreFull(
                    "store lines in", "the store", f"it has reached its maximum size, and {error.message}"
                ) from None
            before = read_size(self._engine)
            yield
            grown_bytes = read_size(self._engine) - before
            if rows >= _SMALL_ROWS and arrow_bytes:
                self._ratio = max(grown_bytes / arrow_bytes * _MARGIN, self._ratio * 0.8)

    def _estimate(self, rows: int, arrow_bytes: int) -> int:
        """Return by how many bytes a batch makes the store larger, at most."""
        if rows < _SMALL_ROWS:
            return round(arrow_bytes * _MARGIN + rows * _ROW_BYTES)
        return round(arrow_bytes * self._ratio)

    def _make_space(self, needed_bytes: int) -> None:
        """Drop the oldest rows until the store is this many bytes below its limit.

        Raises:
            StoreFull: no row is left to drop, or queries keep the space of dropped rows.
        """
        limit_bytes = self._retention.max_bytes
        if limit_bytes is None:
            return
        most_bytes = round(limit_bytes * (1 - _RESERVE)) - needed_bytes
        size_bytes = read_size(self._engine)
        if size_bytes <= most_bytes:
            return
        with self._lock:
            self._engine.checkpoint()  # this may be enough: the database compresses what the log has
            size_bytes = read_size(self._engine)
            goal_bytes = most_bytes - round(limit_bytes * _SLACK)
            while size_bytes > most_bytes:
                size_bytes = self._drop_oldest(size_bytes, goal_bytes)

    def _drop_oldest(self, size_bytes: int, goal_bytes: int) -> int:
        """Drop a slice, and free its space; return the store's size then, which is smaller."""
        with self._engine.read() as connection:
            bytes_per_row = size_bytes / max(dropping.count_stored(connection), 1)
            rows = max(_MIN_ROWS, round((size_bytes - goal_bytes) / bytes_per_row))
            chosen = dropping.find_oldest_slice(connection, rows)
        if chosen is None:
            cause = f"its maximum size of {format_bytes(self._retention.max_bytes or 0)} is too small for this"
            raise StoreFull(
                "store lines in", "the store", cause, advice="set a larger one with 'puppylog retention set'"
            )
        dropping.drop(self._engine, chosen, self._retention.archive, self._clock_us())
        return self._free()

    def _free(self) -> int:
        """Free the space of dropped rows; return the store's size. If queries still read the rows, wait for them.

        Without this wait, the store would drop more and more rows, whose space cannot be used.
        """
        try:
            for _ in range(_MAX_TRIES):
                if self._engine.checkpoint_alone(_READERS_WAIT_S):
                    return read_size(self._engine)
                self._engine.needs_space.set()
                if self._stop.wait(_READERS_WAIT_S):
                    break
        finally:
            self._engine.needs_space.clear()
        raise StoreFull("store lines in", "the store", "queries still read rows that were dropped")
