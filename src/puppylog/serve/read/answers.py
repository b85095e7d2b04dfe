"""Renders answers: as JSON, and a list of rows as JSON lines, CSV or Arrow."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pyarrow as pa
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from puppylog.serve.refusal import Refusal

FORMATS: Final = ("json", "jsonl")
"""The values of the parameter ``format``."""

_MEDIA_TYPES: Final = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
}


def format_instant(instant: datetime) -> str:
    """Return an instant as answers have it.

    >>> format_instant(datetime(2026, 11, 27, 10, tzinfo=UTC))
    '2026-11-27T10:00:00.000000Z'
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def format_instants(column: pa.ChunkedArray) -> list[Any]:
    """Return the instants of a column as answers have them. One that Python cannot hold is written as Arrow does."""
    try:
        return [None if instant is None else format_instant(instant) for instant in column.to_pylist()]
    except (OverflowError, ValueError):
        return list(column.cast(pa.string()).to_pylist())


def choose_format(request: Request, written: str | None, *, has_rows: bool) -> str:
    """Return the format of the answer: that of the parameter ``format``, or one that the client accepts.

    Raises:
        Refusal: 400: there is no such format.
    """
    known = FORMATS if has_rows else FORMATS[:1]
    if written is not None:
        if written not in known:
            raise Refusal(400, f"{written[:40]!r} is not {' or '.join(known)}", place="format")
        return written
    accepted = request.headers.get("accept", "")
    named = [part.partition(";")[0].strip() for part in accepted.split(",")]
    return next((format_ for format_ in known if _MEDIA_TYPES[format_] in named), "json")


def render_answer(answer: Struct, *, rows: str, format_: str, status: int) -> Response:
    """Return the response with an answer.

    Args:
        answer: of a resource.
        rows: the member of the answer that is the list of rows; not needed for JSON.
        format_: one of FORMATS.
        status: of HTTP.
    """
    body = msgspec.json.encode(answer) if format_ == "json" else _RENDERERS[format_](getattr(answer, rows))
    headers = {"cache-control": "no-store", "content-type": _MEDIA_TYPES[format_]}
    return Response(body, status, headers)


def _render_lines(rows: Sequence[Struct]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(row) + b"\n" for row in rows)


_RENDERERS: Final[Mapping[str, Callable[[Sequence[Struct]], bytes]]] = {"jsonl": _render_lines}
