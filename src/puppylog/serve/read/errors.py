"""The answer to a request that is refused."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from puppylog.errors import ExpressionError, FormatError, PuppylogError, SearchError
from puppylog.serve.read.units import count_units
from puppylog.serve.refusal import Refusal


class Fault(Struct, kw_only=True):
    """Why a request was refused."""

    message: Annotated[str, Meta(description="What cannot be done and why, in a sentence for people.")]
    column: Annotated[
        int | None,
        Meta(
            description="Where in the value of the parameter the fault is, counted from 0 in units of UTF-16, as "
            "JavaScript counts."
        ),
    ]
    advice: Annotated[str | None, Meta(description="What the user can do about it.")]
    place: Annotated[str | None, Meta(description="The parameter that is wrong, or `body`.")]
    is_transient: Annotated[bool, Meta(description="Whether the same request may succeed later.")]
    retry_after_s: Annotated[float | None, Meta(description="After how many seconds to send the request again.")]


class Error(Struct, kw_only=True):
    """The answer to a request that was refused."""

    error: Fault


def describe_refusal(refusal: Refusal) -> Error:
    """Return the body of the answer to a request that is refused."""
    error = refusal.error
    message, advice = refusal.cause, None
    if error is not None:
        message = PuppylogError(error.verb, error.thing, error.cause).message
        advice = error.advice or None
    return Error(
        error=Fault(
            message=message,
            column=_find_column(refusal),
            advice=advice,
            place=refusal.place or None,
            is_transient=refusal.status == 503,
            retry_after_s=refusal.retry_after_s,
        )
    )


def _find_column(refusal: Refusal) -> int | None:
    error = refusal.error
    if not isinstance(error, SearchError | ExpressionError | FormatError) or not error.written:
        return None
    return count_units(error.written[: error.at])


def render_error(_request: Request, refusal: Refusal) -> Response:
    """Return the answer to a request that is refused."""
    body = msgspec.json.encode(describe_refusal(refusal))
    return Response(body, refusal.status, refusal.headers, "application/json")
