"""What the doctors of all kinds of stores share: the type of their answer, and findings about parts that fail."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from puppylog.errors import PuppylogError, StoreForbidden
from puppylog.model.finding import Finding, Health
from puppylog.model.period import format_period

COMPARED_S: Final = 2.0
"""For how many seconds the doctor compares a metric's buckets with the records; then it starts no further day."""

_PERIODS_LATE: Final = 10
_MIN_LATE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Capability:
    """An ability that a store may have. ``why`` says what provides it, or what is missing and what to do about it."""

    name: str
    is_available: bool
    why: str


@dataclass(frozen=True, slots=True)
class StoreFindings:
    """The findings of the checks that only this kind of store has, and the streams that are claimed."""

    findings: Sequence[Finding]
    claimed: frozenset[int]  # ids of the streams that a process follows now


class ComparedDay(NamedTuple):
    """The number of records, or of buckets, in a metric's rollup for a range of time, and the correct number."""

    since: str  # RFC 3339, as is `until`; half-open
    until: str
    stored: int  # in the rollup
    expected: int  # computed from the records


def judge_difference(name: str, day: ComparedDay, what: str, *, is_being_checked: bool, advice: str) -> Finding:
    """Return the finding about a metric whose rollup differs from the records: a note if a refresh is under way.

    Args:
        name: the name of the metric.
        day: the range and both numbers.
        what: the things that were counted, "records" or "buckets".
        is_being_checked: whether the store is refreshing the range now.
        advice: how to repair the rollup.
    """
    found = f"from {day.since} to {day.until} it holds {day.stored} of {day.expected} {what}"
    if is_being_checked:
        return Finding(f"metric {name}", Health.NOTE, f"checking: {found}; the range is being refreshed")
    return Finding(f"metric {name}", Health.WRONG, found, advice)


def judge_level(name: str, step_s: int, sums: Mapping[str, Any], what: str, *, advice: str) -> Finding:
    """Return the finding about a level of a metric that does not add up.

    Args:
        name: the name of the metric.
        step_s: the seconds in a bucket of the level.
        sums: the numbers ``stored`` in the level and ``expected`` of it.
        what: the things that were counted, "records" or "buckets".
        advice: how to repair the level.
    """
    found = f"its level of {format_period(step_s)} holds {sums['stored']:.0f} of {sums['expected']:.0f} {what}"
    return Finding(f"metric {name}", Health.WRONG, found, advice)


def judge_derived(name: str, formula: str) -> Finding:
    """Return the finding about a derived metric: it has no buckets of its own that could be wrong or out of date."""
    return Finding(f"metric {name}", Health.OK, f"derived: {formula}; it is computed from its inputs when it is read")


def limit_s(every_s: float) -> float:
    """Return the delay in seconds after which a job that runs every ``every_s`` is late: ten periods, at least 60 s."""
    return max(_PERIODS_LATE * every_s, _MIN_LATE_S)


def findings_of(subject: str, work: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return the findings of ``work``, or one finding about ``subject`` with the cause if ``work`` raises an error.

    The finding is a note if the role may not read that part of the store, and a fault for any other cause.
    """
    try:
        return list(work())
    except StoreForbidden as error:
        advice = "ask as a member of puppylog_reader, or as the owner of the store"
        return [Finding(subject, Health.NOTE, f"this role may not see it: {error.cause}", advice)]
    except PuppylogError as error:
        return [Finding(subject, Health.WRONG, error.message)]


def list_capability_findings(capabilities: Iterable[Capability]) -> list[Finding]:
    """Return a finding for each capability: a note for each that the store does not have."""
    return [
        Finding(
            f"capability {capability.name}",
            Health.OK if capability.is_available else Health.NOTE,
            f"{_YES_NO[capability.is_available]}: {capability.why}",
        )
        for capability in capabilities
    ]


_YES_NO: Final = {True: "yes", False: "no"}
