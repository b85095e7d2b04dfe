"""What clients of Elasticsearch ask before they send documents, and what they set up for their indices.

Beats, Logstash, Fluent Bit and Vector ask for the version and the licence, and create policies, templates, pipelines
and data streams. Here nothing of that is needed: every question is answered so that the client goes on.
"""

import json
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog import __version__
from puppylog.serve.context import Context
from puppylog.serve.endpoints.elasticsearch import PREFIXES, answer_json, render_error
from puppylog.serve.guard import Handler, answering, guarded
from puppylog.serve.refusal import Refusal

# Beats refuse an Elasticsearch that is older than they are, so the number is above every release of version 9.
_VERSION: Final = "9.99.0"
_ABOUT: Final = {
    "name": "puppylog",
    "cluster_name": "puppylog",
    "cluster_uuid": "puppylog",
    "version": {
        "number": _VERSION,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": "puppylog",
        "build_date": "2026-01-01T00:00:00.000Z",
        "build_snapshot": False,
        "lucene_version": "10.0.0",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
    "puppylog": __version__,
}
_LICENSE: Final = {
    "license": {
        "status": "active",
        "uid": "puppylog",
        "type": "basic",
        "issue_date": "2026-01-01T00:00:00.000Z",
        "issue_date_in_millis": 1767225600000,
        "max_nodes": 1000,
        "issued_to": "puppylog",
        "issuer": "puppylog",
        "start_date_in_millis": -1,
    }
}
_HEALTH: Final = {
    "cluster_name": "puppylog",
    "status": "green",
    "timed_out": False,
    "number_of_nodes": 1,
    "number_of_data_nodes": 1,
    "active_primary_shards": 1,
    "active_shards": 1,
    "relocating_shards": 0,
    "initializing_shards": 0,
    "unassigned_shards": 0,
    "active_shards_percent_as_number": 100.0,
}
_ANSWERS: Final = {
    "_license": _LICENSE,
    "_xpack": {"license": {"status": "active", "type": "basic"}, "features": {}},
    "_cluster": _HEALTH,
    "_nodes": {"nodes": {}},
}
"""The answers to questions by the first word of their paths."""

_SET_UP: Final = frozenset(
    {
        *_ANSWERS,
        "_alias",
        "_aliases",
        "_component_template",
        "_data_stream",
        "_ilm",
        "_index_template",
        "_ingest",
        "_logstash",
        "_template",
    }
)
"""The first words of what a client may ask for and set up. The rest of the path is a name."""

_METHODS: Final = ("GET", "HEAD", "PUT", "POST")


async def answer_about(_request: Request) -> Response:
    """Return what Elasticsearch's root returns."""
    return answer_json(json.dumps(_ABOUT, separators=(",", ":")))


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes of the questions. They need a token that may send documents."""

    async def set_up(request: Request) -> Response:
        word = request.path_params["path"].partition("/")[0]
        if f"_{word}" not in _SET_UP:
            raise Refusal(404, f"Puppylog has no {request.url.path[:80]}")
        is_question = request.method in {"GET", "HEAD"}
        return _answer(_ANSWERS.get(f"_{word}", {}) if is_question else {"acknowledged": True})

    async def index(request: Request) -> Response:
        """Say that an index exists or was created. The first document creates its stream."""
        name = request.path_params["index"]
        if request.method == "GET":
            raise Refusal(404, f"Puppylog has no /{name[:80]}")
        return _answer({"acknowledged": True, "shards_acknowledged": True, "index": name})

    async def refresh(_request: Request) -> Response:
        """Say that what was answered can be searched."""
        return _answer({"_shards": {"total": 1, "successful": 1, "failed": 0}})

    def guard(handler: Handler) -> Handler:
        return guarded(context, "ingest", handler, render=render_error)

    found: list[BaseRoute] = [
        Route(f"{PREFIXES[1]}{tail}", answering(answer_about), methods=["GET", "HEAD"]) for tail in ("", "/")
    ]
    for prefix in PREFIXES:
        refreshed = ("/_refresh", "/{index}/_refresh", "/_flush", "/{index}/_flush")
        found += [Route(prefix + path, guard(refresh), methods=["GET", "POST"]) for path in refreshed]
        found.append(Route(f"{prefix}/_{{path:path}}", guard(set_up), methods=_METHODS))
        # The second name is one with a date: <logstash-{now/d}-000001>.
        names = (f"{prefix}/{{index}}", f"{prefix}/<{{index:path}}>")
        found += [Route(name, guard(index), methods=["GET", "HEAD", "PUT"]) for name in names]
    return found


def _answer(value: object) -> Response:
    return answer_json(json.dumps(value, separators=(",", ":")))
