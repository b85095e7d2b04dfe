"""Random queries and random records for which queries mean something."""

import json
import random
from datetime import timedelta
from typing import Any, Final

from hypothesis import strategies as st

from puppylog.model.query.tree import And, AnyText, FieldRegex, FieldTest, Has, Name, Not, Or, Query, Regex, Value
from support.query_meaning import NOW, REGEXES

TEXTS: Final = (
    *("abc", "aXc", "a\nc", "ABC b", "foo bar", "food", "", "É b", "é", "10.0.0.1", "a%_b", "it's", 'say "hi"', "a\\b"),
    *("{}$x", "aab", "42", "4.50", "-7", "1e-2", "12345678901234567", "/var/log", "😀 b", "x*y", "(a)"),
)
NUMBERS: Final = ("42", "4.5", "-7", "0", "500", "0.01", "404", "99999", "+42", ".5", "1e-2", "1E-30", "0.00001")
ATTRIBUTES: Final = ("user", "n", "a.b", "http.code", "attributes.user")
KNOWN: Final = {"user": "ann", "n": "1", "a.b": "x", "http.code": "200"}
"""The attributes that a store knows, with examples."""

_OPERATORS: Final = st.sampled_from([":", "=", "!=", "<", "<=", ">", ">="])
_EQUALITIES: Final = st.sampled_from([":", "=", "!="])


def _values(texts: st.SearchStrategy[str], *, may_be_quoted: bool = True) -> st.SearchStrategy[Value]:
    """Give values that are all of a text, or that match a part of one with ``*``."""
    bare = texts.filter(lambda text: text and not set(text) & set("\n\t"))
    wild = st.lists(texts.map(lambda text: text[:2]).filter(lambda text: "\n" not in text), min_size=2, max_size=3)
    plain = bare.map(lambda text: Value((text,)))
    starred = wild.map(lambda parts: Value((parts[0], *(part for part in parts[1:-1] if part), parts[-1])))
    quoted = texts.map(lambda text: Value((text,), is_quoted=True))
    return st.one_of(plain, starred, quoted) if may_be_quoted else st.one_of(plain, starred)


_TEXTS: Final = st.one_of(st.sampled_from(TEXTS), st.text("aBé .*/-\\\"'(:=%_$", max_size=4))
_NAMES: Final = st.sampled_from([*ATTRIBUTES, "host", "message", "request_method", "severity", "status_code", "ts"])
_TEXT_NAMES: Final = st.sampled_from(["host", "message", "request_method", *ATTRIBUTES])
_PATTERNS: Final = st.sampled_from(list(REGEXES)).map(Regex)
_TIMES: Final = st.sampled_from(["2026-03-01", "2026-02-28", "2026-03-01T12:00:00", "now-30m", "now-0m", "now-90m"])
_ORIGINS: Final = st.sampled_from(
    ["access.log", "/var/log/my app.log", "/var/log/*", "*.log", "shop", "SHOP", "1", "2", "nope", "log/access.log"]
)
_SEVERITIES: Final = st.sampled_from(["warning", "WARN", "err", "info", "trace", "emergency", "panic"])


def _wild(text: str) -> Value:
    return Value(tuple(text.split("*")))


def _words() -> st.SearchStrategy[AnyText]:
    words = _values(_TEXTS).map(
        lambda value: value if value.is_quoted else Value(tuple(part for part in value.parts if part))
    )
    return st.one_of(words.filter(lambda value: bool(value.text)).map(AnyText), _PATTERNS.map(AnyText))


_TESTS: Final[st.SearchStrategy[Query]] = st.one_of(
    _words(),
    st.one_of(_NAMES, st.sampled_from(["group", "file", "source"])).map(lambda name: Has(Name(name))),
    st.builds(FieldRegex, _TEXT_NAMES.map(Name), _PATTERNS),
    st.builds(FieldRegex, st.sampled_from(["severity", "status_code", "file", "group"]).map(Name), _PATTERNS),
    st.builds(FieldTest, _TEXT_NAMES.map(Name), _EQUALITIES, _values(_TEXTS)),
    st.builds(FieldTest, st.sampled_from(ATTRIBUTES).map(Name), _OPERATORS, st.sampled_from(NUMBERS).map(_wild)),
    st.builds(
        FieldTest,
        st.sampled_from(["status_code", "response_bytes"]).map(Name),
        _OPERATORS,
        st.sampled_from(NUMBERS).map(_wild),
    ),
    st.builds(FieldTest, st.just(Name("status_code")), st.just(":"), st.sampled_from(["4*", "*0*", "50*"]).map(_wild)),
    st.builds(FieldTest, st.just(Name("ts")), _OPERATORS, _TIMES.map(_wild)),
    st.builds(FieldTest, st.just(Name("severity")), _OPERATORS, _SEVERITIES.map(_wild)),
    st.builds(
        FieldTest, st.sampled_from(["source", "stream", "group", "file"]).map(Name), _EQUALITIES, _ORIGINS.map(_wild)
    ),
)


def _joined(part: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    parts = st.lists(part, min_size=2, max_size=3)
    return st.one_of(
        parts.map(lambda found: And(_flat(And, found))),
        parts.map(lambda found: Or(_flat(Or, found))),
        part.map(lambda inner: inner.part if isinstance(inner, Not) else Not(inner)),
    )


def _flat(kind: type[And] | type[Or], parts: list[Query]) -> tuple[Query, ...]:
    return tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))


queries: Final[st.SearchStrategy[Query]] = st.recursive(_TESTS, _joined, max_leaves=5)


def make_records(count: int) -> list[dict[str, Any]]:
    """Return random records, whose attributes are dictionaries or None."""
    return [_record() for _ in range(count)]


def _record() -> dict[str, Any]:
    return {
        "ts": NOW - timedelta(minutes=random.choice([0, 1, 30, 60, 90, 751, 2000]), microseconds=random.randrange(3)),
        "host": _maybe(TEXTS),
        "request_method": _maybe(["GET", "get", "POST", "aab"]),
        "status_code": _maybe([200, 404, 500, -7, 0, 42]),
        "response_bytes": _maybe([0, 42, 99999, 2**60]),
        "severity": _maybe(["info", "WARN", "warning", "err", "error", "SEVERE", "panic", "odd"]),
        "message": _maybe([*TEXTS, " ".join(random.choices(TEXTS, k=3))]),
        "attributes": _attributes() if random.random() < 0.8 else None,
    }


def _maybe(values: Any) -> Any:
    return random.choice(values) if random.random() < 0.7 else None


def _attributes() -> dict[str, Any]:
    values: dict[str, Any] = {}
    if random.random() < 0.7:
        values["user"] = random.choice([*TEXTS, None, True, 42])
    if random.random() < 0.7:
        values["n"] = random.choice([*NUMBERS, 42, 500, -7, 4.5, "12 items", "", None])
    if random.random() < 0.3:
        values["a.b"] = random.choice(TEXTS)
    if random.random() < 0.5:
        values["a"] = {"b": random.choice([*TEXTS, 7]), "deep": [random.choice(TEXTS), {"c": random.choice(TEXTS)}]}
    if random.random() < 0.3:
        values["http"] = {"code": random.choice([200, "404", 500])}
    return values


def as_row(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as a store takes it, with its attributes as JSON."""
    attributes = record["attributes"]
    text = None if attributes is None else json.dumps(attributes, ensure_ascii=random.random() < 0.5)
    return {**record, "attributes": text}
