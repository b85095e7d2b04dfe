"""Reads comparisons of labels."""

from typing import Final

from puppylog.model.logql.lexing import Kind
from puppylog.model.logql.reader import Reader
from puppylog.model.logql.refusal import refuse
from puppylog.model.logql.tree import AllOf, AnyOf, Comparison, LabelTest, Matcher, MatchOperator, NumberTest, Unit
from puppylog.model.regex import RegexError, parse_regex

_MATCHES: Final[tuple[MatchOperator, ...]] = ("=", "!=", "=~", "!~")
_COMPARISONS: Final[dict[str, Comparison]] = {
    "=": "==",
    "==": "==",
    "!=": "!=",
    ">": ">",
    ">=": ">=",
    "<": "<",
    "<=": "<=",
}
_UNITS: Final[dict[Kind, Unit]] = {Kind.NUMBER: "number", Kind.DURATION: "duration", Kind.BYTES: "bytes"}
_MAX_DEPTH: Final = 10


def read_matcher(reader: Reader) -> Matcher:
    """Read the comparison of a label with a text, or with a regular expression, which must match the whole label."""
    name = reader.expect(Kind.NAME, "the name of a label")
    operator = next((known for known in _MATCHES if reader.next.is_sign(known)), None)
    if operator is None:
        raise reader.refuse(f"an operator is missing after {name.text}", "write =, !=, =~ or !~")
    reader.take()
    value = reader.expect(Kind.TEXT, "a quoted string")
    if operator in {"=~", "!~"}:
        check_pattern(reader.query, whole(value.text), value.at)
    return Matcher(name.text, operator, value.text, name.at)


def whole(pattern: str) -> str:
    """Return the regular expression that matches a text if ``pattern`` matches the whole text."""
    return f"^(?s:{pattern})$"


def check_pattern(query: str, pattern: str, at: int) -> None:
    """Check a regular expression at the character ``at`` of the query.

    Raises:
        SearchError: no store can search for it.
    """
    try:
        parse_regex(pattern)
    except RegexError as error:
        raise refuse(query, at, f"in the regular expression, {error.cause}") from None


def read_test(reader: Reader, depth: int = 0) -> LabelTest:
    """Read comparisons that ``or``, ``and``, a comma or a blank joins. ``or`` binds weakest."""
    if depth > _MAX_DEPTH:
        raise reader.refuse(f"it is nested more than {_MAX_DEPTH} deep")
    parts = [_read_all(reader, depth)]
    while reader.take_name("or"):
        parts.append(_read_all(reader, depth))
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def _read_all(reader: Reader, depth: int) -> LabelTest:
    parts = [_read_one(reader, depth)]
    while True:
        joined = reader.take_name("and") or reader.take_sign(",")
        if not joined and not reader.next.is_sign("(") and not _is_name(reader):
            return parts[0] if len(parts) == 1 else AllOf(tuple(parts))
        parts.append(_read_one(reader, depth))


def _is_name(reader: Reader) -> bool:
    is_comparison = reader.after_next.is_sign(*_COMPARISONS, "=~", "!~")
    return reader.next.kind is Kind.NAME and is_comparison


def _read_one(reader: Reader, depth: int) -> LabelTest:
    if reader.take_sign("("):
        test = read_test(reader, depth + 1)
        reader.expect_sign(")")
        return test
    if reader.next.kind is not Kind.NAME:
        raise reader.refuse("a stage or a comparison of a label is missing here")
    name, sign = reader.next, reader.after_next
    if not sign.is_sign(*_COMPARISONS, "=~", "!~"):
        raise reader.refuse(f"LogQL has no stage {name.text}", "or write a comparison, such as status_code >= 500")
    reader.take()
    if sign.is_sign(*_MATCHES) and reader.after_next.kind is Kind.TEXT:
        reader.take()
        value = reader.take()
        if sign.text in {"=~", "!~"}:
            check_pattern(reader.query, whole(value.text), value.at)
        return Matcher(name.text, next(known for known in _MATCHES if known == sign.text), value.text, name.at)
    return _read_number_test(reader, name.text, name.at)


def _read_number_test(reader: Reader, name: str, at: int) -> NumberTest:
    sign = reader.take()
    if reader.next.is_name("ip"):
        raise reader.refuse("ip(…) is not supported", f'write a regular expression, such as {name} =~ "10\\\\..*"')
    if sign.text not in _COMPARISONS:
        raise reader.refuse(f"a quoted string is missing after {sign.text}")
    is_negative = reader.take_sign("-") is not None
    if not is_negative:
        reader.take_sign("+")
    token = reader.next
    if token.kind not in _UNITS:
        advice = "write a number, a duration such as 10ms, a size such as 5MB, or a quoted string"
        raise reader.refuse(f"a value is missing after {sign.text}", advice)
    reader.take()
    return NumberTest(
        name, _COMPARISONS[sign.text], -token.value if is_negative else token.value, _UNITS[token.kind], at
    )
