"""Accepts connections of senders of syslog, over TCP or TLS, a limited number at once and from each address."""

import asyncio
import errno
import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from puppylog.serve.syslog.connection import SyslogConnection
from puppylog.serve.syslog.inbox import Inbox
from puppylog.serve.syslog.peers import name_peer

_PAUSE_S: Final = 0.5  # after the system has no descriptor left
_LAST_S: Final = 0.05  # for what the kernel has when the server ends
_ALIVE: Final = (  # a peer that is gone without a word is noticed after about two minutes
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 60),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 15),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 4),
)


class StreamReceiver:
    """Accepts from listening sockets. All methods are called in the server's loop.

    Senders of syslog are silent for long, so a connection has no time limit. If there are too many, the one is closed
    that has sent nothing for the longest time. An address that has too many connections gets no more.
    """

    def __init__(self, sockets: Sequence[socket.socket], inbox: Inbox, *, tls: ssl.SSLContext | None) -> None:
        self._sockets = sockets
        self._inbox = inbox
        self._limits = inbox.limits
        self._tls = tls
        self._connections: set[SyslogConnection] = set()
        self._of_peer: Counter[str] = Counter()  # connections and handshakes, by address
        self._handshakes: dict[asyncio.Task[bool], tuple[socket.socket, SyslogConnection]] = {}
        self._accepting: list[asyncio.Task[None]] = []
        for listening in sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._limits.stream_buffer_bytes // 2)

    @property
    def connections(self) -> int:
        """The number of connections, those that are being encrypted included."""
        return len(self._connections) + len(self._handshakes)

    def start(self) -> None:
        self._inbox.on_change = self._choose
        self._accepting = [asyncio.create_task(self._accept(listening)) for listening in self._sockets]

    async def end(self) -> None:
        """Accept no more connections, read what has arrived, and close all connections."""
        ending: list[asyncio.Task[Any]] = [*self._accepting, *self._handshakes]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for listening in self._sockets:
            listening.close()
        if self._connections:
            await asyncio.sleep(_LAST_S)
        self._inbox.on_change = lambda: None
        for connection in list(self._connections):
            connection.close()
        while self._connections:
            await asyncio.sleep(0)

    def _choose(self) -> None:
        for connection in self._connections:
            connection.choose()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0)  # if many wait to be accepted, the loop would do nothing else
            try:
                accepted, place = await loop.sock_accept(listening)
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    self._inbox.say("accept", f"cannot accept connections: {error.strerror}; other senders wait")
                    await asyncio.sleep(_PAUSE_S)
                continue  # else the sender has left before it was accepted
            peer = name_peer(place[0])
            if not self._may_begin(peer):
                accepted.close()
                continue
            self._of_peer[peer] += 1
            connection = SyslogConnection(peer, self._inbox, self._note_begin, self._note_end)
            task = asyncio.create_task(self._begin(accepted, connection))
            self._handshakes[task] = accepted, connection
            task.add_done_callback(self._note_handshake)

    def _may_begin(self, peer: str) -> bool:
        """Return whether a connection of the peer may begin."""
        if self._of_peer[peer] >= self._limits.connections_of_peer:
            self._inbox.count("refused_connections")
            self._inbox.say("peer", f"{peer} has {self._of_peer[peer]:,} connections: it gets no more")
            return False
        if len(self._handshakes) >= self._limits.connections:
            self._inbox.count("refused_connections")
            self._inbox.say("handshakes", f"{len(self._handshakes):,} connections have just begun: others must wait")
            return False
        return True

    async def _begin(self, accepted: socket.socket, connection: SyslogConnection) -> bool:
        """Begin a connection, after the handshake of TLS; return whether it has begun."""
        with suppress(OSError):
            for layer, option, value in _ALIVE:
                if hasattr(socket, option):  # macOS does not have all of them
                    accepted.setsockopt(layer, getattr(socket, option), value)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else self._limits.handshake_s,
            )
        except OSError as error:  # a failed handshake is one, too
            if isinstance(error, ssl.SSLError):
                self._inbox.count("failed_handshakes")
                self._inbox.say("handshake", f"no TLS with {connection.peer}: {error.reason or error}")
            return False
        return True

    def _note_handshake(self, task: "asyncio.Task[bool]") -> None:
        accepted, connection = self._handshakes.pop(task)
        if task.cancelled() or not task.result():
            accepted.close()  # a task that is cancelled before it begins cannot do this itself
        if not connection.has_begun:
            self._count_down(connection.peer)

    def _note_begin(self, connection: SyslogConnection) -> None:
        self._connections.add(connection)
        if len(self._connections) > self._limits.connections:
            self._inbox.count("refused_connections")
            cause = f"there are more than {self._limits.connections:,} connections"
            self._inbox.say("connections", f"{cause}: the longest unused one is closed")
            unused = min(self._connections - {connection}, key=lambda other: other.used_at)
            unused.close()
            self._note_end(unused)

    def _note_end(self, connection: SyslogConnection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._count_down(connection.peer)

    def _count_down(self, peer: str) -> None:
        self._of_peer[peer] -= 1
        if not self._of_peer[peer]:
            del self._of_peer[peer]
