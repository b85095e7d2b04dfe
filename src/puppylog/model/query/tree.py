"""The tree of a query. Two trees are equal if their nodes are equal; the positions in the query's text do not count."""

from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Operator: TypeAlias = Literal[":", "=", "!=", "<", "<=", ">", ">="]
OPERATORS: Final[tuple[Operator, ...]] = ("!=", "<=", ">=", ":", "=", "<", ">")  # longer ones first


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the query's text, in characters."""

    start: int = 0
    end: int = 0


_NOWHERE = Span()


@dataclass(frozen=True, slots=True)
class Value:
    """A text to compare with. Any characters may be between two ``parts``, where the user wrote ``*``."""

    parts: tuple[str, ...]
    is_quoted: bool = False  # a quoted value is text, even if it looks like a number
    span: Span = field(default=_NOWHERE, compare=False)

    @property
    def text(self) -> str:
        """The value as the user wrote it, with ``*`` between its parts."""
        return "*".join(self.parts)


@dataclass(frozen=True, slots=True)
class Regex:
    pattern: str
    span: Span = field(default=_NOWHERE, compare=False)  # of the pattern, without its slashes


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a field, as it was written."""

    text: str
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AnyText:
    """Tests whether any text of the record contains the value, or matches the regular expression."""

    value: Value | Regex


@dataclass(frozen=True, slots=True)
class FieldTest:
    name: Name
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class FieldRegex:
    name: Name
    regex: Regex


@dataclass(frozen=True, slots=True)
class Has:
    name: Name


@dataclass(frozen=True, slots=True)
class Not:
    part: "Query"


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Query, ...]"


Query: TypeAlias = AnyText | FieldTest | FieldRegex | Has | Not | And | Or


def has_bare_word(query: Query) -> bool:
    """Whether the query has a word without quotes, apart from the values of fields."""
    match query:
        case AnyText(Value(is_quoted=False)):
            return True
        case Not(part):
            return has_bare_word(part)
        case And(parts) | Or(parts):
            return any(map(has_bare_word, parts))
    return False


def iter_names(query: Query) -> list[Name]:
    """Return the names of all fields in the order of the query."""
    match query:
        case FieldTest(name) | FieldRegex(name) | Has(name):
            return [name]
        case Not(part):
            return iter_names(part)
        case And(parts) | Or(parts):
            return [name for part in parts for name in iter_names(part)]
    return []
