"""The receiver ``loki``: the push API of Loki, which Promtail, Grafana Alloy, Fluent Bit, Vector and loggers send to.

A request is answered with 204 after its commit. Senders drop what is answered with 400, so only a body of which nothing
or not all can be decoded is, after the rest is stored.
"""

import json
import re
import time
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog import __version__
from puppylog.formats.base import Format, Options
from puppylog.formats.registry import find_format
from puppylog.model.identifier import MAX_LENGTH
from puppylog.receive.loki.decode import decode_push
from puppylog.receive.loki.snappy import read_content_length
from puppylog.receive.loki.streams import TooLarge
from puppylog.receive.received import NotDecoded, Received, shorten_problems
from puppylog.serve.context import Context
from puppylog.serve.digest import digest_request, repeated_headers
from puppylog.serve.guard import answering, guarded
from puppylog.serve.refusal import Refusal, render_text

DOOR: Final = "loki"
TENANT: Final = "x-scope-orgid"
_PATHS: Final = ("/loki/api/v1/push", "/api/prom/push")
_LOKI: Final = "3.4.0"
"""The version that senders and Grafana see: the push API with structured metadata is that of this version."""

_MAX_TENANTS: Final = 1000  # are remembered, so that a sentence is said once for each


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes of the receiver."""
    tenants = _Tenants(context)

    async def receive(request: Request) -> Response:
        written = request.query_params.get("format", context.listen.loki_format)
        format_ = None if written is None else _choose_format(written)
        group = tenants.find_group(request.headers.get(TENANT, ""))
        body = await context.read_body(request, also_encoded="snappy")
        is_json = _is_json(request, body)
        received_at_us = time.time_ns() // 1000
        limit = context.limits.body_bytes

        def decode() -> tuple[Received, str]:
            received = decode_push(
                body, is_json=is_json, format_=format_, group=group, received_at_us=received_at_us, limit=limit
            )
            return received, digest_request(request, DOOR, body, {"format": written, "group": group})

        try:
            if not is_json:
                context.take_memory(request, min(limit, read_content_length(body)))
            received, digest = await context.decode(decode, len(body))
        except TooLarge as error:
            raise Refusal(413, error.cause) from None
        except NotDecoded as error:
            raise Refusal(400, error.cause, place=error.place) from None
        return await _store(context, received, digest)

    return [
        *(Route(path, guarded(context, "ingest", receive, render=_render), methods=["POST"]) for path in _PATHS),
        Route("/loki/api/v1/status/buildinfo", answering(_answer_build)),
    ]


async def _store(context: Context, received: Received, digest: str) -> Response:
    """Store what was decoded, and return the answer."""
    if not received.lines:
        return Response(status_code=204)
    fault = shorten_problems(received.problems)
    stored = await context.intake.store(DOOR, received, digest=digest, answer=json.dumps(fault))
    fault = json.loads(stored.answer)
    headers = repeated_headers(stored)
    if not fault:
        return Response(status_code=204, headers=headers)
    return PlainTextResponse(f"the other entries are stored; {fault}\n", 400, headers)


def _render(request: Request, refusal: Refusal) -> Response:
    """Return the answer of a refusal. Senders drop a request that is answered with 408, so it becomes 503."""
    if refusal.status == HTTPStatus.REQUEST_TIMEOUT:
        refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, refusal.cause, place=refusal.place)
    return render_text(request, refusal)


async def _answer_build(_request: Request) -> Response:
    return JSONResponse(
        {
            "version": _LOKI,
            "revision": f"puppylog-{__version__}",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        }
    )


def _is_json(request: Request, body: bytes) -> bool:
    """Return whether the body is JSON: as the sender says, or if it does not say, as the body begins."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said.endswith("json"):
        return True
    return said != "application/x-protobuf" and body[:64].lstrip().startswith(b"{")


@lru_cache(maxsize=64)
def _choose_format(written: str) -> Format:
    """Return a format. It keeps no state of lines, so requests share it. Raises UsageError if there is no such one."""
    return find_format(written, Options(joins_lines=False))


class _Tenants:
    """Makes log groups of tenants. Used in the server's loop only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._refused: set[str] = set()

    def find_group(self, tenant: str) -> str | None:
        """Return the log group of a tenant; None if there is no tenant, or if its name makes no name of a group."""
        if not tenant:
            return None
        group = clean_group(tenant)
        if group is None and len(self._refused) < _MAX_TENANTS and tenant not in self._refused:
            self._refused.add(tenant)
            self._context.report(
                f"X-Scope-OrgID {tenant[:MAX_LENGTH]!r} is not a valid name of a log group, so its lines get no group: "
                f"a name has letters and digits, and at most {MAX_LENGTH} characters"
            )
        return group


def clean_group(tenant: str) -> str | None:
    """Return the name of a log group for the name of a tenant; None if there is none.

    >>> clean_group("Team-A.eu"), clean_group("1"), clean_group("--"), clean_group("x" * 49)
    ('team_a_eu', '_1', None, None)
    """
    group = re.sub(r"[^a-z0-9_]", "_", tenant.lower())
    if group[:1].isdigit():
        group = f"_{group}"
    return group if group.strip("_") and len(group) <= MAX_LENGTH else None
