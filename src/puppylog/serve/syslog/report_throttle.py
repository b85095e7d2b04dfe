"""Reports problems that may come with every message, each one once per period."""

import time
from collections.abc import Callable


class ReportThrottle:
    """Reports sentences. Of sentences about one subject, it reports one per period, and says how many it left out."""

    def __init__(self, report: Callable[[str], None], period_s: float) -> None:
        self._report = report
        self._period_s = period_s
        self._reported_at: dict[str, float] = {}  # by subject
        self._left_out: dict[str, int] = {}  # how many sentences were left out, by subject

    def report(self, subject: str, sentence: str) -> None:
        """Report the sentence, unless one about the subject was reported within the last period."""
        if not self.may_report(subject):
            self._left_out[subject] = self._left_out.get(subject, 0) + 1
            return
        left_out = self._left_out.pop(subject, 0)
        self._reported_at[subject] = time.monotonic()
        self._report(f"{sentence} ({left_out:,} more like this since the last report)" if left_out else sentence)

    def may_report(self, subject: str) -> bool:
        """Whether `report` would report now."""
        reported_at = self._reported_at.get(subject)
        return reported_at is None or time.monotonic() - reported_at >= self._period_s

    def forget(self, subject: str) -> None:
        """Let `report` report the next sentence about the subject."""
        self._reported_at.pop(subject, None)
