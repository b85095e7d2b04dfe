"""The token that a request carries, in the ways in which programs send one."""

import base64
import binascii

from starlette.requests import Request

from puppylog.model.token import is_token

COOKIE = "puppylog_session"
"""The name of the cookie of a session."""


class Unreadable(Exception):
    """A request has credentials that carry no token. ``str`` says why, and repeats nothing of them."""


def read_token(request: Request) -> str | None:
    """Return the token in the header Authorization; None if there is no such header.

    ``Bearer <token>``, ``Basic`` with the token as the password of any user, and ``ApiKey`` as Elasticsearch's clients
    send it, which is base64 of ``<id>:<token>``, or the token itself.

    Raises:
        Unreadable: the header carries no token.
    """
    given = request.headers.getlist("authorization")
    if not given:
        return None
    if len(given) > 1:
        raise Unreadable("the request has several Authorization headers")
    scheme, _, value = given[0].strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            token = value
        case "basic":
            token = _read_pair(value)
        case "apikey":
            token = value if is_token(value) else _read_pair(value)
        case _:
            raise Unreadable("the Authorization header must be of the scheme Bearer, Basic or ApiKey")
    if not is_token(token):
        raise Unreadable("the Authorization header has no token; a token is ppl_ and 43 characters")
    return token


def _read_pair(value: str) -> str:
    """Return what follows the first colon in text that is in base64."""
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        raise Unreadable("the Authorization header is not base64 of a name, a colon and a token") from None
    return pair.partition(":")[2]
