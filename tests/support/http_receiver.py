"""An HTTP server on loopback that records what it gets, and answers as a test tells it."""

import json
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. With ``status`` 0 the connection is closed without one."""

    status: int = 200
    body: str = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0  # before the answer; waits are shorter if the test ends
    between_bytes_s: float = 0.0  # between two bytes of the status line


@dataclass(frozen=True, slots=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class HttpReceiver:
    """Usable with ``with``. Without a script, every request is answered with 200."""

    def __init__(self, *replies: Reply, certificate: Path | None = None) -> None:
        self.received: list[Received] = []
        self.replies = list(replies)
        self.is_over = threading.Event()
        self._server = _Server(self)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "http" if certificate is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, received: Received) -> Reply:
        self.received.append(received)
        return self.replies.pop(0) if self.replies else Reply()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a test may leave a request without an answer

    def __init__(self, receiver: HttpReceiver) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receiver = receiver

    def handle_error(self, *_: Any) -> None:
        """Print nothing: a client that goes away is part of a test."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.receiver.answer(Received(self.command, self.path, headers, body))
        self.server.receiver.is_over.wait(reply.delay_s)
        self.close_connection = True
        if reply.between_bytes_s:
            with suppress(OSError):
                for byte in b"HTTP/1.1 200 OK and some more words":
                    self.wfile.write(bytes([byte]))
                    if self.server.receiver.is_over.wait(reply.between_bytes_s):
                        break
            return
        if not reply.status:
            return
        self.send_response(reply.status)
        data = reply.body.encode()
        for name, value in {"Content-Length": str(len(data)), "Content-Type": "text/plain", **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Print nothing: the test has `HttpReceiver.received`."""
