"""``/ready``: whether the server takes requests now. ``/``: what answers here."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog import __version__
from puppylog.serve.context import Context
from puppylog.serve.doors.elasticsearch_probes import answer_about
from puppylog.serve.guard import answering
from puppylog.stores.base import Store


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes. They need no token, and say nothing about the store."""

    async def ready(_request: Request) -> Response:
        await context.stores.ask(_ask)
        return PlainTextResponse("ready\n")

    async def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return PlainTextResponse(f"Puppylog {__version__}\n")
        return await answer_about(request)  # a sender that asks whether this is Elasticsearch

    return [Route("/ready", answering(ready)), Route("/", root)]


def _ask(store: Store) -> None:
    store.query("SELECT 1 AS answer")
