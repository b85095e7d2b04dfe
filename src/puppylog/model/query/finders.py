"""Finds in texts what a query has found in a record.

Words, phrases and regular expressions are looked for in every text; the values of ``field:value`` and ``field~/…/`` in
that field only. A test after ``not`` finds nothing that could be shown, and neither does a comparison of numbers.
"""

import re
from collections.abc import Sequence
from typing import Final

from puppylog.model.query.matches import Finder, Matches
from puppylog.model.query.tree import And, AnyText, FieldRegex, FieldTest, Or, Query, Regex, Value
from puppylog.model.record import ALIASES, COLUMNS

_PREFIX: Final = "attributes."


def find_matches(query: Query) -> Matches:
    """Return what finds the matches of the query."""
    anywhere: list[Finder] = []
    by_field: dict[str, list[Finder]] = {}
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
    from puppylog.model.regex.spans import SpanFinder  # noqa: PLC0415 - as above

    return [SpanFinder(parse_regex(value.pattern)).find]


def _find_literally(texts: Sequence[str]) -> Finder:
    pattern = re.compile("|".join(map(re.escape, texts)), re.IGNORECASE)
    return lambda text: [found.span() for found in pattern.finditer(text)]
