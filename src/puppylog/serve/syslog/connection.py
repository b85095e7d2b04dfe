"""One connection of a sender of syslog."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from puppylog.receive.syslog.framing import Framer
from puppylog.serve.syslog.inbox import Inbox

_DAY_S: Final = 86_400.0


class SyslogConnection(asyncio.Protocol):
    """Finds the messages in what a sender sends, and gives them to the inbox. Reads nothing while the inbox is full.

    Attributes:
        peer: the address of the sender.
        has_begun: whether there is a connection, after the handshake of TLS.
        used_at: when data arrived last, of time.monotonic(); before that, when the object was made, less a day.
    """

    def __init__(
        self,
        peer: str,
        inbox: Inbox,
        on_begin: Callable[["SyslogConnection"], None],
        on_end: Callable[["SyslogConnection"], None],
    ) -> None:
        """Prepare.

        Args:
            peer: the address of the sender.
            inbox: gets the messages.
            on_begin: called when the connection has begun, after the handshake of TLS.
            on_end: called when the connection has ended.
        """
        self.peer = peer
        self.used_at = time.monotonic() - _DAY_S
        self.has_begun = False
        self._inbox = inbox
        self._framer = Framer(inbox.limits.message_bytes)
        self._on_begin = on_begin
        self._on_end = on_end
        self._transport: asyncio.Transport | None = None
        self._has_ended = False  # the sender has sent all that it wants to

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream
        self._transport = transport
        self.has_begun = True
        self._on_begin(self)
        self.choose()

    def choose(self) -> None:
        """Read if the inbox has space."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._inbox.is_full and self._transport.is_reading():
            self._transport.pause_reading()
        elif not self._inbox.is_full and not self._transport.is_reading():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.used_at = time.monotonic()
        if self._framer.fault:
            return  # after the connection was closed
        self._inbox.add(self._framer.feed(data), self.peer)
        if self._framer.fault:
            self._inbox.count("lost_framing")
            self._inbox.say("framing", f"the connection of {self.peer} is closed: {self._framer.fault}")
            self.close()

    def eof_received(self) -> None:
        self._has_ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._framer.fault:
            self._inbox.add(self._framer.finish(is_clean=self._has_ended), self.peer)
        self._on_end(self)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()
