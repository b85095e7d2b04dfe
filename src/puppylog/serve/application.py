"""The application: the routes of all receivers, behind checks that every request passes."""

from collections.abc import Iterable, Iterator, Mapping
from email.utils import formatdate
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from puppylog.serve import endpoints
from puppylog.serve.connection import SENT
from puppylog.serve.context import Context
from puppylog.serve.hosts import HostNames
from puppylog.serve.proxies import find_client
from puppylog.serve.refusal import Refusal, render_text

_NO_RECEIVER: Final = "none"  # of a request that no route answers
_HEADERS: Final = ((b"x-content-type-options", b"nosniff"),)
_STARTS: Final = {
    "http.response.start": 200,
    "websocket.http.response.start": 403,  # a websocket that is refused
    "websocket.close": 403,  # the same, without a cause; it may also end an accepted one
    "websocket.accept": 101,
}
"""The messages that begin an answer, and their status if they have none."""


def make_application(context: Context, hosts: HostNames) -> ASGIApp:
    """Return the application.

    Args:
        context: what the receivers use.
        hosts: the names that requests may have as their host.
    """
    routes: list[BaseRoute] = []
    receivers: dict[int, str] = {}
    for make_routes in endpoints.ALL:
        made = make_routes(context)
        routes += made
        receivers.update(dict.fromkeys(_iter_endpoints(made), _name_receiver(make_routes.__module__)))
    return Entry(Starlette(routes=routes), context, hosts, receivers)


def _iter_endpoints(routes: Iterable[BaseRoute]) -> Iterator[int]:
    """Yield the ids of all functions that answer a request."""
    for route in routes:
        if isinstance(route, Route | WebSocketRoute):
            yield id(route.endpoint)
        elif isinstance(route, Mount):
            yield from _iter_endpoints(route.routes)


def _name_receiver(module: str) -> str:
    """Return the name of a receiver in numbers: that of its module in ``endpoints``, or of its folder in ``serve``."""
    return module.removeprefix("puppylog.serve.").removeprefix("endpoints.").partition(".")[0]


class Entry:
    """Checks every request, completes every answer, and reports what raises an exception that is a defect."""

    def __init__(self, app: ASGIApp, context: Context, hosts: HostNames, receivers: Mapping[int, str]) -> None:
        self._app = app
        self._context = context
        self._hosts = hosts
        self._receivers = receivers  # by the id of the function that answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_completed(message: Message) -> None:
            nonlocal has_begun
            if not has_begun and message["type"] in _STARTS:
                has_begun = True
                receiver = self._receivers.get(id(scope.get("endpoint")), _NO_RECEIVER)
                self._context.counters.add_response(receiver, message.get("status", _STARTS[message["type"]]))
                now = (b"date", formatdate(usegmt=True).encode())
                message["headers"] = [*message.get("headers", ()), now, *_HEADERS]
            else:
                scope[SENT] = scope.get(SENT, 0) + len(message.get("body", b""))
            await send(message)

        find_client(scope, self._context.listen.trusted_proxies)
        try:
            refusal = self._find_fault(scope)
            if refusal is not None:
                await _answer(refusal, scope, receive, send_completed)
                return
            await self._app(scope, receive, send_completed)
        except Exception as error:  # noqa: BLE001 - the last resort: a defect is reported as one line
            self._context.counters.add("defects")
            self._context.report(f"internal error in the server: {type(error).__name__}: {error}; please report it")
            if not has_begun:
                await _answer(Refusal(500, "internal error"), scope, receive, send_completed)
        finally:
            for call in scope.get("puppylog.at_end", ()):
                call()

    def _find_fault(self, scope: Scope) -> Refusal | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        names = [name for name, _ in headers]
        if b"transfer-encoding" in names and b"content-length" in names:
            # A proxy in front of the server may disagree with the server about the end of the body.
            return Refusal(400, "a request cannot have both Content-Length and Transfer-Encoding")
        return self._hosts.find_fault([value for name, value in headers if name == b"host"])


async def _answer(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    response = render_text(Request({**scope, "type": "http"}, receive), refusal)  # it may be a websocket
    response.headers["connection"] = "close"
    await response(scope, receive, send)
