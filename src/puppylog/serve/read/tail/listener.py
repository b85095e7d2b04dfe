"""What waits to be sent to one client of a live tail. It takes limited memory, however slowly the client reads."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_MAX_BYTES: Final = 2 << 20  # of records that wait; the records are shared by all clients with the same query

Write = Callable[[], str]


@dataclass(frozen=True, slots=True)
class News:
    """Records that arrived, for all clients with the same query."""

    records: bytes  # a JSON array
    count: int  # of the records
    left_out: int  # older records that arrived, too, and that are too many to show
    unknown_files: int = 0  # files whose records since the client's position cannot be told
    write_position: Write = str  # returns the text of the position after these records


class Listener:
    """One client. Used in the server's loop only.

    If the client reads too slowly, the oldest records are dropped and counted.
    """

    def __init__(self) -> None:
        self._waiting: deque[News] = deque()
        self._bytes = 0
        self._dropped = 0  # records; the next event says how many
        self._away: str | None = None  # why the store does not answer
        self._told_away: str | None = None
        self._failure: str | None = None
        self._is_closed = False
        self._changed = asyncio.Event()
        self._position: Write | None = None  # after everything that was put
        self._told_position = ""

    def put(self, news: News) -> None:
        """Add records."""
        self._waiting.append(news)
        self._bytes += len(news.records)
        self._position = news.write_position
        while self._bytes > _MAX_BYTES and len(self._waiting) > 1:
            dropped = self._waiting.popleft()
            self._bytes -= len(dropped.records)
            self._dropped += dropped.count + dropped.left_out
        self._changed.set()

    def move(self, write_position: Write) -> None:
        """Note a later position: no record up to it matches. The client is told with the next sign of life."""
        self._position = write_position

    def set_away(self, message: str | None) -> None:
        """Note that the store does not answer, and why; None: it answers."""
        self._away = message
        self._changed.set()

    def fail(self, message: str) -> None:
        """Let the tail end with an error, unless it ends already."""
        if not self._is_closed:
            self._failure = message
            self.close()

    def close(self) -> None:
        """Let the tail end."""
        self._is_closed = True
        self._changed.set()

    async def take(self, within_s: float) -> bytes | None:
        """Return what to send next; None if the tail ends.

        Args:
            within_s: how many seconds to wait before returning a sign of life.
        """
        try:
            async with asyncio.timeout(within_s):
                while not self._has_any:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return self.write_sign_of_life()
        if self._is_closed:
            failure, self._failure = self._failure, None
            return None if failure is None else _write_event("failed", json.dumps({"message": failure}).encode())
        if (self._away is None) != (self._told_away is None):
            self._told_away = self._away
            if self._away is None:
                return _write_event("back", b"{}")
            return _write_event("away", json.dumps({"message": self._away}).encode())
        return self._take_news()

    @property
    def _has_any(self) -> bool:
        has_changed = (self._away is None) != (self._told_away is None)
        return self._is_closed or has_changed or bool(self._waiting)

    def _take_news(self) -> bytes:
        news = self._waiting.popleft()
        self._bytes -= len(news.records)
        skipped, self._dropped = news.left_out + self._dropped, 0
        self._told_position = news.write_position()
        data = b'{"records":%b,"skipped":%d' % (news.records, skipped)
        if news.unknown_files:
            data += b',"unknown_files":%d' % news.unknown_files
        return _write_event("records", data + b"}", self._told_position)

    def write_sign_of_life(self) -> bytes:
        """Return an event with the position if it has changed, otherwise a comment."""
        if self._position is None or self._waiting:
            return b":\n\n"
        position = self._position()
        if position == self._told_position:
            return b":\n\n"
        self._told_position = position
        return _write_event("position", b"{}", position)


def _write_event(kind: str, data: bytes, position: str | None = None) -> bytes:
    """Return an event. Its data is JSON, in which no line ends."""
    id_ = "" if position is None else f"id: {position}\n"
    return f"event: {kind}\n{id_}data: ".encode() + data + b"\n\n"
