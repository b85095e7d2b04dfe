"""The half-open range of time that limits a query."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Range:
    """The instants from ``since`` up to but not including ``until``. None means that this end is open.

    >>> Range(since=datetime(2026, 3, 1, tzinfo=UTC)).parameters()
    {'since': '2026-03-01T00:00:00+00:00', 'until': 'infinity'}
    """

    since: datetime | None = None
    until: datetime | None = None

    def parameters(self) -> dict[str, str]:
        """Return the values of ``$since`` and ``$until``, as text that every store reads as an instant."""
        return {
            "since": "-infinity" if self.since is None else self.since.astimezone(UTC).isoformat(),
            "until": "infinity" if self.until is None else self.until.astimezone(UTC).isoformat(),
        }


ALWAYS = Range()
