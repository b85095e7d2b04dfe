"""The receiver of ``systemd-journal-upload``: entries of the journals of other machines, in the export format.

A request has all entries up to the end of a journal, so it may last for hours. Entries are committed while it runs, in
blocks, and the next block is not read before the last one is stored. A sender that repeats entries after an error
stores none twice, see `puppylog.receive.journal`.

What is new is judged by what the entries before have left in the store. So only one block of a machine is decoded and
committed at a time, even if a broken connection and its successor overlap.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from functools import partial
from hashlib import blake2b
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog.formats.journal.export import Entry, ExportDecoder, MalformedExport
from puppylog.receive.journal import decode_entries, group_by_machine
from puppylog.receive.received import Received
from puppylog.serve.commit_queue import Outcome
from puppylog.serve.context import Context
from puppylog.serve.decompress import choose_decoder
from puppylog.serve.guard import guarded
from puppylog.serve.received_streams import clean_source
from puppylog.serve.refusal import Refusal

T = TypeVar("T")

DOOR: Final = "journal-upload"
_MEDIA_TYPE: Final = "application/vnd.fdo.journal"

_BLOCK_BYTES: Final = 4 << 20  # of entries that are committed together, if they come fast enough
_BLOCK_ENTRIES: Final = 20_000  # limits memory: an entry takes some hundred bytes, however small it is
_GATHER_S: Final = 0.2  # entries are committed when no more have come for this time
_PAUSE_S: Final = 60.0  # between two parts of a body: a sender may have to search its journal
_WAIT_S: Final = 60.0  # for a store that is behind or away. The service of systemd kills a sender that hangs for 180 s


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the route of the receiver."""
    blocks = Blocks(context)

    async def receive_entries(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
            raise Refusal(415, f"Content-Type must be {_MEDIA_TYPE}")
        await _receive(request, context, blocks)
        return PlainTextResponse("OK.\n", 202)

    return [Route("/upload", guarded(context, "ingest", receive_entries), methods=["POST"])]


async def _receive(request: Request, context: Context, blocks: "Blocks") -> None:
    """Store the entries of a request while they come.

    Raises:
        Refusal: 400: the body is not the export format, and the entries before the fault are stored; 503: the sender is
            silent, or the store is unavailable or behind.
    """
    decoder = ExportDecoder()
    entries: list[Entry] = []
    share = context.budget.open_share()
    request.scope.setdefault("puppylog.at_end", []).append(share.close)

    async def store() -> None:
        taken = entries.copy()
        entries.clear()
        if taken:
            await blocks.store(taken)
        share.close()

    try:
        async with aclosing(_read_pieces(request, context)) as pieces:
            async for piece in pieces:
                if piece is not None:
                    share.reserve(len(piece))
                    entries += await context.decode(partial(decoder.feed, piece), len(piece))
                if piece is None or share.size_bytes >= _BLOCK_BYTES or len(entries) >= _BLOCK_ENTRIES:
                    await store()
    except MalformedExport as error:
        entries += error.entries
        await store()
        raise Refusal(400, error.cause, place=f"byte {error.at}") from None
    except ClientDisconnect:
        await store()
        raise Refusal(400, "the sender left before the end of the body") from None
    await store()
    if decoder.is_within_entry:
        raise Refusal(400, "the body ends within an entry")


async def _read_pieces(request: Request, context: Context) -> AsyncGenerator[bytes | None, None]:
    """Yield the body in decompressed pieces, and None whenever no more has come for a moment.

    Raises:
        Refusal: 400: the body cannot be decompressed; 503: nothing has come for too long; 415: the encoding is unknown.
        ClientDisconnect: the sender has left.
    """
    decoder = choose_decoder(request.headers.get("content-encoding", ""), context.limits.body_bytes)
    parts = request.stream().__aiter__()
    is_empty = True
    while True:
        coming = asyncio.ensure_future(anext(parts, None))
        try:
            if not (await asyncio.wait({coming}, timeout=_GATHER_S))[0]:
                yield None
                if not (await asyncio.wait({coming}, timeout=_PAUSE_S))[0]:
                    raise Refusal(503, f"nothing has come for {_PAUSE_S:.0f} s")
            part = await coming
        finally:
            coming.cancel()
        try:
            for piece in decoder.finish() if part is None and not is_empty else decoder.decode(part or b""):
                yield piece
        except ValueError as error:
            raise Refusal(400, f"the body cannot be decompressed: {error}") from None
        if part is None:
            return
        is_empty = is_empty and not part


class Blocks:
    """Stores blocks of entries: of each machine one after another."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by source
        self._running: set[asyncio.Task[None]] = set()  # the loop itself keeps no reference

    async def store(self, entries: Sequence[Entry]) -> None:
        """Store the entries that are not stored yet. Return after the commit.

        The next block of a machine waits for the outcome of this one even if the sender leaves meanwhile.

        Raises:
            Refusal: 503: the store is unavailable or behind, or the outcome of an earlier block is still open.
        """
        task = asyncio.create_task(self._store(entries))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.shield(task)

    async def _store(self, entries: Sequence[Entry]) -> None:
        by_source: dict[str, list[Entry]] = {}
        for name, group in group_by_machine(entries).items():
            by_source.setdefault(clean_source(name), []).extend(group)
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_WAIT_S):
                    for source in sorted(by_source):  # in one order, so that two blocks never wait for each other
                        await stack.enter_async_context(self._locks.setdefault(source, asyncio.Lock()))
            except TimeoutError:
                raise Refusal(503, "earlier entries of the machine still wait for the store") from None
            intake = self._context.intake
            contexts = {source: await _retry(partial(intake.find_context, DOOR, source)) for source in by_source}
            size = sum(len(entry.line) for entry in entries)
            received, repeated = await self._context.decode(
                lambda: decode_entries(by_source, contexts, time.time_ns() // 1000), size
            )
            if repeated:
                self._context.counters.add("repeated_entries", DOOR, repeated)
            if received.lines:
                await _retry(partial(self._put, received))

    async def _put(self, received: Received) -> None:
        """Wait for the commit, however long it takes: whether later entries are new depends on its outcome.

        Raises:
            Refusal: 503: too much waits for the store; nothing is stored.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()

        def on_done(outcome: Outcome) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(_resolve, done, outcome)

        self._context.intake.put(DOOR, received, digest=_digest(received), on_done=on_done, waits=False)
        outcome = await done
        if isinstance(outcome, Refusal):
            raise outcome


async def _retry(call: Callable[[], Awaitable[T]]) -> T:
    """Call until the call is not refused with 503; give up after `_WAIT_S` seconds."""
    end = time.monotonic() + _WAIT_S
    while True:
        try:
            return await call()
        except Refusal as refusal:
            pause_s = min(refusal.retry_after_s or 1.0, 1.0)
            if refusal.status != 503 or time.monotonic() + pause_s >= end:
                raise
        await asyncio.sleep(pause_s)


def _digest(received: Received) -> str:
    """Return the digest of a block, by which a commit whose answer was lost is recognized."""
    hashed = blake2b(DOOR.encode(), digest_size=32)
    for lines in received.lines:
        hashed.update(lines.source.encode() + b"\0" + (lines.context or "").encode() + b"\0" + lines.parsed.data)
    return hashed.hexdigest()


def _resolve(done: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not done.done():
        done.set_result(outcome)
