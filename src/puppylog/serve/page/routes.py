"""``/``: the page, or what answers here. ``/page/…``: its files. ``/api/v1/session``: who is logged in."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog.serve.context import Context
from puppylog.serve.endpoints.elasticsearch_probes import answer_about
from puppylog.serve.guard import answering
from puppylog.serve.page.files import File, read_files
from puppylog.serve.page.policy import HEADERS
from puppylog.serve.refusal import Refusal

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_REFUSES_GZIP: Final = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes. They need no token: the page's files tell nothing about the store."""

    async def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return _answer(request, read_files().index, _ASK_AGAIN)
        return await answer_about(request)  # a sender that asks whether this is Elasticsearch

    async def file(request: Request) -> Response:
        files = read_files()
        found = files.by_name.get(request.path_params["name"])
        if found is None or request.path_params["digest"] != files.digest:
            raise Refusal(404, "the page has no such file; after an upgrade, load the page again")
        return _answer(request, found, _FOR_GOOD)

    async def session(request: Request) -> Response:
        found = await context.access.describe(request)
        described = {"needs_token": found.needs_token, "name": found.name, "scope": found.scope}
        return JSONResponse(described, headers={"cache-control": "no-store"})

    return [
        Route("/", root),
        Route("/page/{digest}/{name:path}", answering(file)),
        Route("/api/v1/session", answering(session), methods=["GET"]),
    ]


def _answer(request: Request, file: File, caching: str) -> Response:
    headers = {**HEADERS, "cache-control": caching, "etag": file.tag, "vary": "accept, accept-encoding"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    accepted = request.headers.get("accept-encoding", "").lower()
    if file.compressed is not None and "gzip" in accepted and not _REFUSES_GZIP.search(accepted):
        return Response(file.compressed, headers={**headers, "content-encoding": "gzip"}, media_type=file.content_type)
    return Response(file.body, headers=headers, media_type=file.content_type)
