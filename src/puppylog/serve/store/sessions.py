"""The sessions of clients and what they claim. No I/O: the caller gives the time.

A session lasts as long as its client waits for the answer to a renewal, which it always does. If it does not, because
the connection has broken, the client has probably ended: the session is *doubtful*, and ends soon unless the client
comes back. That a session ends is never a danger to the lines: their positions are in the store.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from puppylog.stores.remote.protocol import LEASE_S, UnknownSession

DOUBT_S: Final = 3.0
"""How many seconds a doubtful session lasts."""

MOST: Final = 10_000
"""The largest number of sessions. A client needs one."""


class TooManySessions(Exception):
    """No more sessions can be opened now."""


@dataclass(slots=True)
class Session:
    """One client that holds claims."""

    id: str
    owner: str  # identifies the token; calls with another token do not find the session
    client: str  # for messages: "the collector on web1 (process 123)"
    expires_at: float
    renewals: int = 0  # that its client waits for; more than one if a broken connection was not noticed yet
    renewed: int = 0  # how many renewals have begun
    streams: dict[int, str] = field(default_factory=dict)  # source URIs by stream id
    is_sender: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Whether the client does not wait for a renewal, so that it has probably ended."""
        return not self.renewals


class Sessions:
    """All sessions. For several threads; what a session claims is changed by the thread that claims."""

    def __init__(self, clock: Callable[[], float], *, lease_s: float = LEASE_S, doubt_s: float = DOUBT_S) -> None:
        """Start without sessions.

        Args:
            clock: returns a time in seconds that only grows.
            lease_s: how long a session lasts after its last renewal began.
            doubt_s: how long a doubtful session lasts after its client was last heard.
        """
        self._clock = clock
        self._lease_s = lease_s
        self._doubt_s = doubt_s
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}  # under the lock

    @property
    def count(self) -> int:
        """How many sessions there are."""
        with self._lock:
            return len(self._sessions)

    def open(self, session_id: str, owner: str, client: str) -> Session:
        """Return the session of this id, which is created if it does not exist.

        Raises:
            UnknownSession: the session belongs to another token.
            TooManySessions: there are MOST sessions.
        """
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                if len(self._sessions) >= MOST:
                    raise TooManySessions
                session = self._sessions[session_id] = Session(session_id, owner, client, 0.0)
            return self._touch(session, owner)

    def touch(self, session_id: str, owner: str) -> Session:
        """Note that the client of a session was heard, and return the session.

        Raises:
            UnknownSession: there is none of this id, or it belongs to another token.
        """
        with self._lock:
            return self._touch(self._sessions.get(session_id), owner)

    def _touch(self, session: Session | None, owner: str) -> Session:
        if session is None or session.owner != owner:
            raise UnknownSession("find", "the session")
        session.expires_at = max(session.expires_at, self._clock() + self._doubt_s)
        return session

    def begin_renewal(self, session_id: str, owner: str) -> Session:
        """Renew the lease of a session, whose client waits from now on. Raises as `touch`."""
        with self._lock:
            session = self._touch(self._sessions.get(session_id), owner)
            session.expires_at = self._clock() + self._lease_s
            session.renewals += 1
            session.renewed += 1
            return session

    def end_renewal(self, session: Session) -> None:
        """Note that the client no longer waits: it was answered, or its connection has broken."""
        with self._lock:
            session.renewals -= 1
            if session.is_doubtful:
                session.expires_at = self._clock() + self._doubt_s

    def end(self, session_id: str) -> Session | None:
        """End a session and return it; None if there is none of this id."""
        with self._lock:
            return self._sessions.pop(session_id, None)

    def take_expired(self) -> list[Session]:
        """End the sessions whose lease has run out, and return them."""
        with self._lock:
            now = self._clock()
            expired = [session for session in self._sessions.values() if session.expires_at <= now]
            for session in expired:
                del self._sessions[session.id]
        return expired

    def find_holder(self, source_uris: Iterable[str]) -> tuple[Session, str] | None:
        """Return a session that has claimed the stream of one of the sources, and that source; None if none has."""
        with self._lock:
            holders = {uri: session for session in self._sessions.values() for uri in session.streams.values()}
        return next(((holders[uri], uri) for uri in source_uris if uri in holders), None)

    def find_stream_holder(self, stream_ids: Iterable[int]) -> Session | None:
        """Return a session that has claimed one of the streams; None if there is none."""
        wanted = frozenset(stream_ids)
        with self._lock:
            return next((one for one in self._sessions.values() if not wanted.isdisjoint(one.streams)), None)

    def find_sender(self) -> Session | None:
        """Return the session that has claimed to send; None if there is none."""
        with self._lock:
            return next((session for session in self._sessions.values() if session.is_sender), None)
