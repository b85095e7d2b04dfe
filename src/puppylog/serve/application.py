"""The application: the routes of all receivers, behind checks that every request passes."""

from email.utils import formatdate
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from puppylog.serve import doors
from puppylog.serve.context import Context
from puppylog.serve.hosts import HostNames
from puppylog.serve.proxies import find_client
from puppylog.serve.refusal import Refusal, render_text

_HEADERS: Final = ((b"x-content-type-options", b"nosniff"),)


def make_application(context: Context, hosts: HostNames) -> ASGIApp:
    """Return the application.

    Args:
        context: what the receivers use.
        hosts: the names that requests may have as their host.
    """
    routes = [route for make_routes in doors.ALL for route in make_routes(context)]
    return Entry(Starlette(routes=routes), context, hosts)


class Entry:
    """Checks every request, completes every answer, and reports what raises an exception that is a defect."""

    def __init__(self, app: ASGIApp, context: Context, hosts: HostNames) -> None:
        self._app = app
        self._context = context
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_completed(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                now = (b"date", formatdate(usegmt=True).encode())
                message["headers"] = [*message.get("headers", ()), now, *_HEADERS]
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
            # A proxy in front of the server may see another end of the body than the server.
            return Refusal(400, "a request has either Content-Length or Transfer-Encoding")
        return self._hosts.find_fault([value for name, value in headers if name == b"host"])


async def _answer(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    response = render_text(Request(scope, receive), refusal)
    response.headers["connection"] = "close"
    await response(scope, receive, send)
