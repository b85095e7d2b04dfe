"""What a query means, written once more in plain Python: the reference that stores are compared with.

It knows the cases of ASCII and Latin-1 only, and of regular expressions those in REGEXES. Everything else of the
language is here: it is slow, obvious, and shares no code with the product but the tree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

from puppylog.model.query.tree import And, AnyText, FieldRegex, FieldTest, Has, Not, Or, Query, Regex, Value

NOW: Final = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

REGEXES: Final = {
    "^a": r"\Aa",
    "^a.*b$": r"\Aa[^\n]*b\Z",
    "b$": r"b\Z",
    r"\d+": "[0-9]+",
    "(?i)É|b": "[ÉébB]",
    "a.c": "a[^\n]c",
    r"\bfoo\b": r"(?a:\bfoo\b)",
    r"[^a-z\s]": r"[^a-z\t\n\f\r ]",
    r"(a|b){2,3}c?": "(a|b){2,3}c?",
    "^$": r"\A\Z",
    r"\.log": r"\.log",
    "^[45]": r"\A[45]",
}
"""Regular expressions as a query has them, and as Python has them."""

_SEVERITIES: Final = [
    *(["trace"], ["debug"], ["info", "information", "informational"], ["notice"], ["warning", "warn"]),
    *(["error", "err", "severe"], ["critical", "crit", "fatal", "panic"], ["alert"], ["emergency", "emerg"]),
]
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,15}([.][0-9]{0,15})?|[.][0-9]{1,15})(e-[0-9]{1,2})?", re.IGNORECASE)
_TEXTS: Final = ("host", "ident", "ruser", "request_method", "request_route", "request_proto", "referer", "user_agent")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record is from."""

    stream_id: int
    source_uri: str
    group: str | None
    path: str


def matches(query: Query, record: Mapping[str, Any], origin: Origin) -> bool:
    """Return whether the query finds the record, whose attributes are a dictionary or None."""
    match query:
        case Not(part):
            return not matches(part, record, origin)
        case And(parts):
            return all(matches(part, record, origin) for part in parts)
        case Or(parts):
            return any(matches(part, record, origin) for part in parts)
        case AnyText(value):
            return any(_contains(text, value) for text in _texts(record))
    return _holds(query, record, origin)


def _holds(query: FieldTest | FieldRegex | Has, record: Mapping[str, Any], origin: Origin) -> bool:
    if isinstance(query, FieldTest):
        return _test(query, record, origin)
    found = _value(query.name.text, record, origin)
    if isinstance(query, Has) or found is None:
        return found is not None
    return bool(re.search(REGEXES[query.regex.pattern], _text(found)))


def _contains(text: str, value: Value | Regex) -> bool:
    if isinstance(value, Regex):
        return bool(re.search(REGEXES[value.pattern], text))
    return bool(re.search(_pattern(value), text.lower(), re.DOTALL))


def _pattern(value: Value) -> str:
    return ".*".join(re.escape(part.lower()) for part in value.parts)


def _texts(record: Mapping[str, Any]) -> list[str]:
    columns = [record.get(name) for name in (*_TEXTS, "severity", "message")]
    return [text for text in columns if text is not None] + _texts_in(record.get("attributes"))


def _texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for part in inner for text in _texts_in(part)]


def _value(name: str, record: Mapping[str, Any], origin: Origin) -> Any:
    origins = {"source": origin.source_uri, "stream": origin.source_uri, "group": origin.group, "file": origin.path}
    if name in origins:
        return origins[name]
    if name in {*_TEXTS, "severity", "message", "status_code", "response_bytes", "ts"}:
        return record.get(name)
    attributes = record.get("attributes") or {}
    name = name.removeprefix("attributes.")
    flat = attributes.get(name)
    if flat is not None or "." not in name:
        return flat
    outer, inner = name.split(".")
    nested = attributes.get(outer)
    return nested.get(inner) if isinstance(nested, dict) else None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _test(test: FieldTest, record: Mapping[str, Any], origin: Origin) -> bool:
    name = test.name.text
    value = _value(name, record, origin)
    if value is None:
        return name == "group" and test.operator == "!="
    match name:
        case "source" | "stream" | "group" | "file":
            return _from(test, value, origin)
        case "ts":
            return _time(test, value)
        case "severity" if not (test.value.is_quoted and test.operator in {"=", "!="}):
            return _severity(test, value)
    return _compare_value(test, value)


def _compare_value(test: FieldTest, value: Any) -> bool:
    name, text = test.name.text, test.value.text
    is_wild = test.operator == ":" and len(test.value.parts) > 1
    is_number = not is_wild and not test.value.is_quoted and _NUMBER.fullmatch(text)
    if name in {"status_code", "response_bytes"} and not is_wild:
        return _compare(test.operator, float(value), float(text))
    if name not in {*_TEXTS, "severity", "message", "status_code", "response_bytes"} and is_number:
        found = _NUMBER.fullmatch(_text(value))
        return found is not None and _compare(test.operator, float(found[0]), float(text))
    return _compare_text(test, _text(value))


def _compare_text(test: FieldTest, value: str) -> bool:
    if test.operator == ":":
        return bool(re.fullmatch(_pattern(test.value), value.lower(), re.DOTALL))
    return (value == test.value.text) is (test.operator == "=")


def _compare(operator: str, left: Any, right: Any) -> bool:
    answers = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "!=": left != right}
    return bool(answers.get(operator, left == right))


def _severity(test: FieldTest, value: str) -> bool:
    step = next((at for at, words in enumerate(_SEVERITIES) if test.value.text.lower() in words), None)
    if step is None:
        return _compare_text(test, value)
    has = next((at for at, words in enumerate(_SEVERITIES) if value.lower() in words), None)
    return has is not None and _compare(test.operator, has, step)


def _time(test: FieldTest, value: datetime) -> bool:
    text = test.value.text
    if text.startswith("now"):
        return _compare(test.operator, value, NOW - timedelta(minutes=int(text.removeprefix("now-").removesuffix("m"))))
    instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
    if len(text) > len("2026-03-01"):
        return _compare(test.operator, value, instant)
    return _compare(test.operator, value.date(), instant.date())


def _from(test: FieldTest, value: str, origin: Origin) -> bool:
    text = test.value.text
    if test.name.text == "stream" and text.isdecimal():
        return (origin.stream_id == int(text)) is (test.operator != "!=")
    names = [value, unquote(value)] if test.name.text in {"source", "stream"} else [value]
    if test.operator != ":":
        return (text in names) is (test.operator == "=")
    return any(_is_named(test, name) for name in names)


def _is_named(test: FieldTest, value: str) -> bool:
    text = test.value.text
    path = value.partition("://")[2]
    whole = value if "://" not in value else f"/{path.partition('/')[2]}"
    if text.startswith("/"):
        return bool(re.fullmatch(_pattern(test.value), whole.lower(), re.DOTALL))
    places = [0] if test.name.text == "group" else [0, *(at + 1 for at, letter in enumerate(value) if letter == "/")]
    return any(re.fullmatch(_pattern(test.value), value[at:].lower(), re.DOTALL) for at in places)
