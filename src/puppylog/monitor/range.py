"""A half-open range of time, as every question to a store has one."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Range:
    """``since`` belongs to it, ``until`` does not. None has no end."""

    since: datetime | None = None
    until: datetime | None = None

    def parameters(self) -> dict[str, str]:
        """Return the values of ``$since`` and ``$until``, which every store takes as instants."""
        return {
            "since": "-infinity" if self.since is None else self.since.astimezone(UTC).isoformat(),
            "until": "infinity" if self.until is None else self.until.astimezone(UTC).isoformat(),
        }


ALWAYS = Range()
