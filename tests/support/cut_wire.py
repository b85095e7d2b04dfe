"""A wire between clients and a server which can be cut: now, after so many bytes, or at a word.

A port of 127.0.0.1; every connection to it is passed on to the server's own socket, byte by byte.
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
    """When to cut by oneself. What clients say counts, all of them together, from the setting of the trap."""

    left: int | None = None  # bytes
    word: bytes | None = None
    is_heard: bool = True  # what springs the trap reaches the server
    stays_down: bool = False

    def take(self, data: bytes) -> bytes | None:
        """Return what of ``data`` passes before the cut, or None if all is well."""
        if self.word is not None and self.word in data:
            return data if self.is_heard else b""
        if self.left is not None:
            self.left -= len(data)
            if self.left <= 0:
                return data[: len(data) + self.left]
        return None


@dataclass(frozen=True, eq=False, slots=True)
class _Line:
    """One connection and its continuation."""

    client: socket.socket
    server: socket.socket

    def cut(self) -> None:
        _shut(self.client, socket.SHUT_RDWR)
        _shut(self.server, socket.SHUT_RDWR)

    def cut_client(self) -> None:
        """The client is cut off; the server will still hear everything, and find nobody to answer."""
        _shut(self.client, socket.SHUT_RDWR)


class CutWire:
    """Usable with ``with``; on leaving, its threads have ended and its connections are closed."""

    def __init__(self, server: Path | tuple[str, int]) -> None:
        """Say where it leads: to a Unix socket, or to a host and port."""
        self._server = server
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._threads: list[threading.Thread] = []
        self._trap: _Trap | None = None
        self._is_down = False
        self.cuts = 0  # how often it was cut, by a call or by a trap

    @property
    def port(self) -> int:
        return int(self._door.getsockname()[1])

    def cut(self, *, and_stay_down: bool = False) -> None:
        """Cut every connection now. New ones are taken, unless it is to stay down."""
        with self._lock:
            self._cut(stays_down=and_stay_down)

    def mend(self) -> None:
        """Take new connections again, and set no trap."""
        with self._lock:
            self._is_down, self._trap = False, None

    def cut_after(self, count: int, *, and_stay_down: bool = False) -> None:
        """Cut when clients have said ``count`` more bytes: these still arrive, their answer does not."""
        with self._lock:
            self._trap = _Trap(left=count, stays_down=and_stay_down)

    def cut_at(self, word: bytes, *, heard: bool, and_stay_down: bool = False) -> None:
        """Cut when a client says ``word``, such as COMMIT.

        Args:
            word: part of one message.
            heard: the server hears the message and does it, and its answer is lost; else it never hears of it.
            and_stay_down: until `mend`.
        """
        with self._lock:
            self._trap = _Trap(word=word, is_heard=heard, stays_down=and_stay_down)

    def __enter__(self) -> Self:
        self._door = socket.create_server(("127.0.0.1", 0))
        self._start(self._take_connections)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _shut(self._door, socket.SHUT_RDWR)
        self._threads[0].join()  # from here on there are no new lines
        self.cut(and_stay_down=True)
        for thread in self._threads:
            thread.join()
        self._door.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name="cut wire", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _take_connections(self) -> None:
        with contextlib.suppress(OSError):  # the door was shut
            while True:
                client, _ = self._door.accept()
                server = self._reach_server()
                if server is None:
                    client.close()
                    continue
                line = _Line(client, server)
                with self._lock:
                    self._lines.add(line)
                    if self._is_down:
                        line.cut()
                self._start(self._serve, line)

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

    def _serve(self, line: _Line) -> None:
        with line.client, line.server:
            answers = self._start(self._carry_answers, line)
            self._carry_requests(line)
            answers.join()
            with self._lock:
                self._lines.discard(line)

    def _carry_requests(self, line: _Line) -> None:
        with contextlib.suppress(OSError):
            while data := line.client.recv(CHUNK):
                with self._lock:
                    passes = self._trap.take(data) if self._trap else None
                    if passes is not None:
                        self._spring(line)  # before the server can answer, or the client come back
                line.server.sendall(data if passes is None else passes)
                if passes is not None:
                    break
        _shut(line.server, socket.SHUT_WR)

    def _carry_answers(self, line: _Line) -> None:
        with contextlib.suppress(OSError):
            while data := line.server.recv(CHUNK):
                with contextlib.suppress(OSError):  # nobody listens any more; the server may end what it does
                    line.client.sendall(data)
        _shut(line.client, socket.SHUT_WR)

    def _spring(self, line: _Line) -> None:
        trap, self._trap = self._trap, None
        assert trap is not None
        if trap.is_heard:
            line.cut_client()
            self._lines.discard(line)
        self._cut(stays_down=trap.stays_down)

    def _cut(self, *, stays_down: bool) -> None:
        self._is_down = stays_down
        for line in self._lines:
            line.cut()
        self.cuts += 1  # last: whoever waits for it may connect again


def _shut(end: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # it is shut already
        end.shutdown(how)
