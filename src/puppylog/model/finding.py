"""A finding of the doctor: its subject, the state of that subject, what was found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How something is. The last two want somebody to act, and make a check say no."""

    OK = "ok"  # as it should be
    NOTE = "note"  # worth knowing, such as what a store cannot do; nobody has to do anything
    WARNING = "warning"  # it works, but what it says or does may be wrong, or soon will be
    WRONG = "wrong"  # it does not work

    @property
    def is_bad(self) -> bool:
        return self in (Health.WARNING, Health.WRONG)


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing. ``found`` and ``advice`` are for people, and may quote what a server said."""

    subject: str
    state: Health
    found: str
    advice: str = ""


def format_age(seconds: float) -> str:
    """Return a length of time in the largest unit that it fills: ``4 s``, ``3 min``, ``26 h``, ``12 d``."""
    for size, unit, least in ((86400, "d", 2), (3600, "h", 1), (60, "min", 1)):
        if seconds >= least * size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, round(seconds))} s"
