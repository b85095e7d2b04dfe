"""Passes a request to its handler if its sender may send it, and turns refusals into answers."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from puppylog.errors import PuppylogError
from puppylog.serve.context import Context, Scope
from puppylog.serve.refusal import Refusal, refuse, render_text

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Render: TypeAlias = Callable[[Request, Refusal], Response]

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def guarded(context: Context, scope: Scope, handler: Handler, *, render: Render = render_text) -> Handler:
    """Return a handler that does the same for requests with a token of the scope, and refuses others.

    ``request.state.caller`` is then who sends the request. A `Refusal` and an error of `puppylog.errors` that the
    handler raises become answers.

    Args:
        context: of the server.
        scope: what the token must allow.
        handler: what is done.
        render: makes the answer of a refusal in the protocol of the receiver.
    """

    async def handle(request: Request) -> Response:
        try:
            check_origin(request)
            request.state.caller = await context.access.check(request, scope)
            return await handler(request)
        except Refusal as refusal:
            return render(request, refusal)
        except PuppylogError as error:
            return render(request, refuse(error))

    return handle


def answering(handler: Handler, *, render: Render = render_text) -> Handler:
    """Return a handler that needs no token, and whose refusals become answers."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except Refusal as refusal:
            return render(request, refusal)
        except PuppylogError as error:
            return render(request, refuse(error))

    return handle


def check_origin(request: Request) -> None:
    """Check that a page of another site does not make a browser send a request.

    Such a request could change something, or keep the store busy with an expensive query. A link on another site may be
    followed. Programs send neither ``Origin`` nor ``Sec-Fetch-Site``; browsers send one of them with such a request.

    Raises:
        Refusal: 403.
    """
    site = request.headers.get("sec-fetch-site")
    if request.method in _SAFE_METHODS:
        if site == "cross-site" and request.headers.get("sec-fetch-mode") != "navigate":
            raise Refusal(403, "a page of another site may not send this request")
        return
    origin = request.headers.get("origin")
    if site is not None:
        is_own = site in {"same-origin", "none"}
    else:
        is_own = origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if not is_own:
        raise Refusal(403, "a page of another site may not send this request")


def check_websocket_origin(request: Request) -> None:
    """Check that no page of another site makes a browser open a websocket.

    A browser sends ``Origin`` with it, and no page can add ``Authorization``. Grafana's server removes ``Origin``.

    Raises:
        Refusal: 403.
    """
    origin = request.headers.get("origin")
    if origin is None or "authorization" in request.headers:
        return
    if urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise Refusal(403, "a page of another site may not open this websocket")
