"""A stand-in for the API of Kubernetes, which tells the pods of a node and their changes over TLS."""

import json
import queue
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from puppylog.collect.pods.access import Access
from support.certificate import write_certificate


class PodServer:
    """Usable with ``with``. Attributes may be changed while it runs; ``change`` ends up in every open watch."""

    def __init__(self, folder: Path) -> None:
        certificate = write_certificate(folder)
        self.authority = "Bearer first"
        self.status = 200
        self.pods: dict[str, dict[str, Any]] = {}  # metadata, by uid
        self.page = 500
        self.asked: list[dict[str, str]] = []
        self.accepted: list[str] = []
        self._watches: list[queue.SimpleQueue[bytes | None]] = []
        self._server = _Server(self)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.token_file = folder / "token"
        self.token_file.write_text("first")
        self.access = Access(f"https://127.0.0.1:{self._server.server_address[1]}", self.token_file, certificate)

    def put(self, uid: str, labels: dict[str, str] | None, **annotations: str) -> None:
        """Create or change a pod, and tell it to every watch."""
        self.pods[uid] = {"uid": uid, "name": uid, "labels": labels, "annotations": annotations}
        self.send({"type": "MODIFIED", "object": {"metadata": self.pods[uid]}})

    def send(self, change: object) -> None:
        """Tell something to every watch."""
        for watch in list(self._watches):
            watch.put(json.dumps(change).encode() + b"\n")

    def end_watches(self) -> None:
        for watch in list(self._watches):
            watch.put(None)

    @property
    def watches(self) -> int:
        return len(self._watches)

    def answer(self, handler: "_Handler") -> None:
        fields = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        self.asked.append(fields)
        self.accepted.append(handler.headers["accept"])
        if handler.headers["authorization"] != self.authority or self.status != 200:
            status = self.status if self.status != 200 else 401
            handler.reply(status, {"kind": "Status", "message": "pods is forbidden:\nno right"})
        elif "watch" in fields:
            self._stream(handler)
        else:
            names = sorted(self.pods)
            start = int(fields.get("continue", "0"))
            end = start + self.page
            metadata = {"resourceVersion": "17", **({"continue": str(end)} if end < len(names) else {})}
            items = [{"metadata": self.pods[name]} for name in names[start:end]]
            handler.reply(200, {"metadata": metadata, "items": items})

    def _stream(self, handler: "_Handler") -> None:
        changes: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        self._watches.append(changes)
        try:
            while (data := changes.get()) is not None:
                half = len(data) // 2  # a change may come in pieces
                for piece in (data[:half], data[half:]):
                    handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass  # the client has ended the watch
        finally:
            self._watches.remove(changes)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end_watches()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: PodServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api

    def handle_error(self, *_: Any) -> None:
        """Print nothing: a client that goes away is part of a test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.api.answer(self)

    def reply(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
