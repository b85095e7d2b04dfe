"""What every store's doctor needs: the type of its answer, and findings that do not fail with the part they are of."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from puppylog.errors import PuppylogError, StoreForbidden
from puppylog.model.finding import Finding, Health

COMPARED_S: Final = 2.0
"""After so many seconds no other day of a metric is compared with the records."""

_PERIODS_LATE: Final = 10
_LEAST_LATE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Capability:
    """One ability of a store. ``why`` says who provides it, or what is missing and what to do about it."""

    name: str
    is_there: bool
    why: str


@dataclass(frozen=True, slots=True)
class StoreFindings:
    """What the doctor can learn from this kind of store only."""

    findings: Sequence[Finding]
    claimed: frozenset[int]  # ids of the streams that a process follows now


class ComparedDay(NamedTuple):
    """What a metric's buckets of a range hold, and what the records of that range give."""

    since: str  # RFC 3339, as is `until`; half-open
    until: str
    held: int
    there: int


def judge_difference(name: str, day: ComparedDay, what: str, *, is_being_checked: bool, advice: str) -> Finding:
    """Return the finding about a metric whose buckets differ from the records: a fault, unless they are being mended.

    Args:
        name: of the metric.
        day: where it differs.
        what: was counted, "records" or "buckets".
        is_being_checked: whether the store is refreshing the range.
        advice: how to mend it.
    """
    found = f"from {day.since} to {day.until} it holds {day.held} of {day.there} {what}"
    if is_being_checked:
        return Finding(f"metric {name}", Health.NOTE, f"checking: {found}; the range is being refreshed")
    return Finding(f"metric {name}", Health.WRONG, found, advice)


def limit_s(every_s: float) -> float:
    """Return after how many seconds a job with a period of ``every_s`` is late: ten periods, at least a minute."""
    return max(_PERIODS_LATE * every_s, _LEAST_LATE_S)


def findings_of(subject: str, work: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return the findings of ``work``; if it fails, one finding about ``subject`` with the cause.

    That a role may not read a part is a note. Every other cause is a fault.
    """
    try:
        return list(work())
    except StoreForbidden as error:
        advice = "ask as a member of puppylog_reader, or as the owner of the store"
        return [Finding(subject, Health.NOTE, f"this role may not see it: {error.cause}", advice)]
    except PuppylogError as error:
        return [Finding(subject, Health.WRONG, error.message)]


def list_capability_findings(capabilities: Iterable[Capability]) -> list[Finding]:
    """Return a finding for each capability. That a store lacks one is a note."""
    return [
        Finding(
            f"capability {able.name}",
            Health.OK if able.is_there else Health.NOTE,
            f"{_YES_NO[able.is_there]}: {able.why}",
        )
        for able in capabilities
    ]


_YES_NO: Final = {True: "yes", False: "no"}
