"""The receiver ``elasticsearch``: ``_bulk`` and single documents, at the root and under ``/elasticsearch``.

Answers have the header by which clients recognize Elasticsearch. What clients ask before they send documents is in
`puppylog.serve.endpoints.elasticsearch_probes`.
"""

import json
import time
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog.receive.bulk_answer import BulkAnswer
from puppylog.receive.elasticsearch import decode_bulk
from puppylog.receive.received import NotDecoded, Received
from puppylog.serve.context import Context
from puppylog.serve.digest import digest_request, repeated_headers
from puppylog.serve.guard import guarded
from puppylog.serve.refusal import RETRY_AFTER_S, Refusal, refuse_many_lines

DOOR: Final = "elasticsearch"
PREFIXES: Final = ("", "/elasticsearch")
_MAX_LINES: Final = 500_000  # actions and documents of one request. Each action has an item in the answer
_PRODUCT: Final = {"x-elastic-product": "Elasticsearch"}
_TYPES: Final = {401: "security_exception", 403: "security_exception", 413: "content_too_long_exception"}


def answer_json(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer that clients accept as Elasticsearch's."""
    return Response(text, status, {**_PRODUCT, **(headers or {})}, media_type="application/json")


def render_error(_request: Request, refusal: Refusal) -> Response:
    """Return the answer of a refusal, as Elasticsearch writes its errors."""
    type_ = _TYPES.get(
        refusal.status, "illegal_argument_exception" if refusal.status < 500 else "unavailable_exception"
    )
    cause = {"type": type_, "reason": refusal.message}
    status, headers = refusal.status, refusal.headers
    if status == HTTPStatus.REQUEST_TIMEOUT:  # most clients repeat a request after 503 only
        status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"retry-after": str(RETRY_AFTER_S), **headers}
    return answer_json(_compact({"error": {"root_cause": [cause], **cause}, "status": status}), status, headers)


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes of the receiver."""

    async def store(request: Request, body: bytes, index: str) -> tuple[BulkAnswer, dict[str, str]]:
        read_at_us = time.time_ns() // 1000

        def decode() -> tuple[Received, BulkAnswer, str]:
            refuse_many_lines(body, _MAX_LINES)
            received, answer = decode_bulk(body, index=index, read_at_us=read_at_us)
            # What is stored decides, not the body: some clients count their attempts in the action lines.
            what = {"sources": json.dumps([[lines.source, lines.size] for lines in received.lines])}
            texts = (lines.parsed.data for lines in received.lines)
            return received, answer, digest_request(request, DOOR, texts, {**what, "answer": answer.to_json()})

        try:
            received, answer, digest = await context.decode(decode, len(body))
        except NotDecoded as error:
            raise Refusal(400, error.cause, place=error.place) from None
        if not received.lines:
            return answer, {}
        stored = await context.intake.store(DOOR, received, digest=digest, answer=answer.to_json())
        return BulkAnswer.from_json(stored.answer), repeated_headers(stored)

    async def bulk(request: Request) -> Response:
        began = time.monotonic()
        body = await context.read_body(request)
        if not body.strip():
            raise Refusal(400, "the request has no action")
        answer, headers = await store(request, body, request.path_params.get("index", ""))
        filter_path = [part for part in request.query_params.get("filter_path", "").split(",") if part]
        took_ms = int(1000 * (time.monotonic() - began))
        text = await context.decode(lambda: answer.render(took_ms, filter_path), len(body))
        return answer_json(text, headers=headers)

    async def document(request: Request) -> Response:
        """Store one document. An id is part of the record, and a document with the same id is another record."""
        index, id_ = request.path_params["index"], request.path_params.get("id")
        body = (await context.read_body(request)).replace(b"\n", b" ").replace(b"\r", b" ")
        action = {"create": {"_index": index} if id_ is None else {"_index": index, "_id": id_}}
        answer, headers = await store(request, _compact(action).encode() + b"\n" + body, index)
        if answer.errors:
            raise Refusal(400, answer.errors[0].reason)
        created = {"_index": index, "_id": id_ or uuid.uuid4().hex, "_version": 1, "result": "created"}
        shards = {"_shards": {"total": 1, "successful": 1, "failed": 0}, "_seq_no": 0, "_primary_term": 1}
        return answer_json(_compact({**created, **shards}), 201, headers)

    handlers = {
        "/_bulk": bulk,
        "/{index}/_bulk": bulk,
        "/{index}/_doc": document,
        "/{index}/_doc/{id}": document,
        "/{index}/_create/{id}": document,
    }
    return [
        Route(
            f"{prefix}{path}{tail}", guarded(context, "ingest", handler, render=render_error), methods=["POST", "PUT"]
        )
        for path, handler in handlers.items()
        for prefix in PREFIXES
        for tail in ("", "/")
    ]


def _compact(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, separators=(",", ":"))
