"""All rows of a statement as a file: CSV, JSON lines or Arrow, sent while the store finds them.

If the statement fails after the first row was sent, the connection ends before the end of the answer, so that no client
takes the part for the whole.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC
from typing import IO, Any, Final, cast

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from puppylog.rows.arrow import ArrowWriter
from puppylog.rows.base import Writer
from puppylog.rows.text import CsvWriter, JsonlWriter
from puppylog.serve.context import Context
from puppylog.serve.disconnect import retrieve_exception, wait_for_disconnect
from puppylog.serve.guard import Handler, guarded
from puppylog.serve.read.errors import render_error
from puppylog.serve.read.parameters import read_body
from puppylog.serve.read.sql import Statement
from puppylog.serve.refusal import Refusal
from puppylog.serve.store.answers import ClientGone, Pipe
from puppylog.stores.base import Store
from puppylog.stores.cancellation import Cancellation

_MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "arrow": "application/vnd.apache.arrow.stream",
}
_PART_BYTES: Final = 256 << 10  # sent at once


class _Parts:
    """A file whose bytes go to the client in parts."""

    encoding = "utf-8"

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put
        self._held = bytearray()
        self.buffer = self  # what a writer of text looks for

    def write(self, data: Any) -> int:  # noqa: ANN401 - any object with a buffer
        self._held += data
        if len(self._held) >= _PART_BYTES:
            self.flush_held()
        return len(data)

    def flush_held(self) -> None:
        """Send the bytes that are held."""
        if self._held:
            self._put(bytes(self._held))
            self._held.clear()

    def flush(self) -> None:
        """Do nothing: a writer calls it before its first byte."""

    def isatty(self) -> bool:
        return False


def with_downloads(context: Context, handler: Handler) -> Handler:
    """Return a handler that answers requests with ``?format=csv``, ``jsonl`` or ``arrow``, and passes others on."""
    download = guarded(context, "read", lambda request: _download(context, request), render=render_error)

    async def handle(request: Request) -> Response:
        return await (download if request.query_params.get("format") in _MEDIA_TYPES else handler)(request)

    return handle


async def _download(context: Context, request: Request) -> Response:
    format_ = request.query_params["format"]
    unknown = set(request.query_params) - {"format"}
    if unknown:
        raise Refusal(400, "there is no such parameter; known are format", place=min(unknown)[:80])
    statement = read_body(Statement, await context.read_body(request))
    limit_s = min(context.limits.query_s, statement.timeout_s or context.limits.query_s)
    cancellation = Cancellation()
    pipe = Pipe(on_leave=lambda: cancellation.cancel_until(running.done))

    def work(store: Store) -> None:
        asked = store.stream_query(statement.sql, timeout_s=limit_s, cancellation=cancellation)
        with suppress(ClientGone), asked as batches:
            _send_rows(batches, format_, pipe)

    running = asyncio.ensure_future(context.stores.call(work))
    running.add_done_callback(retrieve_exception)
    taking = asyncio.ensure_future(pipe.take())
    gone = asyncio.ensure_future(wait_for_disconnect(request.receive))
    await asyncio.wait({running, taking, gone}, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if running.done() and running.exception() is not None:
        taking.cancel()
        running.result()  # the statement failed before its first row: an answer with a status of its own
    return _Rows(format_, running, pipe, taking)


def _send_rows(batches: Iterator[pa.RecordBatch], format_: str, pipe: Pipe) -> None:
    first = next(batches)
    parts = _Parts(pipe.put)
    writer = _open_writer(format_, cast("IO[bytes]", parts), first.schema)
    writer.write(first)
    for batch in batches:
        writer.write(batch)
    writer.close()
    parts.flush_held()


def _open_writer(format_: str, out: IO[bytes], schema: pa.Schema) -> Writer:
    if format_ == "arrow":
        return ArrowWriter(out, schema)
    return (CsvWriter if format_ == "csv" else JsonlWriter)(out, schema, UTC)  # type: ignore[arg-type]  # the writers use only `buffer` of a file of text


class _Rows(Response):
    """Sends parts as they come until the work has ended or the client has gone."""

    def __init__(
        self, format_: str, running: "asyncio.Future[None]", pipe: Pipe, taking: "asyncio.Future[bytes]"
    ) -> None:
        headers = {
            "cache-control": "no-store",
            "content-disposition": f'attachment; filename="puppylog.{format_}"',
        }
        super().__init__(headers=headers, media_type=_MEDIA_TYPES[format_])
        del self.headers["content-length"]
        self._running = running
        self._pipe = pipe
        self._taking = taking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        gone = asyncio.ensure_future(wait_for_disconnect(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while not gone.done():
                waiting: set[asyncio.Future[Any]] = {self._running, self._taking, gone}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if self._taking.done():
                    part, self._taking = self._taking.result(), asyncio.ensure_future(self._pipe.take())
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                elif self._running.done():
                    if self._running.exception() is None:
                        await send({"type": "http.response.body", "body": b"", "more_body": False})
                    return  # without the end of the body, the connection is closed: the file is not whole
        finally:
            gone.cancel()
            self._taking.cancel()
            self._pipe.leave()
