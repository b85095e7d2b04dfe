"""Receives datagrams. The kernel keeps and counts what arrives while nothing is read."""

import asyncio
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from puppylog.receive.syslog.framing import split_datagram
from puppylog.serve.syslog.inbox import Inbox
from puppylog.serve.syslog.peers import name_peer

_LAST_S: Final = 0.5  # for what the kernel has when the server ends
_MAX_BYTES: Final = 65_535
_FORCED_BUFFER: Final = 33  # SO_RCVBUFFORCE of Linux, which the socket module does not name
_MEMORY_INFO: Final = 55  # SO_MEMINFO
_MEMORY_NUMBERS: Final = 9
_DROPS: Final = 8  # the index of the number of datagrams that the kernel dropped
_NUMBERS: Final = 1 << 32


def widen_buffer(receiving: socket.socket, size_bytes: int) -> int:
    """Ask the kernel for a buffer, and return the size that it gives, in bytes.

    Only root gets more than net.core.rmem_max.
    """
    try:
        receiving.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, size_bytes)
    except OSError:
        receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)
    return receiving.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel doubles it for itself


def read_drops(receiving: socket.socket) -> int:
    """Return how many datagrams the kernel has dropped because the buffer was full, modulo 2**32."""
    try:
        numbers = receiving.getsockopt(socket.SOL_SOCKET, _MEMORY_INFO, 4 * _MEMORY_NUMBERS)
    except OSError:  # a system that does not count them
        return 0
    return int(struct.unpack(f"={_MEMORY_NUMBERS}I", numbers)[_DROPS]) if len(numbers) == 4 * _MEMORY_NUMBERS else 0


class DatagramReceiver:
    """Receives from bound sockets. All methods are called in the server's loop."""

    def __init__(self, sockets: Sequence[socket.socket], inbox: Inbox) -> None:
        self._sockets = sockets
        self._inbox = inbox
        self._limits = limits = inbox.limits
        self._is_reading = False
        self._buffer_bytes = min(widen_buffer(one, limits.datagram_buffer_bytes) for one in sockets)
        self._drops = [read_drops(receiving) for receiving in sockets]
        self._unsaid_drops = 0
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._inbox.on_change = self._choose
        self._choose()
        self._watching = asyncio.create_task(self._watch_drops())

    async def end(self) -> None:
        """Receive what the kernel has, for a limited time, and stop."""
        deadline = time.monotonic() + _LAST_S
        for receiving in self._sockets:
            while self._read(receiving) and time.monotonic() < deadline:
                continue
        self._inbox.on_change = lambda: None
        self._stop_reading()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._count_drops()
        self._say_drops()
        for receiving in self._sockets:
            receiving.close()

    def _choose(self) -> None:
        """Read if the inbox has space; otherwise leave the datagrams to the kernel, where dropping them costs least."""
        if self._inbox.is_full:
            self._stop_reading()
        elif not self._is_reading:
            self._is_reading = True
            for receiving in self._sockets:
                asyncio.get_running_loop().add_reader(receiving.fileno(), self._read, receiving)

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            for receiving in self._sockets:
                asyncio.get_running_loop().remove_reader(receiving.fileno())

    def _read(self, receiving: socket.socket) -> bool:
        """Receive some datagrams; return whether there may be more."""
        texts: list[bytes] = []
        peers: list[str] = []
        has_more = True
        try:
            for _ in range(self._limits.datagrams_at_once):
                data, place = receiving.recvfrom(_MAX_BYTES)
                messages = split_datagram(data)
                texts += messages
                peers += [name_peer(place[0])] * len(messages)
        except OSError:
            has_more = False
        self._inbox.add_whole(texts, peers)
        return has_more

    async def _watch_drops(self) -> None:
        while True:
            await asyncio.sleep(self._limits.drops_s)
            self._count_drops()
            if self._inbox.may_say("drops"):
                self._say_drops()

    def _count_drops(self) -> None:
        for index, receiving in enumerate(self._sockets):
            drops = read_drops(receiving)
            new = (drops - self._drops[index]) % _NUMBERS
            self._drops[index] = drops
            if new:
                self._inbox.count("dropped_datagrams", new)
                self._unsaid_drops += new

    def _say_drops(self) -> None:
        if not self._unsaid_drops:
            return
        cause = "the store is behind" if self._inbox.is_full else "they came too fast"
        size = f"{self._buffer_bytes / 1024:,.0f} KiB"
        wanted = self._limits.datagram_buffer_bytes
        advice = f"; 'sysctl net.core.rmem_max={wanted}' allows more" if self._buffer_bytes < wanted else ""
        lost = f"{self._unsaid_drops:,} datagrams are lost"
        self._inbox.say("drops", f"{lost}: {cause}, and the kernel's buffer of {size} was full{advice}", at_once=True)
        self._unsaid_drops = 0
