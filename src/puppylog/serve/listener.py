"""Accepts connections, a limited number at once, and gives each one a `Connection`."""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from puppylog.errors import ConfigurationError, ListenFailed
from puppylog.model.address import Address
from puppylog.serve.connection import Connection
from puppylog.serve.limits import Limits

_BACKLOG: Final = 512  # behind 4096 hostile clients, another sender waited 10.6 s instead of 3.1
_MISSING: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_PAUSE_S: Final = 0.5  # after the system has no descriptor left


def open_sockets(address: Address, kind: socket.SocketKind = socket.SOCK_STREAM) -> Sequence[socket.socket]:
    """Return listening sockets: one for each IP address of the host. All have the same port, also if it was 0.

    Args:
        address: where to listen.
        kind: of the sockets: for connections, or for datagrams.

    Raises:
        ListenFailed: the address cannot be used now.
        ConfigurationError: this user may not use the address.
    """
    try:
        found = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenFailed("listen on", str(address), error.strerror or str(error)) from error
    opened: list[socket.socket] = []
    missing: OSError | None = None
    for family, _, _, _, place in dict.fromkeys(found):
        port = opened[0].getsockname()[1] if opened else address.port
        try:
            opened.append(_open_socket(family, kind, (place[0], port, *place[2:]), is_dual=address.host == "::"))
        except OSError as error:
            if error.errno not in _MISSING:
                for listening in opened:
                    listening.close()
                raise _translate(address, error) from error
            missing = error  # as ::1, which localhost has on machines without IPv6, too
    if not opened and missing is not None:
        raise _translate(address, missing) from missing
    return opened


def _open_socket(
    family: socket.AddressFamily, kind: socket.SocketKind, place: tuple[object, ...], *, is_dual: bool
) -> socket.socket:
    listening = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:  # for datagrams it would let another process listen there, too
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not is_dual)
        listening.bind(place)
        if kind == socket.SOCK_STREAM:
            listening.listen(_BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def _translate(address: Address, error: OSError) -> ConfigurationError | ListenFailed:
    if error.errno == errno.EADDRINUSE:
        return ListenFailed("listen on", str(address), "another process listens there", "choose another address")
    if error.errno == errno.EADDRNOTAVAIL:
        return ListenFailed("listen on", str(address), "this machine does not have the address")
    cause = error.strerror or str(error)
    advice = "use a port above 1023" if error.errno == errno.EACCES else ""
    return ConfigurationError("listen on", str(address), cause.lower(), advice)


class Listener:
    """Serves an application. All methods are called in the server's loop.

    If there are too many connections, the server closes the one whose client it has waited for longest, one without any
    complete request first. So no number of idle connections keeps other clients out.
    """

    def __init__(
        self,
        app: ASGIApp,
        sockets: Sequence[socket.socket],
        limits: Limits,
        *,
        tls: ssl.SSLContext | None,
        report: Callable[[str], None],
    ) -> None:
        self._sockets = sockets
        self._limits = limits
        self._tls = tls
        self._report = report
        self._state = ServerState()
        self._connections: set[Connection] = set()
        self._handshakes: dict[asyncio.Task[bool], None] = {}  # the oldest first
        self._config = Config(
            app,
            lifespan="off",
            ws="none",  # a connection makes its own
            ws_per_message_deflate=False,  # a small message could become a very large one
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=int(limits.idle_s) + 1,
            h11_max_incomplete_event_size=limits.head_bytes,
        )
        self._config.load()
        self._accepting: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """The number of connections, those that are being encrypted included."""
        return len(self._connections) + len(self._handshakes)

    def start(self) -> None:
        self._accepting = [asyncio.create_task(self._accept(listening)) for listening in self._sockets]

    async def end(self) -> None:
        """Accept no more connections, wait for the running requests for a limited time, and close all connections."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for listening in self._sockets:
            listening.close()
        handshakes = list(self._handshakes)
        for handshake in handshakes:
            handshake.cancel()
        await asyncio.gather(*handshakes, return_exceptions=True)
        for connection in list(self._connections):
            connection.shutdown()
        deadline = time.monotonic() + self._limits.end_s
        while (self._state.tasks or self._connections) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        running = list(self._state.tasks)
        for request in running:
            request.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)  # the connections are told

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        is_reported = False
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    if not is_reported:
                        self._report(f"cannot accept connections: {error.strerror}; other clients wait")
                        is_reported = True
                    self._close_one()
                    await asyncio.sleep(_PAUSE_S)
                continue  # else the client has left before it was accepted
            if self.connections >= self._limits.connections and not self._close_one():
                accepted.close()
                continue
            task = asyncio.create_task(self._begin(accepted))
            self._handshakes[task] = None
            task.add_done_callback(partial(self._note_handshake, accepted))
            await asyncio.sleep(0)  # an accept that need not wait lets no other task run

    async def _begin(self, accepted: socket.socket) -> bool:
        """Make a connection of an accepted socket, after the handshake of TLS; return whether there is one."""
        with suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make_connection,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else self._limits.head_s,
                ssl_shutdown_timeout=None if self._tls is None else self._limits.linger_s,
            )
        except OSError as error:  # a failed handshake is one, too
            error.with_traceback(None)  # it holds the connection, which would stay until the garbage collector runs
            return False
        return True

    def _note_handshake(self, accepted: socket.socket, task: "asyncio.Task[bool]") -> None:
        self._handshakes.pop(task, None)
        if task.cancelled() or not task.result():
            accepted.close()  # a task that is cancelled before it begins cannot do this itself

    def _make_connection(self) -> Connection:
        return Connection(self._config, self._state, self._limits, self._connections)

    def _close_one(self) -> bool:
        """Close the connection that has the least use; return whether there is one."""
        waiting = [connection for connection in self._connections if connection.is_waiting]
        if waiting:
            worst = min(waiting, key=lambda connection: (connection.requests > 0, connection.waiting_since))
            self._connections.discard(worst)
            worst.abort()
        elif self._handshakes:
            oldest = next(iter(self._handshakes))
            del self._handshakes[oldest]  # it ends in a moment
            oldest.cancel()
        else:
            return False
        return True
