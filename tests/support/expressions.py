"""Strategies for expressions that are allowed, by their type."""

from typing import TypeAlias

from hypothesis import strategies as st

Texts: TypeAlias = st.SearchStrategy[str]
Strategy: TypeAlias = st.SearchStrategy[str] | st.SearchStrategy[int]

_CHARACTERS = st.sampled_from("aZ09 /.-_%\\'\"$é😀{}?:;")
_QUOTED = st.text(_CHARACTERS, max_size=6).map(lambda text: "'" + text.replace("'", "''") + "'")
_DELIMITERS = st.text(st.sampled_from("/.-' é"), min_size=1, max_size=2).map(
    lambda text: "'" + text.replace("'", "''") + "'"
)
_PATTERNS = st.text(st.sampled_from("aé/%_"), max_size=5).map(lambda text: f"'{text}'")
_ESCAPED = st.sampled_from([r"'a\%%'", r"'\_%'", r"'%\\'"])
_INSTANTS = st.sampled_from(
    ["timestamptz '2015-05-17'", "timestamptz '2015-05-17 10:05:00+02'", "'2015-05-18'::timestamptz"]
)

_TEXT_LEAVES: Texts = st.one_of(
    st.sampled_from(["host", "HOST", '"host"', "request_route", "indent_logname", "user_agent"]),
    st.sampled_from(["attributes.n", "attributes.a.b", "attributes ->> 'x y'", "attributes -> 'a' ->> 'b'"]),
    _QUOTED,
)
_INTEGER_LEAVES: Texts = st.one_of(
    st.sampled_from(["status_code", "response_bsize", "line_offset", str(2**63 - 1)]), st.integers(0, 1000).map(str)
)
_NUMBER_LEAVES: Texts = st.sampled_from(["1.5", ".25", "1e3", "2.5", "1e-3", "attributes.n::float8"])
_TIME_LEAVES: Texts = st.one_of(st.just("ts"), _INSTANTS, st.just("date '2015-05-17'"))
_BOOLEAN_LEAVES: Texts = st.sampled_from(["true", "FALSE", "host IS NULL", "status_code is not null"])


def _built(template: str, *parts: Strategy) -> Texts:
    return st.builds(template.format, *parts)


def _infix(operators: list[str], *operands: Texts) -> Texts:
    return st.builds(
        lambda operator, *parts: f"({parts[0]}) {operator} ({parts[1]})", st.sampled_from(operators), *operands
    )


def _texts(depth: int) -> Texts:
    if depth == 0:
        return _TEXT_LEAVES
    text, whole = _texts(depth - 1), _integers(depth - 1)
    return st.one_of(
        _TEXT_LEAVES,
        _built("split_part({0}, {1}, {2})", text, _DELIMITERS, st.integers(1, 4)),
        _built("{0}({1})", st.sampled_from(["lower", "UPPER", "trim", "ltrim", "rtrim"]), text),
        _built("{0}({1}, {2})", st.sampled_from(["trim", "ltrim", "rtrim"]), text, text),
        _built("{0}({1}, {2})", st.sampled_from(["left", "right"]), text, st.integers(0, 4)),
        _built(
            "{0}({1}, {2}, {3})", st.sampled_from(["substr", "substring"]), text, st.integers(1, 4), st.integers(0, 4)
        ),
        _built("replace({0}, 'b', 'a')", text),
        _built("concat({0}, {1}, {2})", text, whole, _booleans(depth - 1)),
        _built("{0}({1}, {2})", st.sampled_from(["coalesce", "nullif", "greatest", "least"]), text, text),
        _infix(["||"], text, text),
        _built("({0})::text", st.one_of(text, whole, _booleans(depth - 1), _numbers(depth - 1))),
        _built("case when {0} then {1} else {2} end", _booleans(depth - 1), text, text),
    )


def _integers(depth: int) -> Texts:
    if depth == 0:
        return _INTEGER_LEAVES
    whole, text = _integers(depth - 1), _texts(depth - 1)
    return st.one_of(
        _INTEGER_LEAVES,
        _infix(["+", "-", "*", "/", "%"], whole, whole),
        _built("-({0})", whole),
        _built("abs({0})", whole),
        _built("mod({0}, {1})", whole, whole),
        _built("length({0})", text),
        _built("strpos({0}, {1})", text, text),
        _built("({0})::bigint", st.one_of(text, whole, _booleans(depth - 1))),
        _built("{0}({1}, {2})", st.sampled_from(["coalesce", "nullif", "greatest", "least"]), whole, whole),
        _built("case {0} when {1} then {2} end", text, text, whole),
    )


def _numbers(depth: int) -> Texts:
    if depth == 0:
        return _NUMBER_LEAVES
    number, whole = _numbers(depth - 1), _integers(depth - 1)
    return st.one_of(
        _NUMBER_LEAVES,
        _infix(["+", "-", "*", "/"], number, st.one_of(number, whole)),
        _built("{0}({1})", st.sampled_from(["floor", "ceil", "round", "abs"]), number),
        _built("extract({0} from {1})", st.sampled_from(["hour", "dow", "ISODOW", "week", "doy"]), _times(depth - 1)),
        _built("cast({0} as double precision)", st.one_of(_texts(depth - 1), whole)),
    )


def _times(depth: int) -> Texts:
    if depth == 0:
        return _TIME_LEAVES
    return st.one_of(
        _TIME_LEAVES,
        _built("date_trunc('{0}', {1})", st.sampled_from(["minute", "hour", "day", "week", "year"]), _times(depth - 1)),
        _built(
            "ts {0} interval '{1} {2}'", st.sampled_from("+-"), st.integers(0, 50), st.sampled_from(["minutes", "day"])
        ),
        _built("({0})::date", st.just("ts")),
    )


def _booleans(depth: int) -> Texts:
    if depth == 0:
        return _BOOLEAN_LEAVES
    text, whole, number, time = _texts(depth - 1), _integers(depth - 1), _numbers(depth - 1), _times(depth - 1)
    compare = ["=", "<>", "!=", "<", "<=", ">", ">="]
    condition = _booleans(depth - 1)
    return st.one_of(
        _BOOLEAN_LEAVES,
        *(_infix(compare, operand, operand) for operand in (text, whole, number, time)),
        _infix(["and", "OR"], condition, condition),
        _built("not {0}", condition),
        _built("({0}) {1} {2}", text, st.sampled_from(["like", "NOT LIKE", "ilike"]), st.one_of(_PATTERNS, _ESCAPED)),
        _built("({0}) {1} ({2}, {3}, null)", text, st.sampled_from(["in", "not in"]), text, text),
        _built("({0}) between ({1}) and ({2})", whole, whole, number),
        _built("({0}) is {1}", st.one_of(text, whole), st.sampled_from(["null", "not null"])),
        _built("starts_with({0}, {1})", text, text),
        _built("({0})::boolean", st.one_of(text, whole)),
    )


DEPTH = 3
segments: Texts = st.one_of(_texts(DEPTH), _integers(DEPTH), _booleans(DEPTH), _numbers(DEPTH))
filters: Texts = _booleans(DEPTH)
