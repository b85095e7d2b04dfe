"""``/ready``: whether the server takes requests now."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog.serve.context import Context
from puppylog.serve.guard import answering
from puppylog.stores.base import Store


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes. They need no token, and say nothing about the store."""

    async def ready(_request: Request) -> Response:
        await context.stores.ask(_ask)
        return PlainTextResponse("ready\n")

    return [Route("/ready", answering(ready))]


def _ask(store: Store) -> None:
    store.query("SELECT 1 AS answer")
