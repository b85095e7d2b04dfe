"""The state of the store for monitoring systems.

A thread with a connection of its own reads it, so it waits neither for the queries of others nor for a writer. The
thread reads when it is asked, unless it has read a few seconds ago.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from puppylog.monitor.closed_buckets import ClosedBuckets
from puppylog.monitor.watching import Snapshot, read_snapshot
from puppylog.serve.refusal import Refusal
from puppylog.serve.stores import Lane
from puppylog.stores.address import StoreAddress
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.size import StoreSize, measure_store

_FRESH_S: Final = 5.0  # so old may a snapshot be, so that two scrapers cost as much as one
_SIZE_S: Final = 60.0  # so old may the size be; PostgreSQL asks the file system for each file
_ANSWER_S: Final = 4.0  # how long a scrape waits. Prometheus gives up after 10 s
_QUERY_S: Final = 10.0  # for one query


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of the store."""

    snapshot: Snapshot | None  # None: the store does not answer
    size: StoreSize | None
    problem: str | None  # why the store does not answer
    seconds: float  # that reading took


class Watch:
    """Reads the state of a store. Used in the loop's thread."""

    def __init__(self, address: StoreAddress, *, answer_s: float = _ANSWER_S) -> None:
        """Prepare. The first call connects to the store.

        Args:
            address: of the store.
            answer_s: how long a caller waits for the store, in seconds.
        """
        self._url = address.url
        self._answer_s = answer_s
        self._lane = Lane("server watch", 1, 1, lambda: connect(address, timeout_s=_QUERY_S))
        self._reading: asyncio.Future[Watched] | None = None
        self._read_at = 0.0
        self._buckets = ClosedBuckets()  # of the reading thread, as are the fields below
        self._size: StoreSize | None = None
        self._size_at = 0.0

    async def read(self) -> Watched:
        """Return the state of the store, at most some seconds old. Raises nothing if the store does not answer."""
        is_old = time.monotonic() - self._read_at > _FRESH_S
        if self._reading is None or (self._reading.done() and is_old):
            self._read_at = time.monotonic()
            self._reading = asyncio.ensure_future(self._lane.call(self._read))
            self._reading.add_done_callback(_note_end)
        started = time.monotonic()
        try:
            return await asyncio.wait_for(asyncio.shield(self._reading), self._answer_s)
        except TimeoutError:
            problem = f"the store has not answered within {self._answer_s:g} s"
        except Refusal as refusal:
            problem = refusal.message
        return Watched(None, None, problem, time.monotonic() - started)

    def close(self) -> None:
        """Close the connection. A call that runs may fail."""
        self._lane.close()

    def _read(self, store: Store) -> Watched:
        started = time.monotonic()
        snapshot = read_snapshot(store, self._buckets)
        if self._size is None or started - self._size_at > _SIZE_S:
            self._size, self._size_at = measure_store(store, self._url), started
        return Watched(snapshot, self._size, None, time.monotonic() - started)


def _note_end(reading: "asyncio.Future[Watched]") -> None:
    if not reading.cancelled():
        reading.exception()  # it is told by the next answer, if there is one
