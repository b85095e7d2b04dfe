"""From the text of a LogQL query to its tree."""

from typing import Final

from puppylog.model.logql.label_tests import read_test
from puppylog.model.logql.lexing import Kind, Token
from puppylog.model.logql.pipeline import read_log_query, read_matchers, read_stages
from puppylog.model.logql.reader import Reader
from puppylog.model.logql.tree import (
    Binary,
    Grouping,
    LabelTest,
    LogQuery,
    Matcher,
    Metric,
    Number,
    Query,
    RangeAggregation,
    Unwrap,
    Vector,
    VectorAggregation,
)

COUNTING: Final = ("count_over_time", "rate", "bytes_over_time", "bytes_rate")
"""Aggregations of entries."""

UNWRAPPING: Final = ("sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "quantile_over_time")
"""Aggregations of a label's numbers. ``rate`` is one, too, if there is an unwrap."""

VECTORS: Final = ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "topk", "bottomk", "sort", "sort_desc")

_REFUSED: Final = [
    "absent_over_time",
    "first_over_time",
    "last_over_time",
    "rate_counter",
    "stddev_over_time",
    "stdvar_over_time",
    "label_replace",
    "approx_topk",
    "count_values",
]
_LEVELS: Final = (("or",), ("and", "unless"), ("==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
"""The operators on metrics, those that bind weakest first. ``^`` binds strongest, and from the right."""

_MAX_DEPTH: Final = 20
_MAX_PARTS: Final = 100


def parse_logql(query: str) -> Query:
    """Return the tree of a query.

    Raises:
        SearchError: it is not a query, or has a part that is not supported; the error says where.
    """
    parser = _Parser(query)
    return parser.whole()


def parse_selector(query: str) -> tuple[Matcher, ...]:
    """Return the matchers of a selector of streams. An empty text and ``{}`` have none. Raises as `parse_logql`."""
    reader = Reader(query)
    if reader.is_at_end:
        return ()
    matchers = read_matchers(reader)
    if not reader.is_at_end:
        raise reader.refuse("a selector of streams ends here")
    return matchers


class _Parser:
    def __init__(self, query: str) -> None:
        self._reader = Reader(query)
        self._parts = 0

    def whole(self) -> Query:
        if self._reader.next.kind is Kind.END:
            raise self._reader.refuse("the query is empty", 'write a selector of streams, such as {filename=~".+"}')
        depth = 0
        while self._reader.next.is_sign("(") and self._leads_to_selector():
            self._reader.take()
            depth += 1
        if not depth and not self._reader.next.is_sign("{"):
            metric = self._metric(0, 0)
            return self._end(metric)
        query = read_log_query(self._reader)
        for _ in range(depth):
            self._reader.expect_sign(")")
        return self._end(query)

    def _leads_to_selector(self) -> bool:
        """Return whether only opening parentheses precede a selector."""
        text = self._reader.query[self._reader.next.at :]
        return text.lstrip("( \t\r\n").startswith("{")

    def _end(self, query: Query) -> Query:
        token = self._reader.next
        if token.kind is Kind.END:
            return query
        if isinstance(query, LogQuery) and token.kind is Kind.RANGE:
            raise self._reader.refuse("a range needs a function, such as count_over_time(… [5m])")
        raise self._reader.refuse(f"the query does not go on with {token.text!r}")

    def _metric(self, level: int, depth: int) -> Metric:
        """Read operands that are joined by operators of this level, or of levels that bind more strongly."""
        if depth > _MAX_DEPTH:
            raise self._reader.refuse(f"it is nested more than {_MAX_DEPTH} deep")
        if level == len(_LEVELS):
            return self._power(depth)
        left = self._metric(level + 1, depth)
        while (operator := self._take_operator(level)) is not None:
            is_bool, matching = self._modifiers(operator)
            right = self._metric(level + 1, depth)
            left = self._join(operator, left, right, is_bool=is_bool, matching=matching)
        return left

    def _power(self, depth: int) -> Metric:
        left = self._operand(depth)
        operator = self._reader.take_sign("^")
        if operator is None:
            return left
        is_bool, matching = self._modifiers(operator)
        if depth > _MAX_DEPTH:
            raise self._reader.refuse(f"it is nested more than {_MAX_DEPTH} deep")
        return self._join(operator, left, self._power(depth + 1), is_bool=is_bool, matching=matching)

    def _take_operator(self, level: int) -> Token | None:
        names = _LEVELS[level]
        return self._reader.take_sign(*names) or self._reader.take_name(*names)

    def _modifiers(self, operator: Token) -> tuple[bool, Grouping | None]:
        is_bool = self._reader.take_name("bool") is not None
        if is_bool and operator.text not in _LEVELS[2]:
            raise self._reader.refuse("bool is allowed only after a comparison", at=operator.at)
        matching = None
        if word := self._reader.take_name("on", "ignoring"):
            matching = Grouping(self._names(), is_without=word.text == "ignoring")
        if self._reader.next.is_name("group_left", "group_right"):
            raise self._reader.refuse(f"{self._reader.next.text} is not supported")
        return is_bool, matching

    def _join(
        self, operator: Token, left: Metric, right: Metric, *, is_bool: bool, matching: Grouping | None
    ) -> Metric:
        self._count()
        if operator.text in {"and", "or", "unless"} and isinstance(left, Number) | isinstance(right, Number):
            raise self._reader.refuse(f"{operator.text} needs a vector on both sides", at=operator.at)
        return Binary(operator.text, left, right, is_bool, matching, operator.at)

    def _count(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise self._reader.refuse(f"a query has at most {_MAX_PARTS} operators and functions")

    def _operand(self, depth: int) -> Metric:
        reader = self._reader
        if reader.take_sign("("):
            inner = self._metric(0, depth + 1)
            reader.expect_sign(")")
            return inner
        if sign := reader.take_sign("+", "-"):
            number = reader.expect(Kind.NUMBER, "a number").value
            return Number(-number if sign.text == "-" else number)
        if reader.next.kind is Kind.NUMBER:
            return Number(reader.take().value)
        if reader.next.is_sign("{"):
            cause = "this selector stands outside of a function"
            raise reader.refuse(cause, "write a function of its entries, such as count_over_time({…} [5m])")
        token = reader.expect(Kind.NAME, "a function, a number or a selector of streams")
        self._count()
        if token.text == "vector":
            return self._vector()
        if token.text in (*COUNTING, *UNWRAPPING):
            return self._range_aggregation(token)
        if token.text in VECTORS:
            return self._vector_aggregation(token, depth)
        if token.text in _REFUSED:
            raise reader.refuse(f"{token.text} is not supported", at=token.at)
        raise reader.refuse(f"LogQL has no function {token.text}", at=token.at)

    def _vector(self) -> Vector:
        self._reader.expect_sign("(")
        number = self._reader.expect(Kind.NUMBER, "a number")
        self._reader.expect_sign(")")
        return Vector(number.value)

    def _vector_aggregation(self, token: Token, depth: int) -> VectorAggregation:
        reader = self._reader
        grouping = self._grouping()
        reader.expect_sign("(")
        parameter = None
        if token.text in {"topk", "bottomk"}:
            number = reader.expect(Kind.NUMBER, f"the number of series that {token.text} returns")
            if number.value != int(number.value) or number.value < 1:
                raise reader.refuse("this must be a whole number of at least 1", at=number.at)
            parameter = int(number.value)
            reader.expect_sign(",")
        part = self._metric(0, depth + 1)
        if isinstance(part, Number):
            raise reader.refuse(f"{token.text} aggregates series, and this is a number", at=token.at)
        reader.expect_sign(")")
        grouping = grouping or self._grouping()
        if grouping is not None and token.text in {"sort", "sort_desc"}:
            raise reader.refuse(f"{token.text} has no by and no without", at=token.at)
        return VectorAggregation(token.text, part, grouping, parameter, token.at)

    def _grouping(self) -> Grouping | None:
        word = self._reader.take_name("by", "without")
        return None if word is None else Grouping(self._names(), is_without=word.text == "without")

    def _names(self) -> tuple[str, ...]:
        reader = self._reader
        reader.expect_sign("(")
        names: list[str] = []
        while not reader.take_sign(")"):
            names.append(reader.expect(Kind.NAME, "the name of a label").text)
            if not reader.take_sign(",") and not reader.next.is_sign(")"):
                raise reader.refuse("a comma or the closing parenthesis ) is missing here")
        return tuple(dict.fromkeys(names))

    def _range_aggregation(self, token: Token) -> RangeAggregation:
        reader = self._reader
        reader.expect_sign("(")
        parameter = None
        if token.text == "quantile_over_time":
            parameter = reader.expect(Kind.NUMBER, "the quantile, a number from 0 to 1").value
            reader.expect_sign(",")
        opened = 0
        while reader.take_sign("("):
            opened += 1
        query, range_s, unwrap, offset_s = self._range(opened)
        reader.expect_sign(")")
        grouping = self._grouping()
        self._check_unwrap(token, unwrap, grouping)
        return RangeAggregation(token.text, query, range_s, unwrap, offset_s, parameter, grouping, token.at)

    def _range(self, opened: int) -> tuple[LogQuery, float, Unwrap | None, float]:
        """Read the query with its range, unwrap and offset, which may stand in several orders."""
        reader = self._reader
        at = reader.next.at
        matchers = read_matchers(reader)
        stages = read_stages(reader)
        unwrap = self._unwrap()
        range_s = None
        offset_s = 0.0
        while True:
            if opened and reader.take_sign(")"):
                opened -= 1
            elif range_s is None and reader.next.kind is Kind.RANGE:
                range_s = reader.take().value
            elif reader.take_name("offset"):
                offset_s = reader.expect(Kind.DURATION, "a duration").value
            elif range_s is not None and not stages and (later := read_stages(reader)):
                stages = later
            elif range_s is not None and unwrap is None and (later_unwrap := self._unwrap()):
                unwrap = later_unwrap
            else:
                break
        if range_s is None:
            raise reader.refuse("a range in brackets is missing here, such as [5m]")
        if opened:
            raise reader.refuse(") is missing here")
        return LogQuery(matchers, stages, at), range_s, unwrap, offset_s

    def _unwrap(self) -> Unwrap | None:
        reader = self._reader
        if not (reader.next.is_sign("|") and reader.after_next.is_name("unwrap")):
            return None
        reader.take()
        at = reader.take().at
        name = reader.expect(Kind.NAME, "the name of a label").text
        conversion = ""
        if reader.take_sign("("):
            if name not in {"duration", "duration_seconds", "bytes"}:
                raise reader.refuse(f"unwrap has no conversion {name}", at=at)
            conversion, name = name, reader.expect(Kind.NAME, "the name of a label").text
            reader.expect_sign(")")
        tests: list[LabelTest] = []
        while reader.take_sign("|"):
            tests.append(read_test(reader))
        match conversion:
            case "" | "duration" | "duration_seconds" | "bytes":
                return Unwrap(name, conversion, tuple(tests), at)
        raise AssertionError(conversion)

    def _check_unwrap(self, token: Token, unwrap: Unwrap | None, grouping: Grouping | None) -> None:
        if token.text in UNWRAPPING and unwrap is None:
            advice = f"write {token.text}({{…}} | unwrap response_bytes [5m])"
            raise self._reader.refuse(f"{token.text} needs | unwrap and the name of a label", advice, at=token.at)
        if token.text in COUNTING and unwrap is not None and token.text != "rate":
            raise self._reader.refuse(f"{token.text} counts entries, so it has no | unwrap", at=unwrap.at)
        if grouping is not None and token.text not in {
            "avg_over_time",
            "min_over_time",
            "max_over_time",
            "quantile_over_time",
        }:
            raise self._reader.refuse(
                f"{token.text} has no by and no without", f"write sum by (…) ({token.text}(…))", at=token.at
            )
