"""``POST /login`` and ``POST /logout``: a token becomes the cookie of a session, for a page in a browser."""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog.model.token import is_token
from puppylog.serve.context import Context
from puppylog.serve.credentials import COOKIE
from puppylog.serve.guard import answering, check_origin
from puppylog.serve.refusal import Refusal
from puppylog.serve.sessions import KEPT_S

_JSON: Final = "application/json"
_MAX_BYTES: Final = 10_000


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes. A log-in needs a token in its body, a form's field or JSON: ``token``."""

    async def log_in(request: Request) -> Response:
        check_origin(request)
        token = _read_token(request, await context.read_body(request))
        cookie = await context.access.log_in(request, token)
        response = Response(status_code=204, headers={"cache-control": "no-store"})
        response.set_cookie(
            COOKIE, cookie, max_age=KEPT_S, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return response

    async def log_out(request: Request) -> Response:
        check_origin(request)
        context.access.log_out(request)
        response = Response(status_code=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return response

    return [
        Route("/login", answering(log_in), methods=["POST"]),
        Route("/logout", answering(log_out), methods=["POST"]),
    ]


def _read_token(request: Request, body: bytes) -> str:
    """Return the token in the body of a log-in.

    Raises:
        Refusal: 400: there is none. The cause repeats nothing of the body.
    """
    token: object = None
    try:
        text = body[:_MAX_BYTES].decode()
        if request.headers.get("content-type", "").startswith(_JSON):
            fields = json.loads(text)
            token = fields.get("token") if isinstance(fields, dict) else None
        else:
            token = parse_qs(text, max_num_fields=10).get("token", [None])[0]
    except (ValueError, RecursionError):  # not UTF-8, not JSON, too many fields
        token = None
    if not isinstance(token, str) or not is_token(token.strip()):
        raise Refusal(400, "the field token has no token; a token is ppl_ and 43 characters", place="body")
    return token.strip()
