"""An HTTP proxy that does to requests and answers what bad networks and bad proxies do.

It listens on a port of 127.0.0.1. Each request is forwarded on a connection of its own, after a `Mischief` is drawn.
"""

import contextlib
import io
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import BinaryIO, Final, Self

_PAUSE_S: Final = 0.4  # the longest delay
_SWAP_WITHIN_S: Final = 0.3
_SERVER_WITHIN_S: Final = 30.0
_SORRY: Final = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 24\r\nConnection: close\r\n\r\n"
    b"<html>Bad Gateway</html>"
)


class Mischief(StrEnum):
    """What happens to one request."""

    CUT_REQUEST = "the server gets a part of it"
    CUT_ANSWER = "the client gets a part of the answer"
    LOSE_ANSWER = "the client gets no answer"
    DELIVER_LATE = "the client gets no answer, and the server gets the request when the client may have tried again"
    DELAY_REQUEST = "the server gets it later"
    DELAY_ANSWER = "the client gets the answer later"
    REPEAT = "the server gets it twice, one after the other, and the client gets the second answer"
    REPEAT_AT_ONCE = "the server gets it twice at the same time, and the client gets one of the answers"
    SWAP_ANSWERS = "the client gets the answer to another client's request"
    REFUSE = "the server does not get it, and the client gets a page of the proxy"
    REFUSE_AFTERWARDS = "the server gets it, and the client gets a page of the proxy"


class HostileProxy:
    """Usable with ``with``: afterwards its threads have ended and its connections are closed."""

    def __init__(self, server_port: int, chance: random.Random, *, share: float = 0.3) -> None:
        """Prepare.

        Args:
            server_port: of the server, on 127.0.0.1.
            chance: draws what happens.
            share: the share of requests to which something happens.
        """
        self._server_port = server_port
        self._chance = chance
        self.share = share  # a test may change it: at 0 the proxy only forwards
        self.done: Counter[Mischief] = Counter()  # under the lock
        self.forwarded = 0  # requests, under the lock
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()  # under the lock
        self._threads: list[threading.Thread] = []  # under the lock
        self._waiting: _Exchange | None = None  # under the lock: an answer that waits for another one
        self._is_over = threading.Event()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._accepting = threading.Thread(target=self._accept, name="hostile proxy")
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        with self._lock:
            ends, threads = list(self._ends), list(self._threads)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was closed
            while not self._is_over.is_set():
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=[client], name="hostile proxy")
                with self._lock:
                    self._ends.add(client)
                    self._threads = [known for known in self._threads if known.is_alive()]
                    self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream, contextlib.suppress(OSError, ValueError):
            while not self._is_over.is_set() and (request := read_message(stream)):
                answer = self._act(request)
                if not answer:
                    break
                client.sendall(answer)
                if not is_whole(answer) or b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                    break
        with self._lock:
            self._ends.discard(client)

    def _act(self, request: bytes) -> bytes:
        """Forward a request, or not, and return what the client gets: an answer, a part of one, or nothing."""
        with self._lock:
            self.forwarded += 1
            mischief = None
            if self._chance.random() < self.share:
                mischief = self._chance.choice(list(Mischief))
                self.done[mischief] += 1
            pause_s = self._chance.random() * _PAUSE_S
            part = self._chance.random()
        answer = self._deliver(request, mischief, pause_s, part)
        return self._give_back(answer, mischief, pause_s, part)

    def _deliver(self, request: bytes, mischief: Mischief | None, pause_s: float, part: float) -> bytes:
        """Forward a request once, twice, late, in part or not at all; return the answer, empty if there is none."""
        match mischief:
            case Mischief.CUT_REQUEST:
                self._forward(request[: int(len(request) * part)], is_cut=True)
                return b""
            case Mischief.DELIVER_LATE:
                self._start_late(request, pause_s)
                return b""
            case Mischief.REFUSE:
                return _SORRY
            case Mischief.DELAY_REQUEST:
                self._is_over.wait(pause_s)
            case Mischief.REPEAT:
                self._forward(request)
            case Mischief.REPEAT_AT_ONCE:
                self._start_late(request, 0)
        return self._forward(request)

    def _give_back(self, answer: bytes, mischief: Mischief | None, pause_s: float, part: float) -> bytes:
        """Return what the client gets of an answer."""
        match mischief:
            case Mischief.CUT_ANSWER:
                return answer[: int(len(answer) * part)]
            case Mischief.LOSE_ANSWER:
                return b""
            case Mischief.REFUSE_AFTERWARDS:
                return _SORRY
            case Mischief.SWAP_ANSWERS:
                return self._swap(answer)
            case Mischief.DELAY_ANSWER:
                self._is_over.wait(pause_s)
        return answer

    def _start_late(self, request: bytes, pause_s: float) -> None:
        def deliver() -> None:
            self._is_over.wait(pause_s)
            self._forward(request)

        thread = threading.Thread(target=deliver, name="hostile proxy")
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _forward(self, request: bytes, *, is_cut: bool = False) -> bytes:
        """Send a request to the server, and return its answer; empty if there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self._server_port), _SERVER_WITHIN_S) as server:
                server.sendall(request)
                if is_cut:
                    return b""
                with server.makefile("rb") as stream:
                    return read_message(stream)
        except (OSError, ValueError):  # the server is down, or was killed while it answered
            return b""

    def _swap(self, answer: bytes) -> bytes:
        """Return another client's answer, if one comes soon, and give this one away."""
        own = _Exchange(answer)
        with self._lock:
            other, self._waiting = self._waiting, own if self._waiting is None else None
        if other is not None:
            other.given, own.given = own.answer, other.answer
            other.has_come.set()
            return own.given
        own.has_come.wait(_SWAP_WITHIN_S)
        with self._lock:
            if self._waiting is own:
                self._waiting = None
        return own.given if own.given is not None else answer


class _Exchange:
    """An answer that is exchanged for another one."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.given: bytes | None = None
        self.has_come = threading.Event()


def read_message(stream: BinaryIO) -> bytes:
    """Return the bytes of the next request or answer; empty at the end of the stream.

    Raises:
        ValueError: the stream ends within the message.
    """
    lines = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    if not lines:
        return b""
    if not line:
        raise ValueError("the stream ends within the head of a message")
    names = {name.strip().lower(): value.strip().lower() for name, _, value in (part.partition(b":") for part in lines)}
    head = b"".join(lines) + b"\r\n"
    status = lines[0].split(b" ")[1] if lines[0].startswith(b"HTTP/") else b""
    if names.get(b"transfer-encoding") == b"chunked":
        return head + b"".join(_iter_chunks(stream))
    if b"content-length" in names:
        return head + _read_exactly(stream, int(names[b"content-length"]))
    has_body = status not in (b"", b"204", b"304") and not status.startswith(b"1")
    return head + (stream.read() if has_body else b"")


def is_whole(message: bytes) -> bool:
    """Return whether the bytes are one whole message."""
    try:
        return read_message(io.BytesIO(message)) == message
    except ValueError:
        return False


def _iter_chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        size_line = stream.readline()
        if not size_line.endswith(b"\r\n"):
            raise ValueError("the stream ends within the size of a chunk")
        yield size_line
        size = int(size_line.split(b";")[0], 16)
        yield _read_exactly(stream, size + 2)
        if not size:
            return


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise ValueError("the stream ends within the body of a message")
    return data
