"""A session that is there when it is needed, and replaced when it is lost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from puppylog.errors import StoreUnavailable
from puppylog.stores.postgres import streams
from puppylog.stores.postgres.session import Session

T = TypeVar("T")


class Link:
    """A session for one purpose. May be used by several threads, one after another."""

    def __init__(
        self,
        url: str,
        application: str,
        on_renewal: Callable[[Session], None] | None = None,
    ) -> None:
        self._url = url
        self._application = application
        self._on_renewal = on_renewal
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._backend: dict[str, object] | None = None

    @property
    def is_lost(self) -> bool:
        return self._session is None or self._session.is_broken

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give the session to one thread; a new one if it was lost."""
        with self._lock:
            known = self._session
            yield self._renew() if known is None or known.is_broken else known

    def _renew(self) -> Session:
        if self._session is not None:
            self._session.close()
            self._session = None
        session = Session(self._url, application=self._application)
        try:
            backend = streams.own_backend(session)
            if self._backend is not None:
                streams.end_backend(session, self._backend)  # it may hold locks, or be committing still
            self._backend = backend
            if self._on_renewal is not None:
                self._on_renewal(session)
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def call(self, work: Callable[[Session], T], *, is_repeatable: bool = True) -> T:
        """Do ``work`` in the session; once more in a new one if the session turns out to be lost."""
        for is_last in (not is_repeatable, True):
            with self.session() as session:
                try:
                    return work(session)
                except StoreUnavailable:
                    if is_last or not session.is_broken:
                        raise
        raise AssertionError  # the loop returns or raises

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None
