"""A finding of ``puppylog doctor``: its subject, the state of the subject, what was found, and what the user can do."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """The state of a subject. WARNING and WRONG ask the user to act, and make the command exit with 1."""

    OK = "ok"
    NOTE = "note"  # worth knowing, such as what a store cannot do; no action is needed
    WARNING = "warning"  # it works, but gives wrong results in some cases, or will fail soon
    WRONG = "wrong"  # it does not work

    @property
    def is_bad(self) -> bool:
        return self in (Health.WARNING, Health.WRONG)


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one subject. ``found`` and ``advice`` are for people and may quote messages of a server."""

    subject: str
    state: Health
    found: str
    advice: str = ""


def format_age(seconds: float) -> str:
    """Return ``seconds`` in whole units: ``4 s``, ``3 min``, ``26 h``, ``12 d``. Days are used from two days on."""
    for size, unit, least in ((86400, "d", 2), (3600, "h", 1), (60, "min", 1)):
        if seconds >= least * size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, round(seconds))} s"
