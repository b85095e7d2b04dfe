"""The routes of all resources of the read interface."""

import time
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog.serve.context import Context
from puppylog.serve.guard import Handler, answering, guarded
from puppylog.serve.read import (
    alerts,
    fields,
    histogram,
    metrics,
    notifications,
    patterns,
    record,
    records,
    rejects,
    replay,
    silences,
    sql,
    streams,
    top,
)
from puppylog.serve.read.answers import choose_format, render_answer
from puppylog.serve.read.download import with_downloads
from puppylog.serve.read.errors import render_error
from puppylog.serve.read.openapi.description import Description, describe_resource
from puppylog.serve.read.openapi.document import make_document
from puppylog.serve.read.parameters import read_body, read_parameters
from puppylog.serve.read.resource import Answer, Asked, Common, Resource
from puppylog.serve.read.running import run_query
from puppylog.serve.read.tail import routes as tail
from puppylog.serve.unknown_paths import refuse_path

ALL: Final[Sequence[Resource[Any, Any]]] = (
    *records.RESOURCES,
    *record.RESOURCES,
    *histogram.RESOURCES,
    *top.RESOURCES,
    *fields.RESOURCES,
    *patterns.RESOURCES,
    *metrics.RESOURCES,
    *alerts.RESOURCES,
    *notifications.RESOURCES,
    *silences.RESOURCES,
    *streams.RESOURCES,
    *rejects.RESOURCES,
    *replay.RESOURCES,
    *sql.RESOURCES,
)
"""The resources. The first one whose path matches a request answers it."""


DESCRIPTIONS: Final[Sequence[Description]] = (
    Description(
        name="tail_records",
        path="/api/v1/records/tail",
        summary="New records as they are stored, as server-sent events",
        details="The event `records` has the records of a moment, and the number of those that are left out. The event "
        "`away` says that the store does not answer, `back` that it does again. A client that sends `Last-Event-ID` "
        "gets what came after that event.",
        parameters=(tail.TailParameters,),
        contents={"text/event-stream": None},
    ),
)
"""What the OpenAPI document says about routes that are not resources, such as streams of events."""

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_LARGE: Final = 1 << 20  # bytes: an answer is rendered in a thread


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""
    handlers = {resource: _make_handler(context, resource) for resource in ALL}
    for resource in sql.RESOURCES:
        handlers[resource] = with_downloads(context, handlers[resource])
    made = [Route(resource.path, handler, methods=[resource.method]) for resource, handler in handlers.items()]
    refused = answering(_refuse_path, render=render_error)
    return [
        *made,
        *tail.routes(context),
        Route("/api/v1/openapi.json", _answer_document, methods=["GET"]),
        Route("/api/v1/{path:path}", refused, methods=_METHODS),  # last: it matches every path
    ]


@cache
def describe() -> dict[str, Any]:
    """Return the OpenAPI document of all resources."""
    return make_document([*map(describe_resource, ALL), *DESCRIPTIONS])


async def _refuse_path(request: Request) -> Response:
    """Refuse a request for a path, or with a method, that no route has."""
    raise refuse_path(request, f"there is no {request.url.path[:80]}")


async def _answer_document(_request: Request) -> Response:
    """Return the document. It needs no token, because it says nothing about the store."""
    return Response(msgspec.json.encode(describe()), media_type="application/json")


def _make_handler(context: Context, resource: Resource[Any, Any]) -> Handler:
    """Return the function that answers requests for a resource."""

    async def handle(request: Request) -> Response:
        started = time.monotonic()
        given = [*request.path_params.items(), *request.query_params.multi_items()]
        common = read_parameters(Common, [(name, value) for name, value in given if name in Common.__struct_fields__])
        parameters = read_parameters(
            resource.parameters, [(name, value) for name, value in given if name not in Common.__struct_fields__]
        )
        format_ = choose_format(request, common.format, has_rows=bool(resource.rows))
        body = await context.read_body(request)
        asked = Asked(
            parameters,
            None if resource.body is None else read_body(resource.body, body),
            request.state.caller,
            context.settings,
            context.settings.clock(),
        )
        answer = await _run(context, request, resource, asked, common.timeout_s)
        if isinstance(answer, Answer):
            answer.took_s = round(time.monotonic() - started, 4)
        response = await context.decode(
            lambda: render_answer(answer, rows=resource.rows, format_=format_, status=resource.status), _LARGE
        )
        if getattr(answer, "has_more", False) and getattr(answer, "cursor", None):
            next_page = request.url.include_query_params(cursor=answer.cursor)
            response.headers["link"] = f'<{next_page.path}?{next_page.query}>; rel="next"'
        return response

    return guarded(context, resource.scope, handle, render=render_error)


async def _run(
    context: Context, request: Request, resource: Resource[Any, Any], asked: Asked[Any], timeout_s: float | None
) -> Any:  # noqa: ANN401 - the answer of any resource
    if resource.lane == "read":
        return await run_query(context, request, lambda reader: resource.work(asked, reader), timeout_s=timeout_s)
    lane = context.stores.write if resource.lane == "write" else context.stores.define
    return await lane(lambda store: resource.work(asked, store))
