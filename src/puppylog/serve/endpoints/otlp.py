"""The receiver of OTLP/HTTP: log records of OpenTelemetry's SDKs and collectors.

A sender repeats a request that is answered with 429, 502, 503 or 504, and drops the records of any other error. So
everything that may succeed later is answered with 503.
"""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog.receive.otlp.answers import Encoding, describe_losses, find_encoding, write_response, write_status
from puppylog.receive.otlp.json_request import decode_json
from puppylog.receive.otlp.protobuf_request import decode_protobuf
from puppylog.receive.received import NotDecoded, Received
from puppylog.serve.context import Context
from puppylog.serve.digest import digest_request, repeated_headers
from puppylog.serve.guard import answering, guarded
from puppylog.serve.refusal import RETRY_AFTER_S, Refusal

DOOR: Final = "otlp"
_DECODERS: Final = {Encoding.PROTOBUF: decode_protobuf, Encoding.JSON: decode_json}
_LOGS_ONLY: Final = (
    "this server takes logs only: set OTEL_TRACES_EXPORTER=none and OTEL_METRICS_EXPORTER=none, or send traces and"
    " metrics to another endpoint"
)


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes of the receiver."""

    async def receive_logs(request: Request) -> Response:
        encoding = find_encoding(request.headers.get("content-type", ""))
        if encoding is None:
            raise Refusal(415, "Content-Type must be application/x-protobuf or application/json")
        body = await context.read_body(request)
        received_at_us = time.time_ns() // 1000

        def decode() -> tuple[Received, str]:
            return _DECODERS[encoding](body, received_at_us), digest_request(request, DOOR, body)

        try:
            received, digest = await context.decode(decode, len(body))
        except NotDecoded as error:
            raise Refusal(400, error.cause, place=error.place) from None
        losses = describe_losses(received)
        if not received.lines:
            return _answer(encoding, losses)
        stored = await context.intake.store(DOOR, received, digest=digest, answer=losses)
        return _answer(encoding, stored.answer, repeated_headers(stored))

    async def refuse_signal(_request: Request) -> Response:
        raise Refusal(404, _LOGS_ONLY)

    return [
        Route("/v1/logs", guarded(context, "ingest", receive_logs, render=render_status), methods=["POST"]),
        # The address at which Loki takes OTLP, as senders for Loki are configured.
        Route("/otlp/v1/logs", guarded(context, "ingest", receive_logs, render=render_status), methods=["POST"]),
        Route("/v1/traces", answering(refuse_signal, render=render_status), methods=["POST"]),
        Route("/v1/metrics", answering(refuse_signal, render=render_status), methods=["POST"]),
    ]


def render_status(request: Request, refusal: Refusal) -> Response:
    """Return the answer as a ``google.rpc.Status`` in the content type of the request."""
    encoding = find_encoding(request.headers.get("content-type", "")) or Encoding.JSON
    status, headers = refusal.status, refusal.headers
    if status == HTTPStatus.REQUEST_TIMEOUT:  # senders would drop the records
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": str(RETRY_AFTER_S), **headers}
    return Response(write_status(encoding, status, refusal.message), status, headers, encoding.value)


def _answer(encoding: Encoding, losses: str, headers: dict[str, str] | None = None) -> Response:
    return Response(write_response(encoding, losses), 200, headers, encoding.value)
