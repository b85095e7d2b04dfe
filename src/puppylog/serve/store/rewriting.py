"""The calls of remote stores that replace the rows of a file, and delete streams."""

import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from puppylog.serve.context import Context, Scope
from puppylog.serve.guard import Handler
from puppylog.serve.refusal import Refusal
from puppylog.serve.store.appends import Body, Parts
from puppylog.serve.store.sessions import Session
from puppylog.stores.base import Store
from puppylog.stores.rewriting import ReadFile

T = TypeVar("T")

RunOnce: TypeAlias = Callable[[Request, Callable[[], Awaitable[Any]]], Awaitable[Response]]

_SCOPE: Final[Scope] = "admin"


class RewritingRoutes:
    """Answers these calls. The work runs where metrics are created: it may take minutes, and lines do not wait."""

    def __init__(self, context: Context, run_once: RunOnce, find_session: Callable[[Request], Session]) -> None:
        """Prepare.

        Args:
            context: of the server.
            run_once: answers a call with the result of its work, and a repeated call with the same answer.
            find_session: returns the session of a call.
        """
        self._context = context
        self._run_once = run_once
        self._find_session = find_session
        self._stagings = context.claims.stagings

    def list_handlers(self) -> Mapping[str, tuple[Scope, Handler]]:
        """Return the handlers by the names of their calls, each with the scope that it needs."""
        return {
            "stage_rows": (_SCOPE, self._stage_rows),
            "discard_rows": (_SCOPE, self._discard_rows),
            "rewrite": (_SCOPE, self._rewrite),
            "delete_stream": (_SCOPE, self._delete_stream),
        }

    async def _stage_rows(self, request: Request) -> Response:
        body = await self._context.read_body(request)

        def work(session: Session, _store: Store) -> None:
            opened = Body(body)
            parts = _read(lambda: Parts(opened))
            staging_id, number = _read(lambda: (str(opened.head["id"]), int(opened.head["number"])))
            self._stagings.add(session.id, staging_id, number, [parsed for *_, parsed in parts.iter_rows()])

        return await self._run(request, work)

    async def _discard_rows(self, request: Request) -> Response:
        asked = Body(await self._context.read_body(request)).head
        return await self._run(
            request, lambda session, _store: self._stagings.discard(session.id, _read(lambda: str(asked["id"])))
        )

    async def _rewrite(self, request: Request) -> Response:
        asked = Body(await self._context.read_body(request)).head

        def work(session: Session, store: Store) -> object:
            file = _read(lambda: ReadFile(**{name: int(value) for name, value in asked["file"].items()}))
            staging_id, parts, context = _read(lambda: (str(asked["id"]), int(asked["parts"]), str(asked["context"])))
            self._context.claims.refuse_foreign(session, [file.stream_id])
            staged = self._stagings.find(session.id, staging_id, parts)
            try:
                return staged.replace_rows(store, file, context)
            except (ArithmeticError, ValueError, TypeError, struct.error) as error:  # a time or number out of range
                raise Refusal(400, f"a row of file {file.file_id} cannot be written: {error}") from error

        return await self._run(request, work)

    async def _delete_stream(self, request: Request) -> Response:
        asked = Body(await self._context.read_body(request)).head

        def work(session: Session, store: Store) -> object:
            stream_id = _read(lambda: int(asked["stream_id"]))
            self._context.claims.refuse_foreign(session, [stream_id])
            return store.delete_stream(stream_id)

        return await self._run(request, work)

    async def _run(self, request: Request, work: Callable[[Session, Store], object]) -> Response:
        session = self._find_session(request)
        return await self._run_once(request, lambda: self._context.stores.define(lambda store: work(session, store)))


def _read(work: Callable[[], T]) -> T:
    """Return what ``work`` returns. Arguments of another shape than they should have are the client's fault."""
    try:
        return work()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refusal(400, f"the arguments cannot be used: {type(error).__name__}: {error}") from error
