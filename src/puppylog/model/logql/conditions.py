"""What a LogQL query asks of records, before it becomes SQL.

The parts are expressions (`puppylog.model.expression`), sets of streams, and comparisons of numbers with a unit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from puppylog.model.logql.tree import Comparison, Unit


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition as the text of an expression. Where it is null, it does not hold."""

    text: str


@dataclass(frozen=True, slots=True)
class InStreams:
    """Holds for the records of these streams."""

    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of the number in a text. A text that has no such number does not match.

    Attributes:
        text: an expression of type text.
        unit: how the text is read: as a number, as a duration in seconds, or as a size in bytes.
    """

    text: str
    unit: Unit
    operator: Comparison
    value: float


@dataclass(frozen=True, slots=True)
class Every:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    parts: "tuple[Condition, ...]"


Condition: TypeAlias = Expression | InStreams | Compared | Every | Some

TRUE: Final = Expression("TRUE")
FALSE: Final = Expression("FALSE")


def every(parts: Iterable[Condition]) -> Condition:
    """Return the condition that all parts hold. Sets of streams are joined."""
    found: list[Condition] = []
    ids: frozenset[int] | None = None
    for part in parts:
        for inner in part.parts if isinstance(part, Every) else (part,):
            if isinstance(inner, InStreams):
                ids = inner.ids if ids is None else ids & inner.ids
            elif inner != TRUE:
                found.append(inner)
    if FALSE in found or ids == frozenset():
        return FALSE
    if ids is not None:
        found.insert(0, InStreams(ids))
    return found[0] if len(found) == 1 else Every(tuple(found)) if found else TRUE


def some(parts: Iterable[Condition]) -> Condition:
    """Return the condition that at least one part holds."""
    found = [part for part in parts if part != FALSE]
    if TRUE in found:
        return TRUE
    return found[0] if len(found) == 1 else Some(tuple(found)) if found else FALSE
