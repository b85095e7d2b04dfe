"""The store behind the server, called from threads, so that the server's loop never waits for it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from puppylog.errors import PuppylogError
from puppylog.serve.limits import Limits
from puppylog.serve.refusal import Refusal, refuse
from puppylog.serve.threads import Threads
from puppylog.stores.address import StoreAddress
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

T = TypeVar("T")

_CROWDED: Final = "too many requests wait for the store"


class Lane:
    """Calls of one kind. A few run at once, each on the connection of its thread; some wait; others are refused."""

    def __init__(self, name: str, threads: int, waiting: int, connect_: Callable[[], Store]) -> None:
        self._most = threads + waiting
        self._count = 0  # changed by the loop's thread only
        self._connect = connect_
        self._own = threading.local()
        self._lock = threading.Lock()
        self._opened: list[Store] = []  # under the lock
        self._threads = Threads(name, threads)

    async def call(self, work: Callable[[Store], T]) -> T:
        if self._count >= self._most:
            raise Refusal(503, _CROWDED)
        self._count += 1
        running = self._threads.submit(lambda: self._work(work))
        running.add_done_callback(self._note_end)  # not when this call ends: the thread may still work then
        return await asyncio.shield(running)

    def _note_end(self, running: "asyncio.Future[T]") -> None:
        self._count -= 1
        if not running.cancelled():
            running.exception()  # of a call whose client has gone: it is not reported a second time

    def _work(self, work: Callable[[Store], T]) -> T:
        try:
            return work(self._find_store())
        except PuppylogError as error:
            raise refuse(error) from error

    def _find_store(self) -> Store:
        store: Store | None = getattr(self._own, "store", None)
        if store is None:
            store = self._own.store = self._connect()
            with self._lock:
                self._opened.append(store)
        return store

    def close(self) -> None:
        """Close the connections. A call that runs may fail."""
        self._threads.close()
        with self._lock:
            opened, self._opened = self._opened, []
        for store in opened:
            store.close()


class StoreAccess:
    """The store of a server. Queries and writes have threads and connections of their own."""

    def __init__(self, address: StoreAddress, limits: Limits) -> None:
        """Prepare; nothing is connected before it is used.

        Args:
            address: of the store.
            limits: how many calls run and wait, and how long a query may take.
        """
        self.address = address
        self._queries = Lane(
            "server query", limits.queries, limits.waiting, lambda: connect(address, timeout_s=limits.query_s)
        )
        self._writes = Lane("server write", limits.writes, limits.writes_waiting, self.connect)
        self._own = Lane("server own", 1, limits.waiting, self.connect)
        self._definitions = Lane("server definitions", 1, limits.waiting, self.connect)

    async def call(self, work: Callable[[Store], T]) -> T:
        """Call ``work`` with the store, in a thread, and return what it returns. It must only read.

        A client that goes away does not stop the call; the time limit of queries does.

        Raises:
            Refusal: the store raised an error, or too many calls wait.
        """
        return await self._queries.call(work)

    async def write(self, work: Callable[[Store], T]) -> T:
        """Call ``work`` as `call` does. It may change the store."""
        return await self._writes.call(work)

    async def ask(self, work: Callable[[Store], T]) -> T:
        """Call ``work`` as `call` does. It is short, and for the server itself: slow requests must not delay it."""
        return await self._own.call(work)

    async def define(self, work: Callable[[Store], T]) -> T:
        """Call ``work`` as `call` does. It may take minutes, such as one that creates a metric; lines do not wait."""
        return await self._definitions.call(work)

    def connect(self) -> Store:
        """Return a new connection, for a part of the server that holds claims. The caller closes it. This may wait.

        Raises:
            PuppylogError: as `puppylog.stores.connect.connect`.
        """
        return connect(self.address)

    def close(self) -> None:
        """Close all connections."""
        self._queries.close()
        self._writes.close()
        self._own.close()
        self._definitions.close()
