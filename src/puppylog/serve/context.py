"""What every receiver of the server uses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, TypeVar

from starlette.requests import Request

from puppylog.config.listen import ListenConfig
from puppylog.monitor.search import Search
from puppylog.receive.received import Received
from puppylog.serve.body import read_body
from puppylog.serve.budget import Budget
from puppylog.serve.commit_queue import OnDone
from puppylog.serve.counters import Counters
from puppylog.serve.limits import Limits
from puppylog.serve.read.tail.listener import Listener
from puppylog.serve.store.claims import Claims
from puppylog.serve.stores import StoreAccess
from puppylog.serve.threads import Threads
from puppylog.serve.watch import Watch
from puppylog.settings import Settings

T = TypeVar("T")

_SMALL_BYTES: Final = 32 << 10  # decoded within a millisecond, which is what a change of threads costs

Scope: TypeAlias = Literal["ingest", "read", "admin"]
"""What a token allows. ``admin`` includes the others."""


class Caller(Protocol):
    """Who sends a request."""

    @property
    def token_id(self) -> str:
        """Identifies the token; empty if the request needs none. Part of the digest of a request."""

    @property
    def name(self) -> str:
        """The name of the token, for messages; empty as above."""


class Identity(Protocol):
    """Who is logged in."""

    @property
    def needs_token(self) -> bool:
        """Whether requests from there need a token."""

    @property
    def name(self) -> str | None:
        """The name of the token; None if there is none, or none is needed."""

    @property
    def scope(self) -> str | None:
        """What the sender may do; None: nothing."""


class Access(Protocol):
    """Decides who may do what."""

    async def check(self, request: Request, scope: Scope) -> Caller:
        """Return who sends a request.

        Raises:
            Refusal: 401: the request has no token, or one that is unknown, revoked or expired; 403: its token does not
                have the scope.
        """

    async def log_in(self, request: Request, token: str) -> str:
        """Begin a session for a token; return the value of its cookie. Raises as `check`."""

    async def describe(self, request: Request) -> Identity:
        """Return who sends a request, with or without a token. Raises `Refusal` if the store is unavailable."""

    def log_out(self, request: Request) -> None:
        """End the session of a request, if it has one."""

    def start(self) -> None:
        """Called when the server's loop runs."""

    def close(self) -> None: ...


class Stored(Protocol):
    """What became of a request."""

    @property
    def records(self) -> int: ...

    @property
    def rejects(self) -> int: ...

    @property
    def repeated_s(self) -> float | None:
        """How many seconds ago the identical request was stored; None if there was none."""

    @property
    def answer(self) -> str:
        """What is answered: ``answer`` of `Intake.store`, or that of the identical request."""


class Intake(Protocol):
    """Stores what receivers decode."""

    async def store(self, receiver: str, received: Received, *, digest: str | None, answer: str) -> Stored:
        """Store the lines of a request. Return after the commit.

        Raises:
            Refusal: 503: the store is unavailable, full or behind.
        """

    def put(
        self,
        receiver: str,
        received: Received,
        *,
        digest: str | None = None,
        answer: str = "",
        on_done: OnDone = ...,
        waits: bool = True,
    ) -> None:
        """Queue the lines of a request and return at once; see `puppylog.serve.intake.Intake.put`."""

    async def find_context(self, receiver: str, source: str, group: str | None = None) -> str:
        """Return the parser's context after the last lines of a source; see `puppylog.serve.intake.Intake`."""

    @property
    def waiting(self) -> tuple[int, int]:
        """How many rows and bytes wait for their commit."""

    def close(self) -> None: ...


class LiveTails(Protocol):
    """Follows the store for live tails."""

    async def listen(self, search: Search, since: str | None) -> Listener:
        """Return a new listener for the records that match a search; see `puppylog.serve.read.tail.hub.Hub.listen`."""

    def leave(self, listener: Listener) -> None:
        """Forget a listener. It is OK to call this again."""

    def begin_end(self) -> None:
        """End all live tails now. Does not wait."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What every receiver of the server uses."""

    listen: ListenConfig
    settings: Settings
    limits: Limits
    stores: StoreAccess
    access: Access
    claims: Claims
    intake: Intake
    counters: Counters
    budget: Budget
    decoding: Threads
    watch: Watch
    tails: LiveTails
    report: Callable[[str], None]  # tells the user of the process a sentence; safe to call from any thread

    async def decode(self, call: Callable[[], T], size: int) -> T:
        """Call a function that decodes a body of ``size`` bytes, and return what it returns.

        A large body is decoded in a thread, so that the server's loop does not wait for it.
        """
        return call() if size <= _SMALL_BYTES else await self.decoding.submit(call)

    async def read_body(self, request: Request, *, also_encoded: str = "") -> bytes:
        """Return the body of a request. Arguments and errors are those of `puppylog.serve.body.read_body`."""
        return await read_body(request, self.limits, self.budget, also_encoded=also_encoded)

    def take_memory(self, request: Request, size: int) -> None:
        """Take memory of `budget` until the request is answered.

        Raises:
            Refusal: 503: there is no memory now.
        """
        share = self.budget.open_share()
        request.scope.setdefault("puppylog.at_end", []).append(share.close)
        share.reserve(size)
