"""A session that is opened when it is first needed, and replaced when the connection is lost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from puppylog.errors import ConfigurationError, StoreRefused, StoreUnavailable
from puppylog.stores.postgres.sessions.failures import ConnectionsExhausted, is_read_only
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "server.sql")

T = TypeVar("T")


class Link:
    """A session for one purpose. Several threads may use it; each waits until the other's work is done."""

    def __init__(
        self,
        url: str,
        application: str,
        on_renewal: Callable[[Session], None] | None = None,
    ) -> None:
        # Fields without a comment are not changed after the constructor.
        self._url = url
        self._application = application
        self._on_renewal = on_renewal  # called under the lock
        self.partner: Link | None = None  # set once, by `pair`, before other threads know the link
        self._lock = threading.RLock()
        self._session: Session | None = None  # changed under the lock; `is_lost` reads the reference without it
        self._was_open = False  # under the lock: whether there has been a session
        self._mark: int | None = None  # under the lock: the last session's, until that session is ended

    @property
    def is_lost(self) -> bool:
        """Whether there is no session now. Another thread may be opening one."""
        session = self._session
        return session is None or session.is_broken

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give the session to one thread at a time; a new session if the old one was lost."""
        with self._lock:
            known = self._session
            yield self._connect() if known is None or known.is_broken else known

    def _connect(self) -> Session:
        """Open a session. A refusal may pass if there was a session before.

        A server refuses clients for a while when passwords are changed, when another server takes over, and when a
        backup is restored. A collector that ended with the exit code of a wrong setting would not be started again.
        """
        try:
            session = self._renew()
        except ConfigurationError as error:
            if self._was_open:
                raise StoreUnavailable(*error.parts) from error
            raise
        self._was_open = True
        return session

    def _renew(self) -> Session:
        if self._session is not None:
            self._session.close()
            self._session = None
        session = Session(self._url, application=self._application)
        try:
            mark = session.mark()
            if self._mark is not None:
                session.end_marked(self._mark)  # the lost session may still hold locks or be committing
            self._mark = mark
            if self._on_renewal is not None:
                self._on_renewal(session)
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def pair(self, partner: "Link") -> None:
        """Release the session of one link when the server has no connection left for the other.

        A collector needs both sessions. With one session it stores nothing, and takes it from another collector.
        """
        self.partner, partner.partner = partner, self

    def call(self, work: Callable[[Session], T], *, is_repeatable: bool = True) -> T:
        """Do ``work`` in the session; repeat it in a new one if the session turns out to be lost."""
        try:
            return self._call(work, is_repeatable=is_repeatable)
        except ConnectionsExhausted:
            if self.partner is not None:
                self.partner.release()
            raise

    def _call(self, work: Callable[[Session], T], *, is_repeatable: bool) -> T:
        for is_last in (not is_repeatable, True):
            with self.session() as session:
                try:
                    return work(session)
                except StoreUnavailable:
                    if is_last or not session.is_broken:
                        raise
                except StoreRefused as error:
                    if is_read_only(error):
                        session.close()  # in a failover, the same address may be the new primary's now
                    raise
        raise AssertionError  # the loop returns or raises

    def release(self) -> None:
        """Close the session, unless another thread uses it; the next call opens another one."""
        if self._lock.acquire(blocking=False):
            try:
                self.close()
                self._mark = None  # a closed session ends by itself
            finally:
                self._lock.release()

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None


def connect_both(control: Link, ingest: Link) -> None:
    """Open both sessions of a collector, or keep none.

    Raises:
        StoreUnavailable: the server has no connection for one of them; the advice names the limits.
    """
    limits = control.call(_describe_limits)
    try:
        ingest.call(lambda _: None)
    except ConnectionsExhausted as error:
        verb, thing, cause, advice = error.parts
        advice = f"{advice}; a collector needs two connections ({limits})"
        raise ConnectionsExhausted(verb, thing, cause, advice) from None


def _describe_limits(session: Session) -> str:
    (row,) = session.rows(_QUERIES["connection_limits"])
    parts = [f"max_connections is {row['most']}, of which {row['reserved']} are reserved"]
    parts += [f"role {session.role!r} may have {row['of_role']}"] if row["of_role"] >= 0 else []
    parts += [f"database {session.database!r} may have {row['of_database']}"] if row["of_database"] >= 0 else []
    return ", ".join(parts)
