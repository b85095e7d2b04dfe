"""Writes a query as text, which parses to the same tree."""

import re
from typing import Final

from puppylog.model.query.scanning import REGEX
from puppylog.model.query.tree import And, AnyText, FieldRegex, FieldTest, Has, Name, Not, Or, Query, Regex, Value

_NAME: Final = re.compile(r"[A-Za-z_@][\w.@-]*")
_SPECIAL_IN_WORD: Final = re.compile(r'([\\*"():=<>~! ]|^[-/])')
_SPECIAL_IN_VALUE: Final = re.compile(r'([\\*"() ]|^[:=<>~!])')
_KEYWORDS: Final = frozenset({"and", "or", "not"})


def write_query(query: Query) -> str:
    """Return the text of a query in its shortest form.

    >>> from puppylog.model.query import parse_query, write_query
    >>> write_query(parse_query("NOT (a AND (b))  or c"))
    '-(a b) or c'
    """
    match query:
        case Not(part):
            return f"-({write_query(part)})" if isinstance(part, And | Or) else f"-{write_query(part)}"
        case And(parts):
            return " ".join(f"({write_query(part)})" if isinstance(part, Or) else write_query(part) for part in parts)
        case Or(parts):
            return " or ".join(write_query(part) for part in parts)
    return _test(query)


def _test(query: AnyText | FieldTest | FieldRegex | Has) -> str:
    match query:
        case AnyText(value):
            return f"/{value.pattern}/" if isinstance(value, Regex) else _word(value)
        case FieldTest(name, operator, value):
            return f"{_name(name)}{operator}{_value(value)}"
        case FieldRegex(name, regex):
            return f"{_name(name)}~{_regex(regex.pattern)}"
    return f"has:{_name(query.name)}"


def _regex(pattern: str) -> str:
    """Return a pattern between slashes, or in quotes if it has a slash at which it would end."""
    written = f"/{pattern}/"
    found = REGEX.match(written)
    return written if found and found.end() == len(written) else _quote(pattern)


def _name(name: Name) -> str:
    return name.text if _NAME.fullmatch(name.text) else _quote(name.text)


def _word(value: Value) -> str:
    if value.is_quoted:
        return _quote(value.text)
    text = "*".join(_SPECIAL_IN_WORD.sub(r"\\\1", part) for part in value.parts)
    return f"*{text}" if text.lower() in _KEYWORDS else text


def _value(value: Value) -> str:
    if value.is_quoted:
        return _quote(value.text)
    return "*".join(_SPECIAL_IN_VALUE.sub(r"\\\1", part) for part in value.parts)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
