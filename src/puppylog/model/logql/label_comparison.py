"""Whether a comparison holds for the text of a label. This is what SQL does for labels of records."""

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from puppylog.model.expression.conversion import NUMBER_PATTERN
from puppylog.model.logql.label_tests import whole
from puppylog.model.logql.lexing import read_duration, read_size
from puppylog.model.logql.tree import AllOf, AnyOf, LabelTest, Matcher, NumberTest, Unit
from puppylog.model.regex import parse_regex
from puppylog.model.regex.spans import SpanFinder
from puppylog.model.regex.tree import Alternatives, Assertion, AssertionKind, Characters, Regex, Repeat, Sequence

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

_NUMBER: Final = r"[0-9]+[.]?[0-9]*"
_DURATION: Final = re.compile(
    rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?(?:{_NUMBER}ms)?(?:{_NUMBER}[uµμ]s)?(?:{_NUMBER}ns)?"
)
_SIZE: Final = re.compile(rf"{_NUMBER} ?[A-Za-z]*")


def holds(test: LabelTest, labels: Mapping[str, str]) -> bool:
    """Return whether a test holds. A label that is missing has an empty text."""
    match test:
        case Matcher(name):
            return matches(test, labels.get(name, ""))
        case NumberTest(name):
            return compares(test, labels.get(name, ""))
        case AllOf(parts):
            return all(holds(part, labels) for part in parts)
        case AnyOf(parts):
            return any(holds(part, labels) for part in parts)


def matches(matcher: Matcher, text: str) -> bool:
    """Return whether a text matches."""
    match matcher.operator:
        case "=":
            return text == matcher.value
        case "!=":
            return text != matcher.value
        case "=~":
            return _is_match(matcher.value, text)
        case "!~":
            return not _is_match(matcher.value, text)


def compares(test: NumberTest, text: str) -> bool:
    """Return whether the number in a text compares as the test says; False if the text has no number."""
    number = read_number(text, test.unit)
    return number is not None and _COMPARE[test.operator](number, test.value)


def read_number(text: str, unit: Unit) -> float | None:
    """Return the number in a text, in seconds or bytes if it has a unit; None if there is none."""
    if unit == "duration":
        return read_duration(text) if _DURATION.fullmatch(text) else None
    if unit == "bytes":
        return read_size(text) if _SIZE.fullmatch(text) else None
    return float(text) if _is_number(text) else None


def _is_number(text: str) -> bool:
    return re.fullmatch(NUMBER_PATTERN, text) is not None


def matches_empty(pattern: str) -> bool:
    """Return whether a regular expression matches the empty text."""
    return _matches_empty(parse_regex(whole(pattern)))


def _matches_empty(regex: Regex) -> bool:
    match regex:
        case Characters():
            return False
        case Assertion(kind):
            return kind is not AssertionKind.WORD_EDGE
        case Sequence(parts):
            return all(map(_matches_empty, parts))
        case Alternatives(parts):
            return any(map(_matches_empty, parts))
        case Repeat(part, least):
            return least == 0 or _matches_empty(part)


@lru_cache(maxsize=256)
def _finder(pattern: str) -> SpanFinder:
    return SpanFinder(parse_regex(whole(pattern)))


def _is_match(pattern: str, text: str) -> bool:
    return bool(_finder(pattern).find(text)) if text else matches_empty(pattern)
