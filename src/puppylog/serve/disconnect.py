"""Clients that go away before their answer."""

import asyncio
from typing import Any, Final

from starlette.types import Receive

_GONE: Final = frozenset({"http.disconnect", "websocket.disconnect"})


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has gone whose messages ``receive`` returns. The body of a request must have been read."""
    while (await receive())["type"] not in _GONE:
        continue


def retrieve_exception(done: "asyncio.Future[Any]") -> None:
    """Keep the loop from reporting the failure of a call whose result no client awaits."""
    if not done.cancelled():
        done.exception()
