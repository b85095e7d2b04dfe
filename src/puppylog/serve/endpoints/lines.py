"""The receiver ``lines``: lines as they are in a file, by POST.

``curl --data-binary @access.log 'http://127.0.0.1:7380/api/v1/lines?source=shop'``
"""

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog.errors import UsageError
from puppylog.formats.base import Format, Options
from puppylog.formats.listed_formats import AUTO
from puppylog.formats.registry import find_format
from puppylog.model.identifier import parse_identifier
from puppylog.receive.lines import decode_lines
from puppylog.receive.received import Received
from puppylog.serve.context import Context
from puppylog.serve.digest import digest_request, repeated_headers
from puppylog.serve.guard import guarded
from puppylog.serve.received_streams import clean_source
from puppylog.serve.refusal import Refusal, refuse_many_lines

DOOR: Final = "lines"
MAX_LINES: Final = 2_000_000
"""Lines of one request. Short lines become rows that take several times as much memory."""

_PARAMETERS: Final = ("source", "format", "group", "tz")

_NO_LINES: Final = {
    "application/msgpack": "let the sender write JSON lines; in Fluent Bit, format json_lines",
    "application/x-msgpack": "let the sender write JSON lines",
    "application/x-protobuf": "send OTLP to /v1/logs, and for Loki to /loki/api/v1/push",
    "multipart/form-data": "send the file itself; with curl, --data-binary @FILE",
}
"""Content types that are refused, and what to do instead."""


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the route of the receiver."""

    async def receive_lines(request: Request) -> Response:
        asked = _read_parameters(request)
        _check_content_type(request.headers.get("content-type", ""))
        source = clean_source(asked.get("source", ""))
        group = _read_group(asked.get("group"))
        format_ = _choose_format(asked.get("format", AUTO), asked.get("tz", "UTC"))
        body = await context.read_body(request)
        learnt = await context.intake.find_context(DOOR, source, group) if body else ""
        read_at_us = time.time_ns() // 1000

        def decode() -> tuple[Received, str]:
            refuse_many_lines(body, MAX_LINES)
            received = decode_lines(body, format_, context=learnt, source=source, group=group, read_at_us=read_at_us)
            return received, digest_request(request, DOOR, body, asked)

        received, digest = await context.decode(decode, len(body))
        answer = json.dumps({"records": received.records, "rejects": received.rejects})
        if not received.lines:
            return JSONResponse({**json.loads(answer), "repeated": False})
        stored = await context.intake.store(DOOR, received, digest=digest, answer=answer)
        answered = {**json.loads(stored.answer), "repeated": stored.repeated_s is not None}
        return JSONResponse(answered, headers=repeated_headers(stored))

    return [Route("/api/v1/lines", guarded(context, "ingest", receive_lines), methods=["POST"])]


def _check_content_type(written: str) -> None:
    """Check that the body may be lines.

    Raises:
        Refusal: 415: it is of a kind that would become lines without sense.
    """
    said = written.partition(";")[0].strip().lower()
    advice = _NO_LINES.get(said)
    if advice is not None:
        raise Refusal(415, f"{said} is not lines: {advice}")


def _read_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the URL.

    Raises:
        Refusal: 400: one is not known, or is given twice.
    """
    asked: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in _PARAMETERS:
            raise Refusal(400, f"there is no parameter {name[:40]!r}; known are {', '.join(_PARAMETERS)}")
        if name in asked:
            raise Refusal(400, f"the parameter {name} is given twice")
        asked[name] = value
    return asked


def _read_group(written: str | None) -> str | None:
    return None if written is None else parse_identifier(written, "group")


@lru_cache(maxsize=64)
def _choose_format(written: str, tz: str) -> Format:
    """Return a format. A format keeps no state of lines, so requests share it.

    Raises:
        UsageError: there is no such format or time zone.
    """
    try:
        zone = ZoneInfo(tz)
    except (OSError, ValueError, KeyError):
        raise UsageError(
            "use", f"time zone {tz[:60]!r}", advice="write it as Area/City, such as Europe/Berlin"
        ) from None
    return find_format(written, Options(zone))
