"""One connection of a client: uvicorn's HTTP/1.1, and how long the server waits for the client."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from puppylog.serve.limits import Limits
from puppylog.serve.websocket import WebSocketConnection

SENT: Final = "puppylog.sent"
"""The key under which the application counts the bytes of an answer, in the scope of the request."""


class Connection(H11Protocol):
    """A connection that is closed when its client is too slow: to send a request, or to read an answer.

    The time limits of a body are those of `puppylog.serve.body.read_body`.
    """

    def __init__(self, config: Config, state: ServerState, limits: Limits, opened: "set[Connection]") -> None:
        """Prepare.

        Args:
            config: of uvicorn.
            state: of uvicorn; all connections share it.
            limits: how long the server waits.
            opened: the connections that exist; this one is in it from the end of its handshake to its own end.
        """
        super().__init__(config=config, server_state=state, app_state={}, _loop=asyncio.get_running_loop())
        self._limits = limits
        self._opened = opened
        self._is_reading_head = True
        self._is_lingering = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._paused_at = 0.0  # when writing was paused for the last time
        self._paused_s = 0.0  # for how long writing was paused, in this answer
        self._websocket: WebSocketConnection | None = None
        self.ws_protocol_class = self._open_websocket  # type: ignore[assignment]  # uvicorn calls a class here
        self.requests = 0
        self.waiting_since = time.monotonic()
        """Since when the server waits for the client: the end of its last request, or its connection."""

    @property
    def is_waiting(self) -> bool:
        """Whether the server waits for the client: for a request, for the rest of one, or to read an answer."""
        if self._websocket is not None:
            return False
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    # --- called by asyncio

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self._opened.add(self)
        self._head_timer = self.loop.call_later(self._limits.head_s, self.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop(self._head_timer)
        self._stop(self._read_timer)
        self._unset_keepalive_if_required()
        self._opened.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._is_lingering:
            return
        if not self._is_reading_head and self._is_idle:
            self._expect_head(self._limits.head_s)
            self._is_reading_head = True
        super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._paused_at = time.monotonic()
        scope: Mapping[str, Any] = self.scope or {}  # without a request, the answer says that there is none
        allowed_s = self._limits.read_s + scope.get(SENT, 0) / self._limits.read_rate
        self._read_timer = self.loop.call_later(max(0.0, allowed_s - self._paused_s), self.abort)

    def resume_writing(self) -> None:
        if self.flow.write_paused:
            self._paused_s += time.monotonic() - self._paused_at
        super().resume_writing()
        self._stop(self._read_timer)

    def shutdown(self) -> None:
        """End after the request that runs; a websocket ends now."""
        if self._websocket is None:
            super().shutdown()
        else:
            self._websocket.shutdown()

    # --- called by uvicorn's protocol

    def handle_websocket_upgrade(self, event: Any) -> None:  # noqa: ANN401 - of h11, which only uvicorn imports
        """Hand the connection over to a websocket. It counts as this connection until it ends."""
        self.requests += 1
        self._stop(self._head_timer)
        super().handle_websocket_upgrade(event)

    def _open_websocket(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> asyncio.Protocol:
        def end() -> None:
            self._opened.discard(self)

        self._websocket = WebSocketConnection(config, server_state, app_state, read_s=self._limits.read_s, on_lost=end)
        return self._websocket

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:  # the head of a request is complete
            self.requests += 1
            self._paused_s = 0.0
            self._is_reading_head = False
            self._stop(self._head_timer)

    def on_response_complete(self) -> None:
        if self.cycle.more_body and not self.transport.is_closing():
            self._linger()
            return
        self.waiting_since = time.monotonic()
        self._is_reading_head = False
        self._expect_head(self._limits.idle_s)
        super().on_response_complete()

    # ---

    @property
    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _linger(self) -> None:
        """Discard the rest of a body for a moment, and close.

        The client is still sending. If the connection were closed now, the client's system would discard the answer,
        and the client would see a broken connection instead.
        """
        self._is_lingering = True
        self.flow.resume_reading()
        self._stop(self._head_timer)
        self._head_timer = self.loop.call_later(self._limits.linger_s, self.abort)

    def _expect_head(self, within_s: float) -> None:
        self._stop(self._head_timer)
        self._head_timer = self.loop.call_later(within_s, self.abort)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
