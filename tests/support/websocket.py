"""A client of a websocket."""

import json
import socket
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

_MAX_S: Final = 30.0


class WebSocketClient:
    """Connects at once. Usable with ``with``.

    Attributes:
        status: 101 if the server accepted, else that of its answer.
        body: of a refusal.
        closed_with: the code and the reason with which the server closed; None before.
    """

    def __init__(self, port: int, target: str, headers: Mapping[str, str] | None = None, *, host: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_MAX_S)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._events: deque[Event] = deque()
        self._text = ""
        self.status = 0
        self.body = b""
        self.closed_with: tuple[int, str | None] | None = None
        extra = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        try:
            self._send(Request(host=host or f"127.0.0.1:{port}", target=target, extra_headers=extra))
            self._begin()
        except BaseException:
            self._socket.close()
            raise

    def _send(self, event: Event) -> None:
        self._socket.sendall(self._connection.send(event))

    def _begin(self) -> None:
        while True:
            match self._next():
                case AcceptConnection():
                    self.status = 101
                    return
                case RejectConnection(status_code, _, has_body):
                    self.status = status_code
                    if not has_body:
                        return
                case RejectData(data, is_last):
                    self.body += data
                    if is_last:
                        return

    def _next(self) -> Event:
        while not self._events:
            received = self._socket.recv(65536)
            self._connection.receive_data(received or None)
            self._events.extend(self._connection.events())
        return self._events.popleft()

    def receive(self) -> Any:
        """Return the next message, decoded from JSON; None if the server closes. Pings are no message."""
        deadline = time.monotonic() + _MAX_S
        while time.monotonic() < deadline:
            match self._next():
                case TextMessage() as message:
                    self._text += message.data
                    if message.message_finished:
                        text, self._text = self._text, ""
                        return json.loads(text)
                case Ping() as ping:
                    self._send(ping.response())
                case CloseConnection(code, reason):
                    self.closed_with = int(code), reason
                    return None
        raise TimeoutError("the server sent no message")

    def say(self, text: str) -> None:
        """Send a message."""
        self._send(TextMessage(data=text))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()
