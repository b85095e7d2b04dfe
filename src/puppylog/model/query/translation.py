"""From the tree of a query to the text of an expression.

A test of a field that a record lacks is null. Behind ``not`` it must be false, so that ``-x`` leaves out just what
``x`` finds. So negations are moved to the single tests, which are the only tests where null matters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Final
from urllib.parse import quote

from puppylog.errors import ExpressionError, SearchError
from puppylog.model.expression import parse_search
from puppylog.model.expression.conversion import NUMBER_PATTERN, WHOLE_PATTERN
from puppylog.model.query.fields import RECORDS, Field, Kind, Vocabulary, resolve
from puppylog.model.query.instants import INSTANTS, is_relative, read_instant
from puppylog.model.query.scanning import refuse
from puppylog.model.query.tree import (
    And,
    AnyText,
    FieldRegex,
    FieldTest,
    Has,
    Name,
    Not,
    Or,
    Query,
    Regex,
    Value,
)
from puppylog.model.severity import SCALE, find_step, spelling_pattern

_FROM: Final = {
    Kind.SOURCE: "SOURCE_LIKE",
    Kind.STREAM: "SOURCE_LIKE",
    Kind.GROUP: "GROUP_LIKE",
    Kind.FILE: "FILE_LIKE",
}
_HOW_TO_FIND_TEXT: Final = "{0}:{1} is the whole text, {0}:*{1}* a part of it, {0}~/{1}/ a regular expression"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query is read with.

    Attributes:
        text: the query as it was written, for errors.
        vocabulary: the fields of what is searched.
        attributes: the names of attributes that the store knows, each with an example of its value.
        now: the instant from which relative times are counted; None refuses them.
        zone: of times without an offset; None is this machine's own.
        is_kept: a metric keeps the expression, so it may not look into other tables than that of the records.
    """

    text: str = ""
    vocabulary: Vocabulary = RECORDS
    attributes: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    zone: tzinfo | None = UTC
    is_kept: bool = False


def translate(query: Query, reading: Reading) -> str:
    """Return the canonical text of the expression that is true for what the query finds.

    Raises:
        SearchError: the query names a field that is not there, or compares it with what it cannot be.
    """
    text, _ = _Translator(reading).condition(query, is_negated=False)
    try:
        return parse_search(text)
    except ExpressionError as error:
        raise SearchError(f"it asks for too much at once: {error.cause}", written=reading.text, at=0) from None


class _Translator:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def condition(self, query: Query, *, is_negated: bool) -> tuple[str, bool]:
        """Return the text of a condition, and whether it is a chain of ``OR``."""
        match query:
            case Not(part):
                return self.condition(part, is_negated=not is_negated)
            case And(parts) | Or(parts):
                is_or = isinstance(query, Or) is not is_negated
                texts = [self.condition(part, is_negated=is_negated) for part in parts]
                if is_or:
                    return " OR ".join(text for text, _ in texts), True
                return " AND ".join(f"({text})" if inner_is_or else text for text, inner_is_or in texts), False
        text = self._test(query)
        if is_negated:
            return f"NOT COALESCE({text}, FALSE)", False
        return text, " OR " in text  # the canonical text has no parentheses that change nothing

    def _test(self, query: Query) -> str:
        match query:
            case AnyText(Value() as value):
                return self._any_text(self._checked(_part(value), value))
            case AnyText(Regex(pattern)):
                return self._any_text(pattern)
            case Has(name):
                return self._has(self._resolved(name))
            case FieldRegex(name, regex):
                return self._regex(name, regex)
            case FieldTest(name):
                return self._field(query, self._resolved(name))
        raise AssertionError(query)

    def _resolved(self, name: Name) -> Field:
        found = resolve(name, self._reading.vocabulary, self._reading.attributes, self._reading.text)
        if self._reading.is_kept and (found.kind in _FROM or found.kind is Kind.LABEL):
            cause = f"a metric is computed from the records alone, and {found.name} is not in them"
            raise self._refuse(name.span.start, cause, "limit the metric with --group, or write stream_id:NUMBER")
        return found

    def _regex(self, name: Name, regex: Regex) -> str:
        found = self._resolved(name)
        if found.kind is Kind.TIME:
            cause = f"{found.name} is a time, and a regular expression matches text"
            raise self._refuse(name.span.start, cause, f"write {found.name}:2015-05-17 or {found.name}>now-2h")
        return _matches(found, regex.pattern)

    def _any_text(self, pattern: str) -> str:
        columns = self._reading.vocabulary.words_in
        if columns is None:
            return f"ANY_REGEXP_LIKE({_literal(pattern)})"
        return " OR ".join(f"REGEXP_LIKE({column}, {_literal(pattern)})" for column in columns)

    def _has(self, found: Field) -> str:
        if found.kind is Kind.GROUP:
            return "GROUP_LIKE('')"
        if found.kind is Kind.LABEL:
            return _matches(found, "")
        return f"{found.expression} IS NOT NULL" if found.expression else "TRUE"

    def _field(self, test: FieldTest, found: Field) -> str:
        match found.kind:
            case Kind.TIME:
                return self._time(test, found)
            case Kind.NUMBER:
                return self._number(test, found)
            case Kind.ATTRIBUTE:
                return self._attribute(test, found)
            case Kind.SEVERITY:
                return self._severity(test, found)
            case Kind.TEXT:
                return self._text(test, found)
        return self._origin(test, found)

    def _text(self, test: FieldTest, found: Field) -> str:
        if test.operator in {"=", "!="}:
            return f"{found.expression} {_sql(test.operator)} {_literal(test.value.text)}"
        if test.operator == ":":
            return _matches(found, self._checked(_whole(test.value), test.value))
        word = test.value.text if re.fullmatch(r"\w+", test.value.text) else "x"
        cause = f"{found.name} is text, and {test.operator} compares numbers"
        raise self._refuse(test.name.span.start, cause, _HOW_TO_FIND_TEXT.format(found.name, word))

    def _number(self, test: FieldTest, found: Field) -> str:
        if test.operator == ":" and len(test.value.parts) > 1:
            return _matches(found, self._checked(_whole(test.value), test.value))
        return f"{found.expression} {_sql(test.operator)} {self._as_number(test, found)}"

    def _as_number(self, test: FieldTest, found: Field) -> str:
        number = _number_of(test.value.text)
        if number is None:
            cause = f'{found.name} is a number, but "{test.value.text}" is not'
            raise self._refuse(
                test.value.span.start, cause, f"write a number of up to 15 digits, such as {found.name}>=500"
            )
        return number

    def _attribute(self, test: FieldTest, found: Field) -> str:
        number = None if test.value.is_quoted else _number_of(test.value.text)
        if number is not None:
            return f"CAST({found.expression} AS DOUBLE PRECISION) {_sql(test.operator)} {number}"
        if test.operator in {":", "=", "!="}:
            return self._text(test, found)
        cause = f'{test.operator} compares numbers, but "{test.value.text}" is not a number'
        raise self._refuse(
            test.value.span.start, cause, f"write a number of up to 15 digits, such as {found.name}>1000"
        )

    def _severity(self, test: FieldTest, found: Field) -> str:
        step = None if len(test.value.parts) > 1 else find_step(test.value.text)
        is_exact = test.value.is_quoted and test.operator in {"=", "!="}
        if is_exact or (step is None and test.operator in {":", "=", "!="}):
            return self._text(test, found)
        if step is None:
            cause = f'"{test.value.text}" is not a severity'
            raise self._refuse(test.value.span.start, cause, f"the severities are {', '.join(SCALE)}")
        one, all_steps = range(step, step + 1), range(len(SCALE))
        steps = {":": one, "=": one, "!=": one, "<": all_steps[:step], "<=": all_steps[: step + 1]}
        chosen = steps.get(test.operator, all_steps[step + (test.operator == ">") :])
        if not chosen:
            return "FALSE"
        found_one = _matches(found, spelling_pattern(chosen))
        return f"NOT {found_one}" if test.operator == "!=" else found_one

    def _time(self, test: FieldTest, found: Field) -> str:
        text = test.value.text
        now = self._reading.now
        if now is None and is_relative(text):
            cause = "a relative time would mean another time tomorrow, and this condition is stored"
            raise self._refuse(test.value.span.start, cause)
        try:
            start, end = read_instant(text, now or datetime.now(UTC), self._reading.zone)
        except (ValueError, OverflowError):
            advice = f"write {INSTANTS}"
            raise self._refuse(test.value.span.start, f'"{text}" is not a time', advice) from None
        first, after = _instant(start), _instant(end)
        if end > start:  # a whole day
            inside = f"{found.expression} >= {first} AND {found.expression} < {after}"
            tests = {":": inside, "=": inside, "!=": f"NOT ({inside})", "<": f"{found.expression} < {first}"}
            tests |= {">=": f"{found.expression} >= {first}", "<=": f"{found.expression} < {after}"}
            return tests.get(test.operator, f"{found.expression} >= {after}")
        return f"{found.expression} {_sql(test.operator)} {first}"

    def _origin(self, test: FieldTest, found: Field) -> str:
        """Return the test of a source, a stream, a group, a file or a label."""
        if test.operator not in {":", "=", "!="}:
            cause = f"{found.name} is a name, and {test.operator} compares numbers"
            raise self._refuse(test.name.span.start, cause, _HOW_TO_FIND_TEXT.format(found.name, "x"))
        if found.kind is Kind.STREAM and test.value.text.isdecimal() and len(test.value.text) <= 15:
            return f"{found.expression} {_sql(test.operator)} {int(test.value.text)}"
        patterns = [_origin_pattern(test, found, _encoded) for _encoded in _spellings(test.value, found.kind)]
        pattern = self._checked("|".join(dict.fromkeys(patterns)), test.value)
        call = _matches(found, pattern)
        return f"NOT {call}" if test.operator == "!=" else call

    def _checked(self, pattern: str, value: Value) -> str:
        from puppylog.model.regex import RegexError, parse_regex  # noqa: PLC0415 - a comparison of numbers has no pattern

        try:
            parse_regex(pattern)
        except RegexError:
            raise self._refuse(value.span.start, "this text is too long to be searched for") from None
        return pattern

    def _refuse(self, at: int, cause: str, advice: str = "") -> SearchError:
        return refuse(self._reading.text, at, cause, advice)


def _sql(operator: str) -> str:
    return {":": "=", "!=": "<>"}.get(operator, operator)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _instant(instant: datetime) -> str:
    return f"TIMESTAMPTZ '{instant.astimezone(UTC).isoformat(' ')}'"


def _number_of(text: str) -> str | None:
    """Return a number as an expression has it, None of what is not a number of up to 15 digits."""
    if not re.fullmatch(NUMBER_PATTERN, text):
        return None
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text.removeprefix("+"))
    return sign + (str(int(digits)) if re.fullmatch(WHOLE_PATTERN, digits) else repr(float(digits)))


def _pattern(parts: tuple[str, ...]) -> str:
    from puppylog.model.regex import escape  # noqa: PLC0415 - as above

    return ".*".join(map(escape, parts))


def _part(value: Value) -> str:
    return f"(?is){_pattern(value.parts)}"


def _whole(value: Value) -> str:
    return f"(?is)^{_pattern(value.parts)}$"


def _matches(found: Field, pattern: str) -> str:
    if found.kind is Kind.LABEL:
        return f"LABEL_LIKE({_literal(found.expression)}, {_literal(pattern)})"
    if found.kind in _FROM:
        return f"{_FROM[found.kind]}({_literal(pattern)})"
    if found.kind is Kind.NUMBER:
        return f"REGEXP_LIKE(CAST({found.expression} AS TEXT), {_literal(pattern)})"
    return f"REGEXP_LIKE({found.expression}, {_literal(pattern)})"


def _spellings(value: Value, kind: Kind) -> list[tuple[str, ...]]:
    """Return the value as it is, and as the URI of a source has it."""
    if kind in {Kind.GROUP, Kind.FILE, Kind.LABEL}:
        return [value.parts]
    return [value.parts, tuple(quote(part, safe="/:") for part in value.parts)]


def _origin_pattern(test: FieldTest, found: Field, parts: tuple[str, ...]) -> str:
    """Return the pattern of a name; with ``:``, also of its end after any slash, ignoring case."""
    if test.operator != ":":
        from puppylog.model.regex import escape  # noqa: PLC0415 - as above

        return f"(?s)^{escape('*'.join(parts))}$"
    start = "^" if found.kind in {Kind.GROUP, Kind.LABEL} else "(?:^|/)"
    if (
        parts[0].startswith("/") and found.kind is not Kind.LABEL
    ):  # a whole path, which the host stands before in the URI of a source
        start = "(?:^|://[^/]*)"
    return f"(?is){start}{_pattern(parts)}$"
