"""What a store says of itself when it is examined, and how to look at its parts so that no failure hides the rest."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from puppylog.errors import PuppylogError
from puppylog.model.finding import Finding, Health

_PERIODS_LATE: Final = 10
_LEAST_LATE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Capability:
    """One ability of a store. ``why`` says who provides it, or what is missing and what to do about it."""

    name: str
    is_there: bool
    why: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What only the store itself knows."""

    findings: Sequence[Finding]
    claimed: frozenset[int]  # the streams that some process follows now


def limit_s(every_s: float) -> float:
    """Return when what is done every ``every_s`` is late: after ten times as long, and a minute at least."""
    return max(_PERIODS_LATE * every_s, _LEAST_LATE_S)


def look(subject: str, work: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Return what ``work`` finds. That it fails is a finding as well: what a role may not see is only a note."""
    try:
        return list(work())
    except PuppylogError as error:
        if "permission denied" not in error.message:
            return [Finding(subject, Health.WRONG, error.message)]
        cause = error.message.partition(": ")[2].partition(";")[0]
        advice = "ask as a member of puppylog_reader, or as the owner of the store"
        return [Finding(subject, Health.NOTE, f"this role may not see it: {cause}", advice)]


def find_capabilities(capabilities: Iterable[Capability]) -> list[Finding]:
    """Return a finding for each: what is not there is worth knowing, and no fault."""
    return [
        Finding(
            f"capability {able.name}",
            Health.OK if able.is_there else Health.NOTE,
            f"{_YES_NO[able.is_there]}: {able.why}",
        )
        for able in capabilities
    ]


_YES_NO: Final = {True: "yes", False: "no"}
