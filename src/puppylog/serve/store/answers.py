"""Answers of calls: frames that are sent as they are made. While nothing is ready, the client is told to wait.

The work runs in a thread. It may wait for a client that reads slowly, but not for ever: a client that takes nothing for
`STALL_S` is cut off. If the client leaves, the query is cancelled, and the work gets `ClientGone` with its next frame.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from puppylog.errors import PuppylogError, StoreError, StoreForbidden, StoreUnavailable
from puppylog.serve.disconnect import wait_for_disconnect
from puppylog.serve.refusal import Refusal
from puppylog.stores.messages import encode
from puppylog.stores.remote.frames import END, WAIT, Kind, pack_frame
from puppylog.stores.remote.protocol import CALL_HEADER, CONTENT_TYPE, WAIT_EVERY_S, pack_failure

STALL_S: Final = 30.0
"""How many seconds a client may take no frame before its connection is closed. A frame has a few MiB at most."""

_FIRST_WAIT_S: Final = 1.0
"""The seconds after which an answer begins at the latest. An earlier failure has its own status."""

_AHEAD: Final = 2  # frames that wait to be sent


class ClientGone(Exception):
    """The client takes no more of the answer."""


class Pipe:
    """Frames on their way from the thread that makes them to the loop that sends them."""

    def __init__(self, on_leave: Callable[[], None]) -> None:
        """Attach to the running loop.

        Args:
            on_leave: called when the client takes no more frames, or the answer has ended.
        """
        self._on_leave = on_leave
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(_AHEAD)
        self._is_left = False  # set in the loop; read in the thread, which may see it one frame late

    def put(self, frame: bytes) -> None:
        """Give a frame to the client; wait until the client has taken the frames before. Called in the thread.

        Raises:
            ClientGone: the client has gone, or takes nothing.
        """
        if self._is_left:
            raise ClientGone
        putting = asyncio.run_coroutine_threadsafe(self._frames.put(frame), self._loop)
        try:
            putting.result(STALL_S)
        except FutureTimeoutError:
            putting.cancel()
            raise ClientGone from None
        if self._is_left:
            raise ClientGone

    async def take(self) -> bytes:
        return await self._frames.get()

    def leave(self) -> None:
        """Let the thread end when it has the next frame."""
        self._is_left = True
        self._on_leave()
        while not self._frames.empty():
            self._frames.get_nowait()


async def answer(request: Request, running: "asyncio.Future[bytes]", pipe: Pipe | None = None) -> Response:
    """Return the answer of a call as soon as it begins.

    Args:
        request: the call.
        running: the work. Its result is the last frame of the answer; empty if all went through the pipe.
        pipe: through which the work gives frames.

    Raises:
        Refusal: the work has failed before the answer began.
    """
    taking = None if pipe is None else asyncio.ensure_future(pipe.take())
    waiting: set[asyncio.Future[Any]] = {running} if taking is None else {running, taking}
    await asyncio.wait(waiting, timeout=_FIRST_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
    if running.done() and (taking is None or not taking.done()):
        if taking is not None:
            taking.cancel()
        return Response(running.result() + END, headers=headers_of(request), media_type=CONTENT_TYPE)
    return _FramesResponse(headers_of(request), running, pipe, taking)


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers of an answer to this call."""
    return {CALL_HEADER: request.headers.get(CALL_HEADER, ""), "Cache-Control": "no-store, no-transform"}


def render_failure(request: Request, refusal: Refusal) -> Response:
    """Return the answer to a call that is refused."""
    body = _failure_frame(refusal) + END
    return Response(body, refusal.status, {**headers_of(request), **refusal.headers}, CONTENT_TYPE)


def json_frame(value: object) -> bytes:
    """Return the frame of a JSON value."""
    return pack_frame(Kind.JSON, encode(value))


def _failure_frame(refusal: Refusal) -> bytes:
    return pack_frame(Kind.ERROR, pack_failure(refusal.error or _error_of(refusal)))


def _error_of(refusal: Refusal) -> PuppylogError:
    if refusal.status in {401, 403}:
        return StoreForbidden("use", "the remote store", refusal.message)
    if refusal.status == 503:
        return StoreUnavailable("use", "the remote store", refusal.message)
    return StoreError("use", "the remote store", refusal.message)


class _FramesResponse(Response):
    """Sends frames as they come, and waits between them, until the work has ended or the client has gone."""

    def __init__(
        self,
        headers: dict[str, str],
        running: "asyncio.Future[bytes]",
        pipe: Pipe | None,
        taking: "asyncio.Future[bytes] | None",
    ) -> None:
        super().__init__(headers=headers, media_type=CONTENT_TYPE)
        del self.headers["content-length"]
        self._running = running
        self._pipe = pipe
        self._taking = taking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        gone = asyncio.ensure_future(wait_for_disconnect(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while not gone.done():
                frame = await self._next_frame(gone)
                is_last = frame is None
                body = self._end() if frame is None else frame
                await send({"type": "http.response.body", "body": body, "more_body": not is_last})
                if is_last:
                    return
        finally:
            gone.cancel()
            if self._taking is not None:
                self._taking.cancel()
            if self._pipe is not None:
                self._pipe.leave()

    async def _next_frame(self, gone: "asyncio.Future[None]") -> bytes | None:
        """Return the next frame, which may only ask to wait; None if the work has ended and given all of its frames."""
        waiting: set[asyncio.Future[Any]] = {self._running, gone}
        if self._pipe is not None:
            self._taking = self._taking or asyncio.ensure_future(self._pipe.take())
            waiting.add(self._taking)
        await asyncio.wait(waiting, timeout=WAIT_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
        if self._taking is not None and self._taking.done():
            taken, self._taking = self._taking, None
            return taken.result()
        return None if self._running.done() else WAIT

    def _end(self) -> bytes:
        try:
            return self._running.result() + END
        except Refusal as refusal:
            return _failure_frame(refusal) + END
