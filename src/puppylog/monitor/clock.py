"""Whether a store's clock was set back.

An evaluator that finds instants in the future moves them to now (it *re-bases* them) and records that it did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from puppylog.model.finding import format_age
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

# A step is reported for a day, so that people who look once a day see it.
_REPORTED_S: Final = 86_400.0

_NAMES: Final = {
    "alerts": "last evaluations of alerts",
    "metrics": "watermarks or refreshes of metrics",
    "reports": "reports on streams",
    "heartbeat": "heartbeats of the evaluator",
    "notifications": "notifications",
    "requests": "requests of senders",
}


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The store's clock was set back, and instants in the future were moved to now."""

    age_s: float  # seconds since the evaluator noticed the step
    back_s: float  # by how many seconds the clock was set back
    rebased: Mapping[str, int]  # the number of instants that were moved, by kind: a key of `_NAMES`

    def describe(self) -> str:
        """Return a sentence for people."""
        parts = ", ".join(f"{count:,} {_NAMES.get(part, part)}" for part, count in self.rebased.items())
        back, age = format_age(self.back_s), format_age(self.age_s)
        return f"the store's clock was set back by {back}, noticed {age} ago; moved from the future to then: {parts}"


def find_clock_step(reader: RecordReader) -> ClockStep | None:
    """Return the step by which the clock was set back within the last day; None if it was not set back."""
    steps = [row for row in reader.query(_QUERIES["clock_steps"]).to_pylist() if row["age_s"] <= _REPORTED_S]
    if not steps:
        return None
    return ClockStep(
        age_s=max(0.0, min(row["age_s"] for row in steps)),
        back_s=max(row["back_s"] for row in steps),
        rebased={row["part"]: row["rebased"] for row in steps},
    )
