"""``tail``: new entries over a websocket, as Grafana's live mode and ``logcli query --tail`` ask for them.

The first message has entries from before. Records and positions of files are committed together, so the entries after
that are those between two positions of all files, and none is missed or sent twice.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from puppylog.errors import PuppylogError
from puppylog.model.logql import parse_logql
from puppylog.model.logql.tree import LogQuery
from puppylog.monitor.arrivals import plan_arrivals
from puppylog.monitor.logql.asking import Asking, Within
from puppylog.monitor.logql.entries import Entry, NewEntries, find_entries, read_new_entries, shows_metadata
from puppylog.serve.context import Context
from puppylog.serve.disconnect import retrieve_exception, wait_for_disconnect
from puppylog.serve.guard import check_websocket_origin, guarded
from puppylog.serve.loki.answers import CATEGORIZE, make_streams, render_error
from puppylog.serve.loki.parameters import MAX_NS, Parameters, parse_parameters
from puppylog.serve.loki.queries import read_flags
from puppylog.serve.read.tail.snapshots import SnapshotReader
from puppylog.serve.refusal import Refusal, refuse
from puppylog.stores.base import Store
from puppylog.stores.cancellable import CancellableReader
from puppylog.stores.cancellation import Cancellation

T = TypeVar("T")

_PATH: Final = "/loki/api/v1/tail"
_MAX_TAILS: Final = 20  # each asks the store every second
_MAX_ENTRIES: Final = 1000  # in a message; older ones are named as dropped
_MAX_DROPPED: Final = 100  # dropped entries that a message names
_POLL_S: Final = 1.0
_REST: Final = 3.0  # a tail whose query took long waits for this many times as long
_CHECK_S: Final = 10.0  # between two looks whether the token is still accepted
_MAX_DELAY_S: Final = 5
_AWAY: Final = 503
_TRY_AGAIN: Final = 1013  # codes with which a websocket is closed
_FAILED: Final = 1011
_MAX_REASON_LENGTH: Final = 123  # in bytes: what a frame that closes a websocket has for it


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""
    tails = _Tails(context)

    async def refuse_request(_request: Request) -> Response:
        raise Refusal(400, "tail is a websocket, and this is a plain request")

    return [
        WebSocketRoute(_PATH, tails.answer),
        Route(_PATH, guarded(context, "read", refuse_request, render=render_error)),
    ]


@dataclass(slots=True)
class _Tail:
    """What one client follows."""

    query: LogQuery
    parameters: Parameters
    flags: list[str]
    asking: Callable[[CancellableReader], Asking]
    limit: int
    pause_s: float
    snapshots: SnapshotReader = field(default_factory=SnapshotReader)
    offsets: Mapping[int, int] = field(default_factory=dict)  # everything before them was sent
    sent: frozenset[tuple[int, int]] = frozenset()  # the locations of the first entries

    def begin(self, store: CancellableReader) -> list[Entry]:
        """Return the first entries, the oldest first, and note the present positions."""
        self.offsets = self.snapshots.read(store).offsets
        within = Within(self.parameters.within().start_ns, MAX_NS)  # also what was stored since the request came
        found = find_entries(self.asking(store), self.query, within, direction="backward", limit=self.limit)
        self.sent = frozenset(entry.location for entry in found)
        return found[::-1]

    def advance(self, store: CancellableReader) -> NewEntries:
        """Return the entries that were stored since the last positions."""
        offsets = self.snapshots.read(store).offsets
        ranges = plan_arrivals(self.offsets, offsets)
        if not ranges:
            return NewEntries([], 0)
        found = read_new_entries(self.asking(store), self.query, ranges, limit=_MAX_ENTRIES)
        entries = [entry for entry in found.entries if entry.location not in self.sent]
        self.offsets = offsets
        return NewEntries(entries, found.left_out)

    def write(self, entries: Iterable[Entry], left_out: int) -> str:
        """Return a message."""
        message: dict[str, Any] = {
            "streams": make_streams(
                entries, is_categorized=CATEGORIZE in self.flags, shows_metadata=shows_metadata(self.query.stages)
            )
        }
        if left_out:
            dropped = {"labels": {}, "timestamp": str(time.time_ns())}
            message["dropped_entries"] = [dropped] * min(left_out, _MAX_DROPPED)
        if self.flags:
            message["encodingFlags"] = self.flags
        return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


class _Tails:
    """All tails of a server. Used in its loop only."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._count = 0

    async def answer(self, websocket: WebSocket) -> None:
        """Accept or refuse a websocket, and follow until its client goes away."""
        request = Request({**websocket.scope, "type": "http", "method": "GET"})
        try:
            check_websocket_origin(request)
            await self._context.access.check(request, "read")
            tail = self._read(request)
        except Refusal as refusal:
            await websocket.send_denial_response(render_error(request, refusal))
            return
        except PuppylogError as error:
            await websocket.send_denial_response(render_error(request, refuse(error)))
            return
        self._count += 1
        try:
            await websocket.accept()
            await self._follow(websocket, request, tail)
        except WebSocketDisconnect:
            pass
        finally:
            self._count -= 1

    def _read(self, request: Request) -> _Tail:
        """Return what a request asks for. Raises Refusal, SearchError."""
        if self._count >= _MAX_TAILS:
            raise Refusal(_AWAY, f"there are {_MAX_TAILS} tails already")
        parameters = parse_parameters(request.url.query)
        written = parameters.get("query")
        query = parse_logql(written)
        if not isinstance(query, LogQuery):
            raise Refusal(400, "only a log query can be followed, and this is a metric query")
        delay_s = parameters.seconds("delay_for", 0)
        if delay_s > _MAX_DELAY_S:
            raise Refusal(400, f"delay_for can't be greater than {_MAX_DELAY_S}")
        parameters.within()
        flags = read_flags(request)
        pause_s = max(_POLL_S, delay_s)
        return _Tail(query, parameters, flags, lambda store: Asking(store, written), parameters.limit(), pause_s)

    async def _follow(self, websocket: WebSocket, request: Request, tail: _Tail) -> None:
        gone = asyncio.ensure_future(wait_for_disconnect(websocket.receive))
        sending = asyncio.ensure_future(self._send(websocket, request, tail))
        try:
            await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (gone, sending):
                task.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)

    async def _send(self, websocket: WebSocket, request: Request, tail: _Tail) -> None:
        try:
            first = await self._ask(tail.begin)
            if first:
                await websocket.send_text(tail.write(first, 0))
            checked_at = time.monotonic()
            while True:
                began = time.monotonic()
                found = await self._ask(tail.advance)
                if found.entries or found.left_out:
                    await websocket.send_text(tail.write(found.entries, found.left_out))
                took_s = time.monotonic() - began
                await asyncio.sleep(max(tail.pause_s, _REST * took_s))
                if time.monotonic() - checked_at > _CHECK_S:
                    await self._context.access.check(request, "read")
                    checked_at = time.monotonic()
        except Refusal as refusal:
            code = _TRY_AGAIN if refusal.status == _AWAY else _FAILED
            await websocket.close(code, _shorten(refusal.message))

    async def _ask(self, work: Callable[[CancellableReader], T]) -> T:
        """Ask the store, again and again while it is away. If the client goes away, the query that runs is ended."""
        while True:
            cancellation = Cancellation()
            running = asyncio.ensure_future(self._context.stores.call(_with_reader(work, cancellation)))
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                running.add_done_callback(retrieve_exception)
                cancellation.cancel_until(running.done)
                raise
            except Refusal as refusal:
                if refusal.status != _AWAY:
                    raise
            await asyncio.sleep(_POLL_S)


def _with_reader(work: Callable[[CancellableReader], T], cancellation: Cancellation) -> Callable[[Store], T]:
    return lambda store: work(CancellableReader(store, cancellation))


def _shorten(text: str) -> str:
    return text.encode()[:_MAX_REASON_LENGTH].decode(errors="ignore")
