"""The routes of all resources of the read interface."""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog.serve.context import Context
from puppylog.serve.guard import Handler, guarded
from puppylog.serve.read import fields, histogram, patterns, record, records, sql, top
from puppylog.serve.read.answers import choose_format, render_answer
from puppylog.serve.read.download import with_downloads
from puppylog.serve.read.errors import render_error
from puppylog.serve.read.parameters import read_body, read_parameters
from puppylog.serve.read.resource import Answer, Asked, Resource
from puppylog.serve.read.running import run_query
from puppylog.serve.read.tail import routes as tail

ALL: Final[Sequence[Resource[Any, Any]]] = (
    *records.RESOURCES,
    *record.RESOURCES,
    *histogram.RESOURCES,
    *top.RESOURCES,
    *fields.RESOURCES,
    *patterns.RESOURCES,
    *sql.RESOURCES,
)
"""The resources. The first one whose path matches a request answers it."""


_LARGE: Final = 1 << 20  # bytes: an answer is rendered in a thread


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of every resource that only reads."""

    timeout_s: (
        Annotated[
            float,
            Meta(
                gt=0, description="After how many seconds the query is ended; the server has a limit of its own, too."
            ),
        ]
        | None
    ) = None
    format: Annotated[str, Meta(description="Of the answer. Without it, the header Accept decides.")] | None = None


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""
    handlers = {resource: _make_handler(context, resource) for resource in ALL}
    for resource in sql.RESOURCES:
        handlers[resource] = with_downloads(context, handlers[resource])
    made = [Route(resource.path, handler, methods=[resource.method]) for resource, handler in handlers.items()]
    return [*made, *tail.routes(context)]


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
        return await context.decode(
            lambda: render_answer(answer, rows=resource.rows, format_=format_, status=resource.status), _LARGE
        )

    return guarded(context, resource.scope, handle, render=render_error)


async def _run(
    context: Context, request: Request, resource: Resource[Any, Any], asked: Asked[Any], timeout_s: float | None
) -> Any:  # noqa: ANN401 - the answer of any resource
    if resource.lane == "read":
        return await run_query(context, request, lambda reader: resource.work(asked, reader), timeout_s=timeout_s)
    lane = context.stores.write if resource.lane == "write" else context.stores.define
    return await lane(lambda store: resource.work(asked, store))
