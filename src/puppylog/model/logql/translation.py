"""From the selector and the stages of a query to a condition on records.

A label that a record lacks has an empty text in LogQL and is null in a store, so each test is written for both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from puppylog.errors import SearchError
from puppylog.model.expression.term import quote
from puppylog.model.logql.conditions import FALSE, TRUE, Compared, Condition, Expression, InStreams, every, some
from puppylog.model.logql.label_comparison import compares, matches, matches_empty
from puppylog.model.logql.label_tests import check_pattern, whole
from puppylog.model.logql.labels import Fixed, Joined, Labels, OfRecord, OfStream, Unusable, Value
from puppylog.model.logql.refusal import refuse
from puppylog.model.logql.tree import (
    AllOf,
    AnyOf,
    Decolorize,
    LabelFilter,
    LabelTest,
    LineFilter,
    LineFormat,
    LogQuery,
    Matcher,
    NumberTest,
    Stage,
)
from puppylog.model.regex import escape

_SIGNS: Final = {"==": "=", "!=": "<>"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The records that a query chooses, and the labels after its last stage."""

    condition: Condition
    labels: Labels


def translate(query: LogQuery, labels: Labels, streams: Mapping[int, Mapping[str, str]], written: str) -> Chosen:
    """Return the condition of a query.

    Args:
        query: the query.
        labels: before its first stage.
        streams: the labels of every stream of the store, by the stream's id.
        written: the text of the query, for errors.

    Raises:
        SearchError: a filter uses what is only shown; the error says where.
    """
    translator = _Translator(streams, written)
    conditions = [translator.test(matcher, labels) for matcher in query.matchers]
    for stage in query.stages:
        conditions.append(translator.stage(stage, labels))
        labels = _after(stage, labels)
    return Chosen(every(conditions), labels)


def _after(stage: Stage, labels: Labels) -> Labels:
    match stage:
        case LineFormat(template):
            return replace(labels, line=labels.fill(template))
        case Decolorize():
            return replace(labels, line=Unusable("a line after decolorize is only shown"))
    return labels.after(stage)


def translate_tests(
    tests: "tuple[LabelTest, ...]", labels: Labels, streams: Mapping[int, Mapping[str, str]], written: str
) -> Condition:
    """Return the condition of the tests after ``unwrap``. The arguments are those of `translate`."""
    translator = _Translator(streams, written)
    return every(translator.test(test, labels) for test in tests)


def text_of(value: Value, written: str, at: int) -> str:
    """Return the expression of a value, of type text and never null.

    Raises:
        SearchError: a store cannot compute it; ``at`` is where it is used in the query.
    """
    match value:
        case OfRecord(text):
            return f"COALESCE({text}, '')"
        case Fixed(text):
            return quote(text)
        case Joined(parts):
            return f"CONCAT({', '.join(text_of(part, written, at) for part in parts)})" if parts else "''"
        case OfStream(name):
            cause = f"{name} is a label of the stream, which a template can only show"
            raise refuse(written, at, cause)
        case Unusable(cause):
            raise refuse(written, at, cause)


class _Translator:
    def __init__(self, streams: Mapping[int, Mapping[str, str]], written: str) -> None:
        self._streams = streams
        self._written = written

    def stage(self, stage: Stage, labels: Labels) -> Condition:
        match stage:
            case LabelFilter(test):
                return self.test(test, labels)
            case LineFilter():
                return self._line(stage, labels)
        return TRUE

    def test(self, test: LabelTest, labels: Labels) -> Condition:
        match test:
            case AllOf(parts):
                return every(self.test(part, labels) for part in parts)
            case AnyOf(parts):
                return some(self.test(part, labels) for part in parts)
            case Matcher(name):
                return self._matcher(test, labels.find(name))
            case NumberTest(name):
                return self._number(test, labels.find(name))

    def _matcher(self, matcher: Matcher, value: Value) -> Condition:
        match value:
            case Fixed(text):
                return TRUE if matches(matcher, text) else FALSE
            case OfStream(name):
                return self._in_streams(name, lambda text: matches(matcher, text))
            case OfRecord(text):
                return Expression(_match_text(matcher, text))
        return Expression(_match_text(matcher, text_of(value, self._written, matcher.at)))

    def _number(self, test: NumberTest, value: Value) -> Condition:
        match value:
            case Fixed(text):
                return TRUE if compares(test, text) else FALSE
            case OfStream(name):
                return self._in_streams(name, lambda text: compares(test, text))
            case OfRecord(_, number) if number and test.unit != "duration":
                sign = _SIGNS.get(test.operator, test.operator)
                return Expression(f"{number} {sign} {write_literal(test.value)}")
            case OfRecord(text):
                return Compared(text, test.unit, test.operator, test.value)
        return Compared(text_of(value, self._written, test.at), test.unit, test.operator, test.value)

    def _in_streams(self, name: str, is_wanted: Callable[[str], bool]) -> Condition:
        ids = frozenset(id_ for id_, labels in self._streams.items() if is_wanted(labels.get(name, "")))
        return TRUE if len(ids) == len(self._streams) else InStreams(ids) if ids else FALSE

    def _line(self, stage: LineFilter, labels: Labels) -> Condition:
        patterns = [self._pattern(stage, value) for value in stage.values]
        if labels.line is None:
            texts = [f"LINE_LIKE({quote(pattern)})" for pattern in patterns]
        else:
            line = text_of(labels.line, self._written, stage.at)
            texts = [f"REGEXP_LIKE({line}, {quote(pattern)})" for pattern in patterns]
        if stage.operator in {"!=", "!~", "!>"}:
            return every(Expression(f"NOT {text}") for text in texts)
        return some(map(Expression, texts))

    def _pattern(self, stage: LineFilter, value: str) -> str:
        """Return the regular expression of a value of a line filter."""
        match stage.operator:
            case "|~" | "!~":
                return value
            case "|>" | "!>":
                literals = value.split("<_>")
                pattern = f"(?s:{'.+'.join(map(escape, literals))}){'$' if literals[-1] else ''}"
            case _:
                pattern = escape(value)
        try:
            check_pattern(self._written, pattern, stage.at)
        except SearchError:
            raise refuse(self._written, stage.at, "this text is too long to be searched for") from None
        return pattern


def _match_text(matcher: Matcher, text: str) -> str:
    """Return the expression of a comparison of a text that may be null."""
    pattern = quote(whole(matcher.value))
    is_empty_found = matches_empty(matcher.value) if "~" in matcher.operator else not matcher.value
    if is_empty_found:  # a missing label matches: it has an empty text
        value = f"COALESCE({text}, '')"
        found = f"REGEXP_LIKE({value}, {pattern})" if "~" in matcher.operator else f"{value} = ''"
        return f"NOT {found}" if matcher.operator.startswith("!") else found
    found = f"REGEXP_LIKE({text}, {pattern})" if "~" in matcher.operator else f"{text} = {quote(matcher.value)}"
    return f"NOT COALESCE({found}, FALSE)" if matcher.operator.startswith("!") else found


def write_literal(value: float) -> str:
    """Return a number as the text of an expression has it."""
    is_whole = value == int(value) and abs(value) < 10**15 if abs(value) < float("inf") else False
    return str(int(value)) if is_whole else repr(value)
