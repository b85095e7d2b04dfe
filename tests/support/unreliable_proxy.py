"""An HTTP proxy that does to requests and answers what bad networks and bad proxies do.

It listens on a port of 127.0.0.1, and forwards each request on a connection of its own. `Fault` lists what it can do.
`expect` tells it what to do to the next request of a call, such as ``append``:

    with UnreliableProxy(server.port) as proxy:
        proxy.expect("append", Fault.LOSE_ANSWER)
        store = connect(proxy.url)

For a long run, give it a random number generator and the share of requests that have a fault:

    UnreliableProxy(server.port, random=Random(seed), share=0.2)
"""

import contextlib
import socket
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from enum import StrEnum
from random import Random
from typing import BinaryIO, Final, Self

_PAUSE_S: Final = 0.4  # the longest delay
_SERVER_WITHIN_S: Final = 60.0


class Fault(StrEnum):
    """What the proxy does to a request, and to its answer."""

    LOSE_REQUEST = "the server gets nothing, and the client gets a closed connection"
    CUT_REQUEST = "the server gets a part of the request, and the client gets a closed connection"
    LOSE_ANSWER = "the server gets the request, and the client gets a closed connection"
    CUT_ANSWER = "the client gets a part of the answer, then a closed connection"
    SHORTEN_ANSWER = "the client gets half of the answer, with the length of the half"
    REPEAT = "the server gets the request twice, one after the other, and the client gets the second answer"
    REPEAT_AT_ONCE = "the server gets the request twice at the same time, and the client gets one of the answers"
    DELIVER_LATE = "the client gets no answer, and the server gets the request when the client may have tried again"
    DELIVER_WITH_NEXT = "the client gets 504, and the server gets the request when the next one of the call has come"
    DELAY_REQUEST = "the server gets the request later"
    DELAY_ANSWER = "the client gets the answer later"
    SWAP_ANSWER = "the client gets the answer to the request before, which may be another client's"
    PAGE = "the server gets nothing, and the client gets a page with status 200"
    UNAVAILABLE = "the server gets nothing, and the client gets 503 with Retry-After"
    REFUSE = "the server gets nothing, and the client gets 502"
    REFUSE_AFTERWARDS = "the server gets the request, and the client gets 502"


def _page(status: str, text: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html", f"Content-Length: {len(text)}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", text]).encode()


# What the client gets if the server gets nothing.
_INSTEAD: Final = {
    Fault.LOSE_REQUEST: b"",
    Fault.PAGE: _page("200 OK", "<html>Welcome</html>"),
    Fault.UNAVAILABLE: _page("503 Service Unavailable", "<html>busy</html>", "Retry-After: 1"),
    Fault.REFUSE: _page("502 Bad Gateway", "<html>Bad Gateway</html>"),
}
_BAD_GATEWAY: Final = _INSTEAD[Fault.REFUSE]
_TOO_LATE: Final = _page("504 Gateway Timeout", "<html>Gateway Timeout</html>")


class UnreliableProxy:
    """Usable with ``with``: afterwards its threads have ended and its connections are closed."""

    def __init__(
        self,
        server_port: int,
        *,
        random: Random | None = None,
        share: float = 0.0,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare.

        Args:
            server_port: of the server, on 127.0.0.1. It may be restarted at the same port.
            random: draws the faults and the lengths of delays and cuts; None: only faults that a test expects.
            share: of the requests that have a fault that is drawn, from 0 to 1.
            between: called between the two requests of REPEAT, for example to restart the server.
        """
        self._server_port = server_port
        self._random = random
        self.share = share  # a test may change it
        self._between = between
        self.counts: Counter[Fault | None] = Counter()  # under the lock: requests by their fault
        self._lock = threading.Lock()
        self._expected: defaultdict[str, deque[Fault]] = defaultdict(deque)  # under the lock, by call
        self._waiting: defaultdict[str, deque[bytes]] = defaultdict(deque)  # under the lock: requests, by call
        self._last = b""  # under the lock: the answer to the request before
        self._ends: set[socket.socket] = set()  # under the lock
        self._threads: list[threading.Thread] = []  # under the lock
        self._is_over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def expect(self, call: str, *faults: Fault) -> None:
        """Do this to the next requests of the call, one fault each. A call is the last part of a path."""
        with self._lock:
            self._expected[call].extend(faults)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._accepting = threading.Thread(target=self._accept, name="unreliable proxy")
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
                with self._lock:
                    self._ends.add(client)
                self._start(lambda client=client: self._serve(client))  # type: ignore[misc]  # mypy infers no default

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name="unreliable proxy")
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream, contextlib.suppress(OSError, ValueError):
            while not self._is_over.is_set() and (request := _read_message(stream)):
                answer, is_whole = self._answer(request)
                client.sendall(answer)
                if not is_whole or b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                    break
        with self._lock:
            self._ends.discard(client)

    def _answer(self, request: bytes) -> tuple[bytes, bool]:
        """Forward a request, or not. Return what the client gets, and whether it is a whole answer."""
        call = request.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2].decode()
        with self._lock:
            fault = self._choose(call)
            self.counts[fault] += 1
            late = self._waiting.pop(call, ())
            before = self._last
            pause_s = _PAUSE_S * (self._random.random() if self._random else 0.5)
            part = self._random.random() if self._random else 0.5
            if fault is Fault.DELIVER_WITH_NEXT:
                self._waiting[call].append(request)
        for other in late:
            self._forward(other)
        answer = self._deliver(request, fault, pause_s, part)
        match fault:
            case Fault.LOSE_ANSWER:
                return b"", False
            case Fault.CUT_ANSWER:
                return answer[: int(len(answer) * part)], False
            case Fault.SHORTEN_ANSWER:
                return _shorten(answer), bool(answer)
            case Fault.REFUSE_AFTERWARDS:
                return _BAD_GATEWAY, True
            case Fault.SWAP_ANSWER:
                return before, bool(before)
            case Fault.DELAY_ANSWER:
                self._is_over.wait(pause_s)
        return answer, bool(answer)

    def _choose(self, call: str) -> Fault | None:
        if self._expected[call]:
            return self._expected[call].popleft()
        if self._random is not None and self._random.random() < self.share:
            return self._random.choice(list(Fault))
        return None

    def _deliver(self, request: bytes, fault: Fault | None, pause_s: float, part: float) -> bytes:
        """Forward a request once, twice, late, in part or not at all; return the answer, empty if there is none."""
        if fault in _INSTEAD:
            return _INSTEAD[fault]
        match fault:
            case Fault.DELIVER_WITH_NEXT:
                return _TOO_LATE
            case Fault.CUT_REQUEST:
                return self._forward(request[: int(len(request) * part)], is_cut=True)
            case Fault.DELIVER_LATE:
                self._start(lambda: self._forward_later(request, pause_s))
                return b""
            case Fault.DELAY_REQUEST:
                self._is_over.wait(pause_s)
            case Fault.REPEAT:
                self._forward(request)
                self._between()
            case Fault.REPEAT_AT_ONCE:
                self._start(lambda: self._forward_later(request, 0))
        return self._forward(request)

    def _forward_later(self, request: bytes, pause_s: float) -> None:
        self._is_over.wait(pause_s)
        self._forward(request)

    def _forward(self, request: bytes, *, is_cut: bool = False) -> bytes:
        """Send a request to the server, and return its answer; empty if there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self._server_port), _SERVER_WITHIN_S) as server:
                server.sendall(request)
                if is_cut:
                    return b""
                with server.makefile("rb") as stream:
                    answer = _read_message(stream)
        except (OSError, ValueError):  # the server is down, or was killed while it answered
            return b""
        with self._lock:
            self._last = answer
        return answer


def _shorten(answer: bytes) -> bytes:
    """Return an answer with the first half of its body, which is not chunked any more."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if any(line.lower().startswith(b"transfer-encoding:") for line in lines):
        body = b"".join(_iter_bodies(body))
    body = body[: len(body) // 2]
    kept = [line for line in lines if not line.lower().startswith((b"transfer-encoding:", b"content-length:"))]
    return b"\r\n".join([*kept, b"Content-Length: %d" % len(body), b"", body])


def _iter_bodies(chunks: bytes) -> Iterator[bytes]:
    """Yield the bodies of the chunks of a message."""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        yield rest[:count]
        chunks = rest[count + 2 :]


def _read_message(stream: BinaryIO) -> bytes:
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
