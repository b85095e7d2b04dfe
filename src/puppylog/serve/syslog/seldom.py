"""Reports problems that may come with every message, but reports each one seldom."""

import time
from collections.abc import Callable


class Seldom:
    """Reports sentences. Of sentences about one subject, it reports one per period, and says how many it left out."""

    def __init__(self, report: Callable[[str], None], period_s: float) -> None:
        self._report = report
        self._period_s = period_s
        self._said_at: dict[str, float] = {}  # by subject
        self._silent: dict[str, int] = {}  # how many sentences were left out, by subject

    def say(self, subject: str, sentence: str) -> None:
        """Report the sentence, unless one about the subject was reported within the last period."""
        if not self.may_say(subject):
            self._silent[subject] = self._silent.get(subject, 0) + 1
            return
        left_out = self._silent.pop(subject, 0)
        self._said_at[subject] = time.monotonic()
        self._report(f"{sentence} ({left_out:,} more like this since the last report)" if left_out else sentence)

    def may_say(self, subject: str) -> bool:
        """Whether `say` would report now."""
        said_at = self._said_at.get(subject)
        return said_at is None or time.monotonic() - said_at >= self._period_s

    def forget(self, subject: str) -> None:
        """Let `say` report the next sentence about the subject."""
        self._said_at.pop(subject, None)
