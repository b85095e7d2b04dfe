"""A websocket: uvicorn's, with a limit on how long the server waits for a client that does not read."""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState
from wsproto.events import BytesMessage, TextMessage


class WebSocketConnection(WSProtocol):
    """The protocol of a connection from the upgrade on. Pings find clients that have gone without a word."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        *,
        read_s: float,
        on_lost: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            config: of uvicorn.
            server_state: of uvicorn.
            app_state: of uvicorn.
            read_s: for how many seconds the client may read nothing while something waits to be sent.
            on_lost: called when the connection has ended.
        """
        super().__init__(config=config, server_state=server_state, app_state=app_state)
        self._read_s = read_s
        self._on_lost = on_lost
        self._read_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)
        self._on_lost()

    def handle_message(self, event: TextMessage | BytesMessage) -> None:
        """Discard what the client says: a message comes in parts, and none is kept."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_timer()
        self._read_timer = self.loop.call_later(self._read_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer()

    def _stop_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
