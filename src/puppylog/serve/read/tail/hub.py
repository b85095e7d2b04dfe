"""Follows the store for all live tails.

A *feed* is the new records of one query and group. The store is asked once for each feed, however many clients listen
to it, and the records are rendered once. One thread with a connection of its own asks for all feeds in turn, so live
tails, however many and however expensive, take no thread from other requests and at most one processor from the store.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa

from puppylog.monitor.arrivals import plan_arrivals, read_arrivals, read_positions, read_store_id
from puppylog.monitor.byte_ranges import ByteRange
from puppylog.monitor.search import Search
from puppylog.serve.limits import Limits
from puppylog.serve.read.tail.listener import Listener, News
from puppylog.serve.read.tail.position import Found, UnreadablePosition, read_position
from puppylog.serve.read.tail.snapshots import SentPositions, Snapshot, SnapshotReader
from puppylog.serve.refusal import Refusal
from puppylog.serve.stores import Lane
from puppylog.stores.address import StoreAddress
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

_POLL_S: Final = 0.5
_AWAY_S: Final = 1.0  # between two attempts while the store is away
_QUERY_S: Final = 10.0  # for one query
_PAUSE: Final = 2.0  # after a round that took long: so tails take at most a third of a processor from what is stored
_REST: Final = 3.0  # a feed whose query took long is left alone for this many times as long
_AWAY: Final = 503  # the status of a refusal whose cause may be over in a moment

Render = Callable[[Store, pa.Table], Sequence[bytes]]
"""Returns the JSON of each record."""


@dataclass(frozen=True, slots=True)
class _Most:
    """How much one event has. Older records are left out, and counted."""

    records: int
    size_bytes: int


_LIVE: Final = _Most(2000, 1 << 20)  # twice a second, which is more than a person sees
_CATCHING_UP: Final = _Most(10_000, 1 << 20)  # after a connection is made again


@dataclass(slots=True, eq=False)
class _Feed:
    """The new records of one search."""

    search: Search
    listeners: set[Listener] = field(default_factory=set)
    joining: dict[Listener, Found] = field(default_factory=dict)  # clients that connect again, and their positions
    snapshot: Snapshot | None = None  # the listeners have got everything before it
    rests_until: float = 0.0  # of time.monotonic

    @property
    def is_empty(self) -> bool:
        return not self.listeners and not self.joining


class Hub:
    """Implements `puppylog.serve.context.LiveTails`. Used in the server's loop; works while there are clients."""

    def __init__(self, address: StoreAddress, limits: Limits, render: Render) -> None:
        """Prepare.

        Args:
            address: of the store.
            limits: how many clients and queries there may be.
            render: returns the JSON of each record. It is called in the hub's thread.
        """
        self._lane = Lane("server tail", 1, limits.tails, lambda: connect(address, timeout_s=_QUERY_S))
        self._limits = limits
        self._render = render
        self._reader = SnapshotReader()  # of the hub's thread
        self._sent = SentPositions()
        self._feeds: dict[Search, _Feed] = {}
        self._planned: tuple[Snapshot, Snapshot, list[ByteRange]] | None = None
        self._following: asyncio.Task[None] | None = None
        self._is_ending = False

    @property
    def listeners(self) -> int:
        """How many clients there are."""
        return sum(len(feed.listeners) + len(feed.joining) for feed in self._feeds.values())

    @property
    def feeds(self) -> int:
        """How many different queries there are."""
        return len(self._feeds)

    @property
    def is_idle(self) -> bool:
        """Whether the store is not followed now."""
        return self._following is None or self._following.done()

    async def listen(self, search: Search, since: str | None) -> Listener:
        """Return a new listener for the records that match a search; call `leave` at the end.

        Args:
            search: which records, of any time.
            since: the position after the last records that the client has got; None: only records from now on.

        Raises:
            Refusal: 400: the position cannot be read; 503: there are too many tails, the store is away, or the server
                ends.
        """
        if self._is_ending:
            raise Refusal(503, "the server ends")
        if self.listeners >= self._limits.tails:
            raise Refusal(503, f"there are {self._limits.tails} live tails already")
        if search not in self._feeds and len(self._feeds) >= self._limits.tail_queries:
            raise Refusal(503, f"there are live tails with {self._limits.tail_queries} different queries already")
        snapshot = await self._lane.call(self._reader.read)
        found = None if since is None else await self._find(since)
        if self._is_ending:
            raise Refusal(503, "the server ends")
        feed = self._feeds.setdefault(search, _Feed(search))
        if feed.snapshot is None:
            feed.snapshot = snapshot
        listener = Listener()
        if found is None:
            begin = feed.snapshot  # maybe a moment ago: the client gets the records since then, too
            listener.move(lambda: self._sent.write(begin))
            feed.listeners.add(listener)
        else:
            feed.joining[listener] = found
        if self.is_idle:
            self._following = asyncio.create_task(self._follow())
        return listener

    async def _find(self, since: str) -> Found:
        sent = self._sent.find(since)
        if sent is not None:
            return Found(sent.offsets, ())

        def find(store: Store) -> Found:
            return read_position(since, read_store_id(store), read_positions(store))

        try:
            return await self._lane.call(find)
        except UnreadablePosition as error:
            raise Refusal(400, f"cannot continue the live tail: {error}", place="from") from None

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        for search, feed in list(self._feeds.items()):
            feed.listeners.discard(listener)
            feed.joining.pop(listener, None)
            if feed.is_empty:
                del self._feeds[search]

    def begin_end(self) -> None:
        """End all tails now. Does not wait."""
        self._is_ending = True
        for listener in self._list_listeners():
            listener.close()
        if self._following is not None:
            self._following.cancel()

    def close(self) -> None:
        """Close the connection. A call that runs may fail."""
        self._lane.close()

    def _list_listeners(self) -> list[Listener]:
        return [listener for feed in self._feeds.values() for listener in (*feed.listeners, *feed.joining)]

    async def _follow(self) -> None:
        """Ask for all feeds again and again, until there is none."""
        failure = "internal error in the server"
        try:
            while self._feeds:
                started = time.monotonic()
                try:
                    snapshot = await self._lane.call(self._reader.read)
                    for feed in list(self._feeds.values()):
                        await self._advance(feed, snapshot)
                except Refusal as refusal:
                    if refusal.status != _AWAY:
                        failure = refusal.message
                        return
                    self._tell_away(refusal.message)
                    await asyncio.sleep(_AWAY_S)
                    continue
                self._tell_away(None)
                await asyncio.sleep(max(_POLL_S, _PAUSE * (time.monotonic() - started)))
        finally:
            for listener in self._list_listeners():
                listener.fail(failure)
            self._feeds.clear()

    def _tell_away(self, message: str | None) -> None:
        for listener in self._list_listeners():
            listener.set_away(message)

    async def _advance(self, feed: _Feed, snapshot: Snapshot) -> None:
        """Give the listeners of a feed what was stored up to a snapshot, and those that connect again what they lack.

        Raises:
            Refusal: 503: the store is away. Nothing has changed then: the same records are asked for again.
        """
        started = time.monotonic()
        if feed.snapshot is None or started < feed.rests_until:
            return
        try:
            for listener, found in list(feed.joining.items()):
                await self._catch_up(feed, listener, found, feed.snapshot)
            if feed.listeners and feed.snapshot is not snapshot:
                news = await self._read(feed.search, self._plan(feed.snapshot, snapshot), snapshot, _LIVE)
                for listener in feed.listeners:
                    if news is None:
                        listener.move(lambda: self._sent.write(snapshot))
                    else:
                        listener.put(news)
                feed.snapshot = snapshot
        except Refusal as refusal:
            if refusal.status == _AWAY:
                raise
            for listener in (*feed.listeners, *feed.joining):
                listener.fail(refusal.message)
            self._feeds.pop(feed.search, None)
        took_s = time.monotonic() - started
        feed.rests_until = time.monotonic() + _REST * took_s if took_s > _POLL_S else 0.0

    async def _catch_up(self, feed: _Feed, listener: Listener, found: Found, snapshot: Snapshot) -> None:
        """Give a listener the records from its own position to that of its feed; then it belongs to the feed."""
        if any(offset > snapshot.offsets.get(file_id, 0) for file_id, offset in found.offsets.items()):
            return  # the feed is behind the position, which is that of another server; it advances in this round
        still = {file_id: snapshot.offsets[file_id] for file_id in found.unknown if file_id in snapshot.offsets}
        ranges = plan_arrivals({**found.offsets, **still}, snapshot.offsets)
        news = await self._read(feed.search, ranges, snapshot, _CATCHING_UP)
        if feed.joining.pop(listener, None) is None:
            return  # it has left meanwhile
        feed.listeners.add(listener)
        if news is not None or found.unknown:
            news = news or News(b"[]", 0, 0, write_position=lambda: self._sent.write(snapshot))
            listener.put(replace(news, unknown_files=len(found.unknown)))
        else:
            listener.move(lambda: self._sent.write(snapshot))

    def _plan(self, start: Snapshot, end: Snapshot) -> list[ByteRange]:
        """Return the byte ranges between two snapshots. Most feeds ask for the same ones."""
        planned = self._planned
        if planned is None or planned[0] is not start or planned[1] is not end:
            planned = self._planned = start, end, plan_arrivals(start.offsets, end.offsets)
        return planned[2]

    async def _read(self, search: Search, ranges: Sequence[ByteRange], snapshot: Snapshot, most: _Most) -> News | None:
        """Return the records in ranges of bytes up to a snapshot, and its position; None if there is none."""

        def read(store: Store) -> News | None:
            arrivals = read_arrivals(store, search, ranges, records=most.records)
            if not arrivals.records.num_rows:
                return None
            rendered = self._render(store, arrivals.records)
            kept = _keep_newest(rendered, most.size_bytes)
            left_out = arrivals.left_out + len(rendered) - len(kept)
            return News(
                b"[" + b",".join(kept) + b"]", len(kept), left_out, write_position=lambda: self._sent.write(snapshot)
            )

        return await self._lane.call(read) if ranges else None


def _keep_newest(records: Sequence[bytes], max_bytes: int) -> Sequence[bytes]:
    """Return the last records that fit into ``max_bytes`` together, but at least one."""
    size = 0
    for at in range(len(records) - 1, -1, -1):
        size += len(records[at])
        if size > max_bytes:
            return records[min(at + 1, len(records) - 1) :]
    return records
