"""Runs the work of a request in a thread, and ends its queries when the client goes away or the time is over."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from starlette.requests import Request

from puppylog.serve.context import Context
from puppylog.serve.disconnect import retrieve_exception, wait_for_disconnect
from puppylog.serve.refusal import Refusal
from puppylog.stores.base import Store
from puppylog.stores.cancellable import CancellableReader
from puppylog.stores.cancellation import Cancellation

T = TypeVar("T")

_CANCEL_EVERY_S: Final = 0.2  # a query ignores a cancellation between two of its steps

CLIENT_GONE: Final = 499
"""The status under which a request is counted whose client went away before its answer. Nobody receives it."""


async def run_query(
    context: Context, request: Request, work: Callable[[CancellableReader], T], *, timeout_s: float | None = None
) -> T:
    """Return what ``work`` returns. It is called in a thread with a reader of the store.

    If the client goes away, or the time is over, the query that runs is ended within a second, and no other one begins.

    Args:
        context: of the server.
        request: its body must have been read.
        work: asks the store, as often as it needs.
        timeout_s: how many seconds the work may take; at most, and by default, the limit of the server.

    Raises:
        Refusal: 504: the time is over; 499: the client has gone; others as `puppylog.serve.stores.StoreAccess.call`.
    """
    limit_s = min(context.limits.query_s, timeout_s or context.limits.query_s)
    cancellation = Cancellation()

    def call(store: Store) -> T:
        return work(CancellableReader(store, cancellation))

    running = asyncio.ensure_future(context.stores.call(call))
    gone = asyncio.ensure_future(wait_for_disconnect(request.receive))
    try:
        await asyncio.wait({running, gone}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
    finally:
        gone.cancel()
        if not running.done():
            running.add_done_callback(retrieve_exception)
            cancellation.cancel_until(running.done, every_s=_CANCEL_EVERY_S)
    if gone.done() and not gone.cancelled():
        raise Refusal(CLIENT_GONE, "the client went away")
    advice = "choose a shorter range of time, or ask for less"
    raise Refusal(504, f"the store did not answer within {limit_s:g} s, and the query was ended; {advice}")
