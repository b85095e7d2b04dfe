"""A TCP proxy between clients and a server that can cut connections: now, after a number of bytes, or at a word.

It listens on a port of 127.0.0.1 and forwards each connection to the server's own socket.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK = 1 << 16


@dataclass(slots=True)
class _Trap:
    """The condition for the next cut. Bytes of all clients count, from the call that sets the trap."""

    left: int | None = None  # bytes until the cut
    word: bytes | None = None
    is_delivered: bool = True  # whether the message that causes the cut reaches the server
    stays_down: bool = False

    def take(self, data: bytes) -> bytes | None:
        """Return the part of ``data`` that is forwarded before the cut; None if ``data`` causes no cut."""
        if self.word is not None and self.word in data:
            return data if self.is_delivered else b""
        if self.left is not None:
            self.left -= len(data)
            if self.left <= 0:
                return data[: len(data) + self.left]
        return None


@dataclass(frozen=True, eq=False, slots=True)
class _Connection:
    """The connection of a client, and the connection to the server that continues it."""

    client: socket.socket
    server: socket.socket

    def cut(self) -> None:
        _shut(self.client, socket.SHUT_RDWR)
        _shut(self.server, socket.SHUT_RDWR)

    def cut_client(self) -> None:
        """Cut the client off. The server still receives what the client has sent, but cannot answer."""
        _shut(self.client, socket.SHUT_RDWR)


class CutWire:
    """The proxy. Usable with ``with``: afterwards its threads have ended and its connections are closed."""

    def __init__(self, server: Path | tuple[str, int]) -> None:
        """Set the server, a Unix socket or a host and port."""
        self._server = server
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._threads: list[threading.Thread] = []
        self._trap: _Trap | None = None
        self._is_down = False
        self.cuts = 0  # number of cuts, by calls and by traps

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut(self, *, and_stay_down: bool = False) -> None:
        """Cut every connection now. New connections are accepted, unless ``and_stay_down``."""
        with self._lock:
            self._cut(stays_down=and_stay_down)

    def restore(self) -> None:
        """Accept new connections again, and remove the trap."""
        with self._lock:
            self._is_down, self._trap = False, None

    def cut_after(self, count: int, *, and_stay_down: bool = False) -> None:
        """Cut when clients have sent ``count`` more bytes. The server receives these bytes; its answer is lost."""
        with self._lock:
            self._trap = _Trap(left=count, stays_down=and_stay_down)

    def cut_at(self, word: bytes, *, delivered: bool, and_stay_down: bool = False) -> None:
        """Cut when a client sends ``word``, such as COMMIT.

        Args:
            word: part of one message.
            delivered: whether the server receives the message. If so, only its answer is lost.
            and_stay_down: refuse connections until `restore`.
        """
        with self._lock:
            self._trap = _Trap(word=word, is_delivered=delivered, stays_down=and_stay_down)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._start(self._take_connections)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _shut(self._listener, socket.SHUT_RDWR)
        self._threads[0].join()  # from here on there are no new connections
        self.cut(and_stay_down=True)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name="cut wire", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _take_connections(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                server = self._reach_server()
                if server is None:
                    client.close()
                    continue
                connection = _Connection(client, server)
                with self._lock:
                    self._connections.add(connection)
                    if self._is_down:
                        connection.cut()
                self._start(self._serve, connection)

    def _reach_server(self) -> socket.socket | None:
        kind, where = (
            (socket.AF_UNIX, str(self._server)) if isinstance(self._server, Path) else (socket.AF_INET, self._server)
        )
        server = socket.socket(kind, socket.SOCK_STREAM)
        try:
            server.connect(where)
        except OSError:
            server.close()
            return None
        return server

    def _serve(self, connection: _Connection) -> None:
        with connection.client, connection.server:
            answers = self._start(self._carry_answers, connection)
            self._carry_requests(connection)
            answers.join()
            with self._lock:
                self._connections.discard(connection)

    def _carry_requests(self, connection: _Connection) -> None:
        with contextlib.suppress(OSError):
            while data := connection.client.recv(CHUNK):
                with self._lock:
                    passes = self._trap.take(data) if self._trap else None
                    if passes is not None:
                        self._spring(connection)  # before the server answers or the client connects again
                connection.server.sendall(data if passes is None else passes)
                if passes is not None:
                    break
        _shut(connection.server, socket.SHUT_WR)

    def _carry_answers(self, connection: _Connection) -> None:
        with contextlib.suppress(OSError):
            while data := connection.server.recv(CHUNK):
                with contextlib.suppress(OSError):  # the client is gone; the server may finish its work
                    connection.client.sendall(data)
        _shut(connection.client, socket.SHUT_WR)

    def _spring(self, connection: _Connection) -> None:
        trap, self._trap = self._trap, None
        assert trap is not None
        if trap.is_delivered:
            connection.cut_client()
            self._connections.discard(connection)
        self._cut(stays_down=trap.stays_down)

    def _cut(self, *, stays_down: bool) -> None:
        self._is_down = stays_down
        for connection in self._connections:
            connection.cut()
        self.cuts += 1  # last, because a test that waits for the count may connect again


def _shut(end: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        end.shutdown(how)
