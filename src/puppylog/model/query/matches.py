"""Which parts of a record's texts a query has found, so that a screen can show them.

Words, phrases and regular expressions are looked for in every text; the values of ``field:value`` and ``field~/…/`` in
that field only. A test behind ``not`` finds nothing that could be shown, and neither does a comparison of numbers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from puppylog.model.query.tree import And, AnyText, FieldRegex, FieldTest, Or, Query, Regex, Value
from puppylog.model.record import ALIASES, COLUMNS

# Longer texts are not searched: nobody reads a text of more screens than one for its colours.
_MAX_CHARACTERS: Final = 20_000
_PREFIX: Final = "attributes."

Span: TypeAlias = tuple[int, int]
"""The index of the first character, and the index behind the last one."""

Finder: TypeAlias = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Matches:
    """Finds the parts of texts that a query has found."""

    anywhere: Sequence[Finder] = ()
    by_field: Mapping[str, Sequence[Finder]] = field(default_factory=dict)  # a name of an attribute has no prefix

    def __bool__(self) -> bool:
        return bool(self.anywhere or self.by_field)

    def find(self, name: str, text: str) -> Sequence[Span]:
        """Return the found parts of the text of the column or attribute ``name``, from left to right."""
        finders = [*self.anywhere, *self.by_field.get(name, ())]
        if not finders or len(text) > _MAX_CHARACTERS:
            return ()
        return merge_spans([span for find in finders for span in find(text)])


def find_matches(query: Query | None) -> Matches:
    """Return what finds the matches of the query; without a query, it finds nothing."""
    anywhere: list[Finder] = []
    by_field: dict[str, list[Finder]] = {}
    if query is not None:
        _collect(query, anywhere, by_field)
    return Matches(anywhere, by_field)


def _collect(query: Query, anywhere: list[Finder], by_field: dict[str, list[Finder]]) -> None:
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                _collect(part, anywhere, by_field)
        case AnyText(value):
            anywhere.extend(_finders(value))
        case FieldRegex(name, regex):
            by_field.setdefault(_field_name(name.text), []).extend(_finders(regex))
        case FieldTest(name, ":" | "=", value):
            by_field.setdefault(_field_name(name.text), []).extend(_finders(value))


def _field_name(name: str) -> str:
    if name.lower().startswith(_PREFIX):
        return name[len(_PREFIX) :]
    column = ALIASES.get(name.lower(), name.lower())
    return column if column in COLUMNS else name


def _finders(value: Value | Regex) -> Sequence[Finder]:
    if isinstance(value, Value):
        return [_find_literally([part for part in value.parts if part])] if any(value.parts) else []
    from puppylog.model.regex import parse_regex  # noqa: PLC0415 - most queries have no regular expression
    from puppylog.model.regex.spans import SpanFinder  # noqa: PLC0415 - likewise

    return [SpanFinder(parse_regex(value.pattern)).find]


def _find_literally(texts: Sequence[str]) -> Finder:
    pattern = re.compile("|".join(map(re.escape, texts)), re.IGNORECASE)
    return lambda text: [found.span() for found in pattern.finditer(text)]


def merge_spans(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order. Spans that overlap or touch become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
