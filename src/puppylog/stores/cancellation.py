"""Ends a query that another thread runs after its client has gone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from puppylog.errors import PuppylogError, QueryError


class Cancellation:
    """What the thread that runs a query, and the thread that cancels it, share."""

    def __init__(self) -> None:
        """Start with nothing to cancel."""
        self._lock = threading.Lock()
        self._is_cancelled = False  # under the lock, as is the next field
        self._cancel: Callable[[], None] | None = None
        self._cancelling = threading.Lock()  # held while ``cancel`` is called

    @contextmanager
    def calling(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Let another thread call ``cancel`` during the ``with`` block, which runs a query.

        After the block, ``cancel`` is neither running nor called again. Otherwise it could end the next query of the
        same connection.

        Args:
            cancel: must end the query, or do nothing if it is not running; is called several times.

        Raises:
            QueryError: the query was cancelled before it began.
        """
        with self._lock:
            if self._is_cancelled:
                raise QueryError("run", "this SQL", "it was cancelled")
            self._cancel = cancel
        try:
            yield
        finally:
            with self._cancelling, self._lock:
                self._cancel = None

    def cancel(self) -> None:
        """End the query that runs, and let no other one begin. This may wait for the store for some seconds."""
        with self._cancelling:
            with self._lock:
                self._is_cancelled = True
                cancel = self._cancel
            if cancel is not None:
                with suppress(PuppylogError):  # the store is away, and the query with it
                    cancel()

    def cancel_until(self, is_over: Callable[[], bool], *, every_s: float = 0.5) -> None:
        """Cancel in a thread of its own, repeatedly: a query ignores this between two of its steps.

        Args:
            is_over: returns whether the query has ended.
            every_s: how often to cancel, in seconds.
        """

        def run() -> None:
            pause = threading.Event()
            while not is_over():
                self.cancel()
                pause.wait(every_s)

        if not is_over():
            threading.Thread(target=run, name="cancellation", daemon=True).start()
