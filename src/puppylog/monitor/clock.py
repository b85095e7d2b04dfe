"""Whether the clock of a store was set back: what its evaluator noted when it re-based instants in the future."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from puppylog.model.finding import format_age
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

# People look once a day.
_WORTH_TELLING_S: Final = 86_400.0

_NAMES: Final = {
    "alerts": "last evaluations of alerts",
    "metrics": "watermarks or refreshes of metrics",
    "reports": "reports on streams",
    "heartbeat": "heartbeats of the evaluator",
}


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The clock was set back, and what lay in the future was moved to now."""

    age_s: float  # since it was noticed
    back_s: float
    rebased: Mapping[str, int]  # how many instants, by their kind

    def describe(self) -> str:
        """Return it as a sentence."""
        parts = ", ".join(f"{count:,} {_NAMES.get(part, part)}" for part, count in self.rebased.items())
        back, age = format_age(self.back_s), format_age(self.age_s)
        return f"the store's clock was set back by {back}, noticed {age} ago; re-based to then: {parts}"


def find_clock_step(reader: RecordReader) -> ClockStep | None:
    """Return by how much the clock was set back within the last day; None if it was not."""
    steps = [row for row in reader.query(_QUERIES["clock_steps"]).to_pylist() if row["age_s"] <= _WORTH_TELLING_S]
    if not steps:
        return None
    return ClockStep(
        age_s=max(0.0, min(row["age_s"] for row in steps)),
        back_s=max(row["back_s"] for row in steps),
        rebased={row["part"]: row["rebased"] for row in steps},
    )
