"""What the server tells its user. A sentence that would be told again and again is told once a minute."""

import threading
import time
from collections.abc import Callable
from typing import Final

_AGAIN_S: Final = 60.0
_MAX_SENTENCES: Final = 100


class Reports:
    """Tells sentences. Safe to use from several threads."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare.

        Args:
            tell: tells the user a sentence.
            clock: returns the time in seconds.
        """
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[str, tuple[float, int]] = {}  # when a sentence was told, and how often it was not since

    def __call__(self, sentence: str) -> None:
        """Tell a sentence, unless it was told within the last minute. The next time says how often it was not."""
        now = self._clock()
        with self._lock:
            told_at, held = self._told.get(sentence, (-_AGAIN_S, 0))
            if now < told_at + _AGAIN_S:
                self._told[sentence] = (told_at, held + 1)
                return
            if len(self._told) >= _MAX_SENTENCES:
                self._told.clear()
            self._told[sentence] = (now, 0)
        self._tell(f"{sentence} (and {held} more times)" if held else sentence)
