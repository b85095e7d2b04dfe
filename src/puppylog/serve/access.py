"""Who may do what: the token of a request, or its session, and the scope that the request needs.

A request needs no token if ``[listen] open`` says so, or if it comes from this machine to a loopback address, and the
store has never had a token. Once a token was created, all requests need one, even after it was revoked or has expired:
otherwise the expiry of the last token would let in every program.

Only hashes of tokens are compared. How long a comparison takes could tell a part of a hash, and nothing of its token.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from puppylog.config.listen import ListenConfig
from puppylog.model.address import Address
from puppylog.model.token import Scope, Token, hash_token
from puppylog.serve import context
from puppylog.serve.credentials import COOKIE, Unreadable, read_token
from puppylog.serve.failed_attempts import FailedAttempts
from puppylog.serve.refusal import Refusal
from puppylog.serve.sessions import Sessions
from puppylog.serve.stores import StoreAccess
from puppylog.serve.token_cache import TokenCache
from puppylog.serve.token_uses import TokenUses

_CHALLENGE: Final = 'Bearer realm="puppylog"'
_RETRY_S: Final = 1.0  # between two attempts to see whether the store has tokens, when the server starts
_NO_TOKENS: Final = (
    "the store has no tokens, so the server refuses every request; create one with: "
    "puppylog tokens create NAME --scope ingest"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. Implements `puppylog.serve.context.Caller`."""

    token_id: str = ""
    name: str = ""


_ANYONE: Final = Caller()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is logged in. Implements `puppylog.serve.context.Identity`."""

    needs_token: bool
    name: str | None = None
    scope: Scope | None = None


class TokenAccess:
    """Implements `puppylog.serve.context.Access`. Used in the server's loop only."""

    def __init__(self, listen: ListenConfig, stores: StoreAccess, report: Callable[[str], None]) -> None:
        """Prepare; the store is asked when requests come.

        Args:
            listen: where the server listens, and whether it is open.
            stores: has the tokens.
            report: shows the user of the process a sentence.
        """
        self._listen = listen
        self._report = report
        self._tokens = TokenCache(stores)
        self._uses = TokenUses(stores)
        self._failed = FailedAttempts()
        self._sessions = Sessions()
        self._starting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Say in the background that the server refuses every request, if the store has no tokens."""
        if not self._listen.open and not self._listen.address.is_loopback:
            self._starting = asyncio.create_task(self._say_if_useless())

    async def _say_if_useless(self) -> None:
        while True:
            with suppress(Refusal):  # the store does not answer yet
                if not await self._tokens.has_any():
                    self._report(_NO_TOKENS)
                return
            await asyncio.sleep(_RETRY_S)

    async def check(self, request: Request, scope: context.Scope) -> Caller:
        """Return who sends a request.

        Raises:
            Refusal: 401: the request has no token, or one that is unknown, revoked or expired; 403: its token does not
                have the scope; 429: too many wrong tokens come from its address; 503: the store is unavailable.
        """
        if not await self._needs_token(request):
            return _ANYONE
        try:
            token = read_token(request)
        except Unreadable as fault:  # not counted: it is not an attempt to guess a token
            raise _unauthorized(str(fault), is_invalid=True) from None
        hash_ = self._find_session(request) if token is None else hash_token(token)
        if hash_ is None:
            raise _unauthorized("a token is needed, such as in the header Authorization: Bearer ppl_…")
        found = await self._find(request, hash_)
        needed = Scope(scope)
        if not found.scope.includes(needed):
            cause = f"token {found.name!r} has the scope {found.scope}, and {needed} is needed"
            raise Refusal(403, cause, challenge=f'{_CHALLENGE}, error="insufficient_scope", scope="{needed}"')
        self._uses.note(found.id)
        return Caller(str(found.id), found.name)

    async def log_in(self, request: Request, token: str) -> str:
        """Begin a session for a token; return the value of its cookie.

        Raises:
            Refusal: as `check`.
        """
        hash_ = hash_token(token)
        self._uses.note((await self._find(request, hash_)).id)
        return self._sessions.begin(hash_)

    async def describe(self, request: Request) -> context.Identity:
        """Return who sends a request, with or without a token.

        Raises:
            Refusal: 429 and 503, as `check`.
        """
        if not await self._needs_token(request):
            return Identity(needs_token=False, scope=Scope.ADMIN)
        try:
            token = read_token(request)
            hash_ = self._find_session(request) if token is None else hash_token(token)
            found = None if hash_ is None else await self._find(request, hash_)
        except Unreadable:
            found = None
        except Refusal as refusal:
            if refusal.status != HTTPStatus.UNAUTHORIZED:
                raise
            found = None
        return Identity(needs_token=True) if found is None else Identity(True, found.name, found.scope)

    def log_out(self, request: Request) -> None:
        """End the session of a request, if it has one."""
        self._sessions.end(request.cookies.get(COOKIE, ""))

    def _find_session(self, request: Request) -> str | None:
        cookie = request.cookies.get(COOKIE)
        return None if cookie is None else self._sessions.find(cookie)

    async def _needs_token(self, request: Request) -> bool:
        if self._listen.open:
            return False
        if not self._listen.address.is_loopback or not _is_local(request):
            return True
        return await self._tokens.has_any()

    async def _find(self, request: Request, hash_: str) -> Token:
        """Return the token with this hash, if it is accepted now.

        A token that was right before passes, however many wrong ones come from its address. A wrong token counts once:
        a sender that repeats a revoked token keeps nobody else on its machine from using a new one.
        """
        wait_s = self._failed.find_wait_s(_address_of(request))
        if wait_s > 0 and not self._tokens.is_known(hash_):
            cause = "too many wrong tokens from this address"
            raise Refusal(429, cause, retry_after_s=wait_s)
        was_asked = self._tokens.was_asked(hash_)
        token = await self._tokens.find(hash_)
        fault = "unknown" if token is None else token.find_fault(datetime.now(UTC))
        if token is None or fault is not None:
            if not was_asked:
                self._failed.add(_address_of(request))
            raise _unauthorized(f"the token is {fault}", is_invalid=True)
        return token

    def close(self) -> None:
        """Nothing is open: the tasks end with the server's loop."""


def _unauthorized(cause: str, *, is_invalid: bool = False) -> Refusal:
    challenge = f'{_CHALLENGE}, error="invalid_token"' if is_invalid else _CHALLENGE
    return Refusal(401, cause, challenge=challenge)


def _address_of(request: Request) -> str:
    return "" if request.client is None else request.client.host


def _is_local(request: Request) -> bool:
    """Return whether a request comes from this machine, by the address that trusted proxies tell."""
    return Address(_address_of(request), 0).is_loopback
