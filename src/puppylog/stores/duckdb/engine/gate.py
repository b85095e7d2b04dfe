"""The gate through which queries read: it is closed for a moment while the blocks of deleted rows are freed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Counts the queries that read, and can keep new ones waiting. For several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        # Under the condition.
        self._readers = 0
        self._closed_by = 0  # how many threads keep it closed

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wait until the gate is open, and count as a reader during the ``with`` block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed_by)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self, within_s: float) -> Iterator[bool]:
        """Keep new readers waiting during the ``with`` block. Yield whether no reader is left.

        Args:
            within_s: how many seconds to wait for the present readers. The caller must not be one of them.
        """
        with self._changed:
            self._closed_by += 1
            is_alone = self._changed.wait_for(lambda: self._readers == 0, within_s)
        try:
            yield is_alone
        finally:
            with self._changed:
                self._closed_by -= 1
                self._changed.notify_all()
