"""Writes a LogQL query as text, which parses to the same tree."""

import json
from typing import assert_never

from puppylog.model.logql.tree import (
    AllOf,
    AnyOf,
    Binary,
    Decolorize,
    Grouping,
    Keep,
    LabelFilter,
    LabelFormat,
    LabelTest,
    LineFilter,
    LineFormat,
    LogQuery,
    Matcher,
    Metric,
    Number,
    NumberTest,
    Parser,
    Query,
    RangeAggregation,
    Stage,
    Unwrap,
    Vector,
    VectorAggregation,
)


def write_logql(query: Query) -> str:
    """Return the text of a query.

    >>> from puppylog.model.logql import parse_logql, write_logql
    >>> write_logql(parse_logql('sum  by(level)(rate( {filename=~".+"}|="a" [ 1h30m ]))'))
    'sum by (level) (rate({filename=~".+"} |= "a" [5400s]))'
    """
    return _log_query(query) if isinstance(query, LogQuery) else _metric(query)


def _metric(metric: Metric) -> str:
    match metric:
        case Number(value):
            return write_number(value)
        case Vector(value):
            return f"vector({write_number(value)})"
        case VectorAggregation(function, part, grouping, parameter):
            first = "" if parameter is None else f"{parameter}, "
            return f"{function}{_grouping(grouping)} ({first}{_metric(part)})"
        case Binary(operator, left, right, is_bool, matching):
            word = (
                ""
                if matching is None
                else f" {'ignoring' if matching.is_without else 'on'} ({', '.join(matching.names)})"
            )
            return f"({_metric(left)} {operator}{' bool' if is_bool else ''}{word} {_metric(right)})"
        case RangeAggregation():
            return _range_aggregation(metric)
    assert_never(metric)


def _range_aggregation(metric: RangeAggregation) -> str:
    first = "" if metric.parameter is None else f"{write_number(metric.parameter)}, "
    unwrap = "" if metric.unwrap is None else _unwrap(metric.unwrap)
    offset = "" if metric.offset_s == 0 else f" offset {_duration(metric.offset_s)}"
    body = f"{_log_query(metric.query)}{unwrap} [{_duration(metric.range_s)}]{offset}"
    return f"{metric.function}({first}{body}){_grouping(metric.grouping)}"


def _unwrap(unwrap: Unwrap) -> str:
    name = f"{unwrap.conversion}({unwrap.name})" if unwrap.conversion else unwrap.name
    return f" | unwrap {name}" + "".join(f" | {_test(test)}" for test in unwrap.tests)


def _grouping(grouping: Grouping | None) -> str:
    if grouping is None:
        return ""
    return f" {'without' if grouping.is_without else 'by'} ({', '.join(grouping.names)})"


def write_number(value: float) -> str:
    """Return a number as Loki writes it: without an exponent for whole numbers."""
    return str(int(value)) if value == int(value) else repr(value)


def _duration(seconds: float) -> str:
    return f"{write_number(seconds)}s" if seconds == int(seconds) else f"{round(seconds * 1e9)}ns"


def _log_query(query: LogQuery) -> str:
    selector = "{" + ", ".join(map(_matcher, query.matchers)) + "}"
    return " ".join([selector, *map(_stage, query.stages)])


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.name}{matcher.operator}{_quote(matcher.value)}"


def _stage(stage: Stage) -> str:
    match stage:
        case LineFilter(operator, values):
            return f"{operator} " + " or ".join(map(_quote, values))
        case LabelFilter(test):
            return f"| {_test(test)}"
        case Parser(kind, labels):
            return f"| {kind}" + (" " if labels else "") + ", ".join(f"{name}={_quote(key)}" for name, key in labels)
    return _shaping_stage(stage)


def _shaping_stage(stage: LineFormat | LabelFormat | Keep | Decolorize) -> str:
    match stage:
        case LineFormat(_, written):
            return f"| line_format {_quote(written)}"
        case LabelFormat(changes, texts):
            pairs = zip(changes, texts, strict=True)
            return "| label_format " + ", ".join(
                f"{name}={text if isinstance(change, str) else _quote(text)}" for (name, change), text in pairs
            )
        case Keep(is_dropped, labels):
            shown = (label if isinstance(label, str) else _matcher(label) for label in labels)
            return f"| {'drop' if is_dropped else 'keep'} {', '.join(shown)}"
        case Decolorize():
            return "| decolorize"
    assert_never(stage)


def _test(test: LabelTest) -> str:
    match test:
        case Matcher():
            return _matcher(test)
        case NumberTest(name, operator, value, unit):
            return f"{name} {operator} {_value(value, unit)}"
        case AllOf(parts):
            return " and ".join(f"({_test(part)})" if isinstance(part, AnyOf) else _test(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_test(part) for part in parts)
    assert_never(test)


def _value(value: float, unit: str) -> str:
    match unit:
        case "duration":
            return _duration(value)
        case "bytes":
            return f"{write_number(value)}B"
    return write_number(value)


def _quote(text: str) -> str:
    """Return a text in double quotes, with the escapes that JSON and LogQL share."""
    return json.dumps(text, ensure_ascii=False)
