"""What a regular expression consists of. Case, classes and flags are gone: sets of characters say it all."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from puppylog.model.regex.characters import Ranges, ignore_case


class Place(StrEnum):
    """What must be true of the place between two characters."""

    START = "start"
    END = "end"
    LINE_START = "line start"
    LINE_END = "line end"
    WORD_EDGE = "word edge"
    NO_WORD_EDGE = "no word edge"


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Assertion:
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: "tuple[Regex, ...]"


@dataclass(frozen=True, slots=True)
class Alternatives:
    parts: "tuple[Regex, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    part: "Regex"
    least: int
    most: int | None  # None: any number


Regex: TypeAlias = Characters | Assertion | Sequence | Alternatives | Repeat

EMPTY = Sequence(())
_WORD_EDGE_LENGTH = 100  # PostgreSQL gets four look-arounds for one, and calls 80 of them in a row too complex


def length(regex: Regex) -> int:
    """Return how many characters the expression has when its counts are written out."""
    match regex:
        case Repeat(part, least, most):
            return max(least, most or 1, 1) * length(part)
        case Sequence(parts) | Alternatives(parts):
            return max(1, sum(map(length, parts)))
        case Assertion(Place.WORD_EDGE | Place.NO_WORD_EDGE):
            return _WORD_EDGE_LENGTH
    return 1


def literal_text(regex: Regex) -> str | None:
    """Return a text that the expression matches when case is ignored, if it matches nothing else; otherwise None."""
    if isinstance(regex, Sequence):
        parts = [literal_text(part) for part in regex.parts]
        return "".join(part for part in parts if part is not None) if None not in parts else None
    if not isinstance(regex, Characters) or not regex.ranges:
        return None
    first = regex.ranges[0][0]
    is_one = regex.ranges == ((first, first),) or regex.ranges == ignore_case(((first, first),))
    return chr(first) if is_one else None
