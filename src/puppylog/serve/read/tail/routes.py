"""``/api/v1/records/tail``: new records as server-sent events, until the client goes away."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from puppylog.monitor.search import Search
from puppylog.serve.context import Context
from puppylog.serve.disconnect import wait_for_disconnect
from puppylog.serve.guard import guarded
from puppylog.serve.read.choice import find_group_id, read_condition, read_zone
from puppylog.serve.read.errors import render_error
from puppylog.serve.read.parameters import read_parameters
from puppylog.serve.read.resource import Asked, Choice, Parameters, Reader
from puppylog.serve.read.running import run_query
from puppylog.serve.read.tail.listener import Listener
from puppylog.serve.refusal import Refusal

_SIGN_OF_LIFE_S: Final = 10.0
_RETRY_MS: Final = 1000  # after this time a browser connects again
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would keep the events until it has 4 KiB of them
}


class TailParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/records/tail``."""

    q: Annotated[str, Meta(description="A query in the language of docs/search.md. Empty: every new record.")] = ""
    tz: Annotated[str, Meta(description="The zone of times without an offset: UTC, local, or Area/City.")] = "UTC"
    group: Annotated[str, Meta(description="A log group.")] | None = None
    from_: (
        Annotated[
            str,
            Meta(
                description="The id of the last event that the client has got: the tail goes on after it. The header "
                "Last-Event-ID, which browsers send, counts more."
            ),
        ]
        | None
    ) = msgspec.field(name="from", default=None)


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""

    async def tail(request: Request) -> Response:
        parameters = read_parameters(TailParameters, request.query_params.multi_items())
        since = request.headers.get("last-event-id") or parameters.from_
        read_zone(parameters.tz)  # it is refused if it is wrong, also if the query needs none
        choice = Choice(q=parameters.q, tz=parameters.tz, group=parameters.group)
        asked = Asked(choice, None, request.state.caller, context.settings, context.settings.clock())

        def read_search(reader: Reader) -> Search:
            return Search(read_condition(asked, reader), group_id=find_group_id(asked, reader))

        search = await run_query(context, request, read_search)
        listener = await context.tails.listen(search, since)
        request.scope.setdefault("puppylog.at_end", []).append(lambda: context.tails.leave(listener))

        async def is_allowed() -> bool:
            try:
                await context.access.check(request, "read")
            except Refusal as refusal:
                return refusal.status == 503  # nothing is known: the store is away
            return True

        return EventStream(request, listener, is_allowed)

    return [Route("/api/v1/records/tail", guarded(context, "read", tail, render=render_error), methods=["GET"])]


class EventStream(Response):
    """Sends what a listener gets. It ends when the client goes away, the listener ends, or the token is revoked."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, listener: Listener, is_allowed: Callable[[], Awaitable[bool]]) -> None:
        """Prepare.

        Args:
            request: of the client.
            listener: gives what is sent.
            is_allowed: returns whether the client may still read.
        """
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._request = request
        self._listener = listener
        self._is_allowed = is_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        del scope, receive  # the request has them
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if self._request.method != "HEAD":
            gone = asyncio.ensure_future(wait_for_disconnect(self._request.receive))
            try:
                await self._send_events(send, gone)
            finally:
                gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _send_events(self, send: Send, gone: "asyncio.Future[None]") -> None:
        part: bytes | None = f"retry: {_RETRY_MS}\n".encode() + self._listener.write_sign_of_life()
        checked_at = time.monotonic()
        while part is not None and not gone.done():
            await send({"type": "http.response.body", "body": part, "more_body": True})
            if time.monotonic() - checked_at > _SIGN_OF_LIFE_S:
                if not await self._is_allowed():
                    return
                checked_at = time.monotonic()
            taking = asyncio.ensure_future(self._listener.take(_SIGN_OF_LIFE_S))
            either: set[asyncio.Future[Any]] = {taking, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                taking.cancel()
                return
            part = taking.result()
