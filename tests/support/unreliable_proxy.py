"""A proxy between a client and a server that loses, cuts, repeats, delays and exchanges requests and answers.

It understands HTTP. `Fault` lists what it can do to a request. `expect` tells it what to do to the next request of a
call, such as ``append``; a request for which nothing is expected is passed on, unless ``chance`` draws a fault for it:

    with UnreliableProxy(server.port) as proxy:
        proxy.expect("append", Fault.LOSE_ANSWER)
        store = connect(proxy.url)

For a long run, give it a random number generator, the share of requests that have a fault, and which faults they have:

    UnreliableProxy(server.port, random=Random(seed), share=0.2, faults=list(Fault))
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import NamedTuple, Self

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Fault(Enum):
    """What the proxy does to a request, and to its answer."""

    LOSE_REQUEST = auto()  # the server gets nothing, and the client gets a closed connection
    LOSE_ANSWER = auto()  # the server gets the request; the client gets a closed connection
    CUT_ANSWER = auto()  # the client gets half of the answer, then a closed connection
    SHORTEN_ANSWER = auto()  # the client gets half of the answer, with the length of the half
    REPEAT = auto()  # the server gets the request twice, one after the other; the client gets the second answer
    DELAY = auto()  # the client gets 504; the server gets the request when the next one of the same call has come
    SWAP_ANSWER = auto()  # the client gets the answer to the request before
    HTML = auto()  # the client gets a page with status 200; the server gets nothing
    UNAVAILABLE = auto()  # the client gets 503 with Retry-After; the server gets nothing


class _Request(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes


_PAGE = _Answer(200, [("Content-Type", "text/html")], b"<html><body>Welcome</body></html>")
_UNAVAILABLE = _Answer(503, [("Content-Type", "text/html"), ("Retry-After", "1")], b"<html>busy</html>")
_TOO_LATE = _Answer(504, [("Content-Type", "text/html")], b"<html>gateway timeout</html>")

# What the client gets if the server gets nothing.
_INSTEAD: dict[Fault | None, _Answer | None] = {
    Fault.LOSE_REQUEST: None,
    Fault.HTML: _PAGE,
    Fault.UNAVAILABLE: _UNAVAILABLE,
}


class UnreliableProxy:
    """Usable with ``with``. It listens on a port of 127.0.0.1."""

    def __init__(
        self,
        port: int,
        *,
        random: Random | None = None,
        share: float = 0.0,
        faults: Sequence[Fault] = tuple(Fault),
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Set the server.

        Args:
            port: of the server, on 127.0.0.1. It may be restarted at the same port.
            random: draws the faults; None: there are only those that a test expects.
            share: of the requests that have a fault, from 0 to 1.
            faults: those that are drawn, each as often as the others.
            between: called between the two requests of REPEAT, for example to restart the server.
        """
        self._port = port
        self._random = random
        self._share = share
        self._drawn = faults
        self._between = between
        self._lock = threading.Lock()
        self._expected: defaultdict[str, deque[Fault]] = defaultdict(deque)  # under the lock, by call
        self._delayed: defaultdict[str, deque[_Request]] = defaultdict(deque)  # under the lock, by call
        self._last: _Answer | None = None  # under the lock
        self.counts: defaultdict[Fault | None, int] = defaultdict(int)  # under the lock: requests by their fault
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def expect(self, call: str, *faults: Fault) -> None:
        """Do this to the next requests of the call, one fault each."""
        with self._lock:
            self._expected[call].extend(faults)

    def answer(self, request: _Request) -> tuple[_Answer | None, bool]:
        """Return what the client gets, and whether it is cut. None: nothing."""
        call = request.path.rpartition("/")[2]
        with self._lock:
            fault = self._choose(call)
            self.counts[fault] += 1
            delayed = list(self._delayed.pop(call, ()))
        if fault is Fault.DELAY:
            with self._lock:
                self._delayed[call].append(request)
            return _TOO_LATE, False
        for late in delayed:
            self._pass_on(late)
        if fault in _INSTEAD:
            return _INSTEAD[fault], False
        if fault is Fault.REPEAT:
            self._pass_on(request)
            self._between()
        with self._lock:
            before = self._last
        answer = self._pass_on(request)
        if answer is not None and fault is Fault.SHORTEN_ANSWER:
            answer = answer._replace(body=answer.body[: len(answer.body) // 2])
        instead = {Fault.SWAP_ANSWER: before, Fault.LOSE_ANSWER: None}
        return instead.get(fault, answer) if fault else answer, fault is Fault.CUT_ANSWER

    def _choose(self, call: str) -> Fault | None:
        if self._expected[call]:
            return self._expected[call].popleft()
        if self._random is not None and self._random.random() < self._share:
            return self._random.choice(self._drawn)
        return None

    def _pass_on(self, request: _Request) -> _Answer | None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", request.path, request.body, request.headers)
            got = connection.getresponse()
            kept = [(name, value) for name, value in got.getheaders() if name.lower() not in _HOP_BY_HOP]
            answer = _Answer(got.status, kept, got.read())
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
        with self._lock:
            self._last = answer
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: UnreliableProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client has left."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        answer, is_cut = self.server.proxy.answer(_Request(self.path, headers, body))
        self.close_connection = True
        if answer is None:
            return
        with suppress(OSError):
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if is_cut else answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the overridden method
        """Say nothing."""
