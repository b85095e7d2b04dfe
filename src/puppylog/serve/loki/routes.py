"""The paths of Loki's read interface. Each needs a token of the scope ``read``."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog.errors import SearchError
from puppylog.monitor.condition import DescribedReader
from puppylog.serve.context import Context
from puppylog.serve.guard import Handler, guarded
from puppylog.serve.loki import browsing, queries, tail
from puppylog.serve.loki.answers import answer_json, render_error
from puppylog.serve.loki.parameters import Parameters, read_parameters
from puppylog.serve.read.running import run_query
from puppylog.serve.refusal import Refusal
from puppylog.serve.unknown_paths import refuse_path

_PREFIX: Final = "/loki/api/v1"
_METHODS: Final = ("GET", "POST")
_VERSION: Final = "3.4.0"
_NO_CONFIG: Final = "the configuration of a server is not shown; see 'puppylog config' on its machine"

_Work: TypeAlias = Callable[[DescribedReader, Parameters], Response]
_Named: TypeAlias = Callable[[DescribedReader, Parameters, str], Response]

_WORKS: Final[dict[str, _Work]] = {
    "/labels": browsing.list_labels,
    "/label": browsing.list_labels,
    "/series": browsing.list_series,
    "/index/stats": browsing.tell_amount,
    "/index/volume": lambda reader, parameters: browsing.tell_volume(reader, parameters, is_range=False),
    "/index/volume_range": lambda reader, parameters: browsing.tell_volume(reader, parameters, is_range=True),
    "/detected_labels": browsing.detect_labels,
    "/detected_fields": browsing.detect_fields,
    "/patterns": browsing.find_patterns,
}
_NAMED: Final[dict[str, _Named]] = {
    "/label/{name}/values": browsing.list_values,
    "/detected_field/{name}/values": browsing.list_field_values,
}


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""

    def guard(handler: Handler) -> Handler:
        return guarded(context, "read", handler, render=render_error)

    def answer(work: _Work) -> Handler:
        async def handle(request: Request) -> Response:
            parameters = await read_parameters(context, request)
            return await run_query(context, request, lambda reader: work(reader, parameters))

        return guard(handle)

    def answer_named(work: _Named) -> Handler:
        async def handle(request: Request) -> Response:
            parameters = await read_parameters(context, request)
            name: str = request.path_params["name"]
            return await run_query(context, request, lambda reader: work(reader, parameters, name))

        return guard(handle)

    def answer_query(work: Callable[[DescribedReader, Parameters, list[str]], Response]) -> Handler:
        async def handle(request: Request) -> Response:
            parameters = await read_parameters(context, request)
            flags = queries.read_flags(request)
            return await run_query(context, request, lambda reader: work(reader, parameters, flags))

        return guard(handle)

    async def format_query(request: Request) -> Response:
        parameters = await read_parameters(context, request)
        try:
            return browsing.format_query(parameters)
        except SearchError as error:
            return answer_json({"status": "invalid-query", "error": f"parse error at {error.cause}"}, 400)

    return [
        Route(f"{_PREFIX}/query", answer_query(queries.query_instant), methods=_METHODS),
        Route(f"{_PREFIX}/query_range", answer_query(queries.query_range), methods=_METHODS),
        *(Route(_PREFIX + path, answer(work), methods=_METHODS) for path, work in _WORKS.items()),
        *(Route(_PREFIX + path, answer_named(work), methods=_METHODS) for path, work in _NAMED.items()),
        Route(f"{_PREFIX}/format_query", guard(format_query), methods=_METHODS),
        *tail.routes(context),
        Route(f"{_PREFIX}/drilldown-limits", guard(_tell_limits)),
        Route("/config", guard(_refuse_config)),
        Route("/loki/{path:path}", guard(_refuse_path), methods=["GET", "POST", "PUT", "DELETE"]),
    ]


async def _tell_limits(_request: Request) -> Response:
    """Answer what Grafana's Logs Drilldown asks first."""
    limits = {"discover_service_name": [], "log_level_fields": ["severity"], "max_entries_limit_per_query": 10_000}
    limits |= {"max_query_series": 500, "max_query_length": "0s", "retention_period": "0s", "volume_enabled": True}
    return answer_json({"limits": limits, "pattern_ingester_enabled": True, "version": _VERSION})


async def _refuse_config(_request: Request) -> Response:
    raise Refusal(403, _NO_CONFIG)


async def _refuse_path(request: Request) -> Response:
    raise refuse_path(request, f"Puppylog has no {request.url.path[:80]}; docs/loki.md lists what is answered")
