"""Completes the word at the caret of a query: names of fields, values of a field, operators and keywords."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from puppylog.model.query.fields import RECORDS, Kind
from puppylog.model.query.scanning import REGEX
from puppylog.model.severity import SCALE
from puppylog.monitor.field_sample import FieldSample

Class: TypeAlias = Literal["field", "value", "operator", "keyword"]

MAX_ITEMS: Final = 50
"""The greatest number of completions."""

_TEST: Final = re.compile(
    r'(?P<name>[A-Za-z_@][\w.@-]*|"(?:\\.|[^"\\])*")(?P<operator>!=|>=|<=|=~|:|=|<|>|~)(?P<value>.*)', re.DOTALL
)
_OPEN_TEST: Final = re.compile(r"(?P<name>[A-Za-z_@][\w.@-]*)\s*(?P<operator>!=|>=|<=|=|<|>)\s+$")
_NAME: Final = re.compile(r"[A-Za-z_@][\w.@-]*")
_PLAIN: Final = re.compile(r'[^\s()"\\*:=<>~!/][^\s()"\\*]*')
_PLAIN_PATH: Final = re.compile(r'/[^\s()"\\*]*')
_KEYWORDS: Final = {
    "and": "both tests match; may be left out",
    "or": "one of the tests matches",
    "not": "the test does not match",
    "has:": "records that have a field",
}
_OPERATORS: Final = {">=": "at least", "<": "less than", "!=": "is not", "~": "matches a regular expression"}
_TIMES: Final = ("now-15m", "now-1h", "now-24h", "today", "yesterday")
_LONGEST: Final = 200  # of a value that is offered, in characters


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that can take the place of the word at the caret."""

    insert: str
    label: str
    kind: Class
    detail: str


@dataclass(frozen=True, slots=True)
class Completions:
    """What can take the place of the characters from ``start`` to ``end`` of a query."""

    start: int
    end: int
    items: Sequence[Completion]


@dataclass(frozen=True, slots=True)
class _Word:
    """What is to be completed: a name, or a value of a field."""

    start: int
    end: int
    typed: str  # up to the caret
    field: str | None = None  # None: the word is a name
    rest: str = ""  # of the test after the name


def complete_query(text: str, at: int, sample: Callable[[], FieldSample]) -> Completions:
    """Return the completions of the word at a caret.

    Args:
        text: the query, which may be unfinished.
        at: the place of the caret, in characters from the start.
        sample: returns the fields and values that the store has; called only if they are needed.
    """
    word = _find_word(text, at)
    if word is None:
        return Completions(at, at, [])
    if word.field is None or word.field.lower() == "has":
        items = _complete_name(word, sample(), is_test=word.field is None)
    else:
        items = _complete_value(word, word.field, sample)
    found = list({item.insert: item for item in items}.values())
    return Completions(word.start, word.end, found[:MAX_ITEMS])


def _find_word(text: str, at: int) -> _Word | None:
    """Return the word at the caret; None inside of a phrase or a regular expression."""
    start, end = _find_token(text, at)
    while start < at and text[start] == "-":
        start += 1
    typed = text[start:at]
    if test := _TEST.fullmatch(typed):
        if "~" in test["operator"]:
            return None
        return _Word(start + test.start("value"), end, test["value"], _unquote(test["name"]))
    if before := _OPEN_TEST.search(text[:start]):
        return _Word(start, end, typed, before["name"])
    if typed[:1] in {'"', "/"}:
        return None
    whole = _NAME.match(text, start, end)
    name_end = whole.end() if whole and whole.end() >= at else end
    return _Word(start, name_end, typed, rest=text[name_end:end])


def _find_token(text: str, at: int) -> tuple[int, int]:
    """Return the start and the end of the token at the caret: text without blanks and parentheses outside of quotes."""
    start = 0
    while True:
        end = _skip_token(text, start)
        if start <= at <= end:
            return start, end
        start = end + 1 if end == start or text[end : end + 1] in {"", " ", "(", ")", "\t", "\n"} else end


def _skip_token(text: str, start: int) -> int:
    at = start
    while at < len(text) and not (text[at].isspace() or text[at] in "()"):
        regex = REGEX.match(text, at) if text[at] == "/" and (at == start or text[at - 1] == "~") else None
        if regex is not None:
            at = regex.end()
        elif text[at] == '"':
            at = _skip_quoted(text, at)
        else:
            at += 2 if text[at] == "\\" else 1
    return min(at, len(text))


def _skip_quoted(text: str, at: int) -> int:
    """Return where a quoted text ends; one that is not closed ends with the query."""
    at += 1
    while at < len(text):
        if text[at] == '"':
            return at + 1
        at += 2 if text[at] == "\\" else 1
    return len(text)


# --- names


def _complete_name(word: _Word, sample: FieldSample, *, is_test: bool) -> Iterator[Completion]:
    known = {field.name: _describe_use(field.kind, field.records, sample.records) for field in sample.fields}
    others = {name: f"{field.kind} · not in the newest records" for name, field in RECORDS.fields.items()}
    exact = word.typed if word.typed in {**known, **others} else None
    for name in _rank([*known, *(name for name in others if name not in known)], word.typed):
        written = name if _NAME.fullmatch(name) else _quote(name)
        has_operator = not is_test or bool(word.rest)
        detail = known.get(name) or others[name]
        yield Completion(written if has_operator else f"{written}:", name, "field", detail)
    if not is_test:
        return
    if exact is not None and not word.rest:
        for operator, meaning in _OPERATORS.items():
            yield Completion(f"{exact}{operator}", f"{exact} {operator}", "operator", meaning)
    for keyword, meaning in _KEYWORDS.items():
        if keyword.startswith(word.typed.lower()):
            yield Completion(keyword if keyword.endswith(":") else f"{keyword} ", keyword, "keyword", meaning)


def _describe_use(kind: Kind, records: int, sampled: int) -> str:
    share = 100 * records / sampled
    return f"{kind} · {share:.0f} % of the newest records" if share >= 1 else f"{kind} · below 1 %"


# --- values


def _complete_value(word: _Word, name: str, sample: Callable[[], FieldSample]) -> Iterator[Completion]:
    field = RECORDS.fields.get(name.lower())
    if field is not None and field.kind is Kind.TIME:
        for time in _rank(_TIMES, word.typed):
            yield Completion(time, time, "value", "a time")
        return
    known = sample()
    found = known.find(name if field is None else field.name)
    counts = {} if found is None else found.values
    values = list(counts)
    if field is not None and field.kind is Kind.SEVERITY:
        values += [name for name in SCALE if name not in counts]
    for value in _rank(values, _unquote(word.typed)):
        if len(value) <= _LONGEST:
            yield Completion(_write_value(value), value, "value", _describe_count(counts.get(value, 0), known.records))


def _describe_count(records: int, sampled: int) -> str:
    if records == 0:
        return "not in the newest records"
    return f"{records:,} of the newest {sampled:,} records"


def _write_value(value: str) -> str:
    """Return a value as a query has it: in quotes if it has characters that mean something there."""
    is_plain = _PLAIN.fullmatch(value) or _PLAIN_PATH.fullmatch(value)
    return value if is_plain else _quote(value)


def _rank(words: Iterable[str], typed: str) -> list[str]:
    """Return the words that contain what was typed, those that begin with it first, otherwise in their order."""
    wanted = typed.lower()
    found = [word for word in words if wanted in word.lower()]
    return sorted(found, key=lambda word: not word.lower().startswith(wanted))


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unquote(text: str) -> str:
    """Return what a quoted text means, closed or not; another text as it is."""
    if not text.startswith('"'):
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return inner.replace('\\"', '"').replace("\\\\", "\\")
