"""A request that the server does not do, and the answer to it."""

import math
from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from puppylog.errors import (
    AlreadyExists,
    ConfigurationError,
    NotFound,
    PuppylogError,
    StoreError,
    StoreForbidden,
    StreamBusy,
    UsageError,
)

RETRY_AFTER_S = 5


class Refusal(Exception):
    """A request that the server does not do. Each protocol renders it in its own way.

    Attributes:
        status: of HTTP: 503 if the same request may succeed later.
        cause: why, in a sentence for people.
        retry_after_s: after how many seconds the client is to send the request again; None: the answer does not say.
        place: where in the request the fault is; empty if it concerns the whole request.
        error: the error of the store or of a value that is the cause, if there is one.
        challenge: the value of the header WWW-Authenticate; empty for none.
        allowed: the methods that the path takes, of a request with another method.
    """

    def __init__(
        self,
        status: int,
        cause: str,
        *,
        retry_after_s: float | None = None,
        place: str = "",
        error: PuppylogError | None = None,
        challenge: str = "",
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(status, cause)
        self.status = status
        self.cause = cause
        self.retry_after_s = RETRY_AFTER_S if retry_after_s is None and status == 503 else retry_after_s
        self.place = place
        self.error = error
        self.challenge = challenge
        self.allowed = allowed

    @property
    def message(self) -> str:
        """The place in the request, and the cause, in one line."""
        return f"{self.place}: {self.cause}" if self.place else self.cause

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the answer has in every protocol."""
        headers = {}
        if self.retry_after_s is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after_s)))
        if self.challenge:
            headers["www-authenticate"] = self.challenge
        if self.allowed:
            headers["allow"] = ", ".join(self.allowed)
        return headers

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


def refuse(error: PuppylogError) -> Refusal:
    """Return how a request is refused because of an error: 503 if it may succeed later."""
    if isinstance(error, NotFound):
        status = HTTPStatus.NOT_FOUND
    elif isinstance(error, AlreadyExists | StreamBusy):
        status = HTTPStatus.CONFLICT
    elif isinstance(error, UsageError):
        status = HTTPStatus.BAD_REQUEST
    elif isinstance(error, StoreForbidden):
        status = HTTPStatus.FORBIDDEN
    elif error.transient:
        status = HTTPStatus.SERVICE_UNAVAILABLE
    elif isinstance(error, StoreError | ConfigurationError):
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    else:
        status = HTTPStatus.BAD_REQUEST
    return Refusal(status, error.message, error=error)


def refuse_many_lines(body: bytes, most: int) -> None:
    """Check that a body does not have too many lines.

    Raises:
        Refusal: 413.
    """
    count = body.count(b"\n")
    if count > most:
        raise Refusal(413, f"the request has {count:,} lines, more than {most:,}; divide it")


def render_text(_request: Request, refusal: Refusal) -> Response:
    """Return the answer as a line of text."""
    return PlainTextResponse(refusal.message + "\n", refusal.status, refusal.headers)
