"""The routes of a remote store. See `puppylog.stores.remote.protocol` for what goes over the wire."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from puppylog import __version__
from puppylog.errors import PuppylogError, StoreRefused
from puppylog.serve.context import Context, Scope
from puppylog.serve.disconnect import retrieve_exception, wait_for_disconnect
from puppylog.serve.guard import Handler, guarded
from puppylog.serve.refusal import Refusal
from puppylog.serve.store.answers import ClientGone, Pipe, answer, json_frame, render_failure
from puppylog.serve.store.appends import Body, Transaction, read_reread
from puppylog.serve.store.calls import CALLS, Arguments, Call, greet
from puppylog.serve.store.claims import Claims
from puppylog.serve.store.repeats import Repeats
from puppylog.serve.store.rewriting import RewritingRoutes
from puppylog.serve.store.sessions import Session
from puppylog.stores.base import Appended, Store
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.remote.frames import Kind, pack_batch
from puppylog.stores.remote.protocol import CALL_HEADER, PREFIX, PROTOCOL, PROTOCOL_HEADER, SESSION_HEADER

_FRAME_BYTES: Final = 4 << 20
"""The approximate size in bytes of the frames in which rows are sent, before compression."""


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return the routes."""
    return StoreRoutes(context).routes()


class StoreRoutes:
    """Answers the calls of remote stores' clients."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._claims: Claims = context.claims
        self._repeats = Repeats()

    def routes(self) -> list[BaseRoute]:
        handlers: dict[str, tuple[Scope, Handler]] = {
            name: (call.scope, self._json_handler(call)) for name, call in CALLS.items()
        }
        handlers |= {
            "query": ("read", self._query),
            "append": ("ingest", self._append),
            "replay": ("admin", self._replay),
            **RewritingRoutes(self._context, self._run_once, self._find_session).list_handlers(),
            "keep_alive": ("ingest", self._keep_alive),
            "open_session": ("ingest", self._open_session),
            "renew_session": ("ingest", self._renew_session),
            "close_session": ("ingest", self._close_session),
            "open_streams": ("ingest", self._in_session(_open_streams)),
            "close_stream": ("ingest", self._in_session(_close_stream)),
            "claim_sending": ("admin", self._in_session(_claim_sending)),
            "release_sending": ("admin", self._in_session(_release_sending)),
        }
        guarded_handlers = {
            name: guarded(self._context, scope, self._checked(handler), render=render_failure)
            for name, (scope, handler) in handlers.items()
        }
        max_body = self._context.limits.body_bytes
        hello = Call("read", "write", lambda store, _: greet(store, max_body))
        guarded_handlers["hello"] = self._for_any_token(self._json_handler(hello))
        return [Route(PREFIX + name, handler, methods=["POST"]) for name, handler in guarded_handlers.items()]

    def _for_any_token(self, handler: Handler) -> Handler:
        """Return the handler for a token of any scope: a client may only read, or only store lines."""
        readers, writers = (
            guarded(self._context, scope, handler, render=render_failure) for scope in ("read", "ingest")
        )

        async def handle(request: Request) -> Response:
            response = await readers(request)
            return await writers(request) if response.status_code == HTTPStatus.FORBIDDEN else response

        return handle

    @staticmethod
    def _checked(handler: Handler) -> Handler:
        """Return the handler, for calls of this version of the protocol. ``hello`` tells others which one this is."""

        async def handle(request: Request) -> Response:
            if request.headers.get(PROTOCOL_HEADER) != str(PROTOCOL):
                cause = f"the server runs Puppylog {__version__}, which speaks another version of the protocol"
                error = StoreRefused("use", "the remote store", cause, "install the same version on both")
                raise Refusal(HTTPStatus.BAD_REQUEST, cause, error=error)
            return await handler(request)

        return handle

    # --- calls with JSON

    def _json_handler(self, call: Call) -> Handler:
        async def handle(request: Request) -> Response:
            asked = Body(await self._context.read_body(request)).head
            if SESSION_HEADER in request.headers:
                self._touch_quietly(request)

            def work(store: Store) -> object:
                return _read(lambda: call.work(store, asked))

            lanes = {
                "read": self._context.stores.call,
                "write": self._context.stores.write,
                "define": self._context.stores.define,
            }
            return await self._run_once(request, lambda: lanes[call.lane](work))

        return handle

    async def _run_once(self, request: Request, work: Callable[[], Awaitable[Any]]) -> Response:
        """Answer with what ``work`` returns. If the call is repeated, answer as the first one was."""

        async def run() -> bytes:
            return json_frame(await work())

        owner, call_id = request.state.caller.token_id, request.headers.get(CALL_HEADER, "")
        running = self._repeats.run(owner, call_id, lambda: asyncio.ensure_future(run()))
        running.add_done_callback(retrieve_exception)
        return await answer(request, running)

    # --- sessions

    def _in_session(self, work: Callable[[Claims, Session, Arguments], object]) -> Handler:
        """Return a handler that runs ``work`` in the thread of the claims, with the client's session."""

        async def handle(request: Request) -> Response:
            asked = Body(await self._context.read_body(request)).head
            session = self._find_session(request)

            async def run() -> object:
                if work is _open_streams:
                    await self._claims.wait_for_holder(session, _read(lambda: _list_sources(asked)))
                return await self._claims.run(lambda: _read(lambda: work(self._claims, session, asked)))

            return await self._run_once(request, run)

        return handle

    def _find_session(self, request: Request) -> Session:
        """Return the session of a call. Raises UnknownSession."""
        return self._claims.touch(request.headers.get(SESSION_HEADER, ""), request.state.caller.token_id)

    def _touch_quietly(self, request: Request) -> None:
        try:
            self._find_session(request)
        except PuppylogError:
            return  # the call needs no session; one that does opens it again

    async def _open_session(self, request: Request) -> Response:
        asked = Body(await self._context.read_body(request)).head
        session_id, owner = request.headers.get(SESSION_HEADER, ""), request.state.caller.token_id
        if not session_id.isalnum() or len(session_id) != 32:
            raise Refusal(400, "the id of a session has 32 hexadecimal digits")

        def work() -> None:
            host, pid = str(asked["client"]["host"]), int(asked["client"]["pid"])
            claims = [str(source_uri) for source_uri in asked["claims"]]
            client = f"the collector on {_clean(host)} (process {pid})"
            self._claims.open_session(session_id, owner, client, claims, is_sender=bool(asked["is_sender"]))

        response = await self._run_once(request, lambda: self._claims.run(lambda: _read(work)))
        self._touch_quietly(request)
        return response

    async def _renew_session(self, request: Request) -> Response:
        """Renew a session, and answer after a while, or when the client has gone."""
        await self._context.read_body(request)
        session_id, owner = request.headers.get(SESSION_HEADER, ""), request.state.caller.token_id
        gone = asyncio.ensure_future(wait_for_disconnect(request.receive))
        try:
            await self._claims.renew(session_id, owner, gone)
        finally:
            gone.cancel()
        done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        done.set_result(json_frame(None))
        return await answer(request, done)

    async def _close_session(self, request: Request) -> Response:
        await self._context.read_body(request)
        session = self._find_session(request)
        return await self._run_once(request, lambda: self._claims.run(lambda: self._claims.close_session(session.id)))

    async def _keep_alive(self, request: Request) -> Response:
        await self._context.read_body(request)
        return await self._run_once(request, lambda: self._claims.run(self._claims.keep_alive))

    # --- rows

    async def _append(self, request: Request) -> Response:
        body = await self._context.read_body(request)
        session = self._find_session(request)

        def work(store: Store) -> object:
            transaction = Transaction(body)
            self._claims.refuse_foreign(session, transaction.stream_ids)
            started = time.monotonic()
            appended = transaction.commit(store)
            self._count(appended, time.monotonic() - started)
            return appended

        return await self._run_once(request, lambda: self._context.stores.write(work))

    def _count(self, appended: Appended, duration_s: float) -> None:
        counters = self._context.counters
        counters.add_commit("remote", duration_s)
        for name, count in (("requests", 1), ("records", appended.records), ("rejected_lines", appended.rejects)):
            counters.add(name, "store", count)

    async def _replay(self, request: Request) -> Response:
        body = await self._context.read_body(request)
        return await self._run_once(
            request, lambda: self._context.stores.write(lambda store: store.replay(read_reread(body)))
        )

    async def _query(self, request: Request) -> Response:
        asked = Body(await self._context.read_body(request)).head
        cancellation = Cancellation()
        pipe = Pipe(on_leave=lambda: cancellation.cancel_until(running.done))

        def work(store: Store) -> bytes:
            with suppress(ClientGone):
                _read(lambda: _send_answer(store, asked, pipe, cancellation, self._context.limits.query_s))
            return b""

        running = asyncio.ensure_future(self._context.stores.call(work))
        running.add_done_callback(retrieve_exception)
        return await answer(request, running, pipe)


def _send_answer(store: Store, asked: Arguments, pipe: Pipe, cancellation: Cancellation, limit_s: float) -> None:
    asked_s = asked["timeout_s"]
    timeout_s = limit_s if asked_s is None else min(float(asked_s), limit_s)
    with store.stream_query(
        str(asked["sql"]), asked["parameters"] or None, timeout_s=timeout_s, cancellation=cancellation
    ) as batches:
        for batch in batches:
            for piece in _cut(batch):
                pipe.put(pack_batch(Kind.ROWS, piece))


def _cut(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Return the batch in pieces of about _FRAME_BYTES; a batch without rows is one piece."""
    pieces = max(1, -(-batch.nbytes // _FRAME_BYTES))
    rows = max(1, -(-batch.num_rows // pieces))
    return [batch.slice(start, rows) for start in range(0, max(1, batch.num_rows), rows)]


def _read(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work returns
    """Return what ``work`` returns. Arguments of another shape than they should have are the client's fault."""
    try:
        return work()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refusal(400, f"the arguments cannot be used: {type(error).__name__}: {error}") from error


def _list_sources(asked: Arguments) -> list[str]:
    return [str(source_uri) for source_uri in asked["source_uris"]]


def _open_streams(claims: Claims, session: Session, asked: Arguments) -> object:
    group = None if asked["group"] is None else str(asked["group"])
    return list(claims.open_streams(session, _list_sources(asked), group))


def _close_stream(claims: Claims, session: Session, asked: Arguments) -> None:
    claims.close_stream(session, int(asked["stream_id"]))


def _claim_sending(claims: Claims, session: Session, _asked: Arguments) -> bool:
    return claims.claim_sending(session)


def _release_sending(claims: Claims, session: Session, _asked: Arguments) -> None:
    claims.release_sending(session)


def _clean(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:200])
