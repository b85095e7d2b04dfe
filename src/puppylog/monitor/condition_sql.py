"""The SQL of a condition, which a search can be made of, and what is known about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Part:
    """The records for which two conditions are true, one after the other.

    Attributes:
        first: SQL.
        then: SQL, which is tested only where the first one is true; ``""``: nothing else.
    """

    first: str
    then: str = ""


class ConditionSql(str):
    """The SQL of a condition on records, with what it was made from. A text that is made of it is a plain one.

    Attributes:
        expressions: canonical texts, of expressions that must all be true. Empty: unknown.
        parts: for each record for which the condition is true, exactly one of these is. Empty: there is only the whole.
    """

    __slots__ = ("expressions", "parts")

    expressions: Sequence[str]
    parts: Sequence[Part]

    def __new__(cls, sql: str, expressions: Sequence[str] = (), parts: Sequence[Part] = ()) -> Self:
        made = super().__new__(cls, sql)
        made.expressions, made.parts = expressions, parts
        return made

    def limit(self, sql: str) -> "ConditionSql":
        """Return this condition with another one, in SQL, that must be true, too."""
        parts = [Part(f"({part.first}) AND ({sql})", part.then) for part in self.parts]
        return ConditionSql(f"({self}) AND ({sql})", (), parts)
