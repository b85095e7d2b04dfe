import re
from collections.abc import Iterator

import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from puppylog.errors import ExpressionError
from puppylog.model.expression import parse_filter, parse_segment, render, render_segment
from puppylog.model.record import COLUMNS
from support.examples import examples
from support.expressions import filters, segments
from support.memory import MemoryReader

CASTS = "a cast must be to text, integer, bigint, double precision, boolean, timestamptz or date"


@pytest.fixture(scope="module")
def reader() -> Iterator[MemoryReader]:
    with MemoryReader() as reader:
        reader.insert(
            "log_records",
            ts="2015-05-17T10:05:03.250Z",
            host="83.149.9.216",
            request_route="/a/b?c=1",
            status_code=404,
            response_bytes=203023,
            user_agent="Mozilla é😀 ",
            attributes='{"n":"1.5","a":{"b":"x/y"},"x y":42,"k\\"q":1}',
        )
        reader.insert("log_records", ts="1969-12-31T23:59:59Z", line_offset=1, attributes='{"n":"12a"}')
        yield reader


def text_of(reader: MemoryReader, segment: str) -> str | None:
    """Return the value of the segment for the first record."""
    sql = (
        f"SELECT {render_segment(parse_segment(segment), 'duckdb')} AS s FROM puppylog.log_records ORDER BY line_offset"
    )
    value = reader.query(sql)["s"][0].as_py()
    assert value is None or isinstance(value, str)
    return value


def refusal(text: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse_segment(text)
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith('cannot use segment expression "')
    return caught.value.message.split('": ', 1)[1]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("split_part(request_route, '/', 2)", "SPLIT_PART(request_route, '/', 2)"),
        ('HOST || "host"', "host || host"),
        ("indent_logname", "ident"),
        ("response_bsize", "response_bytes"),
        ("attributes.a", "attributes ->> 'a'"),
        ("attributes.a.b.c.d.e.Order", "attributes -> 'a' -> 'b' -> 'c' -> 'd' -> 'e' ->> 'Order'"),
        ('attributes."x y"', "attributes ->> 'x y'"),
        ("attributes->'a'->>'b.c'", "attributes -> 'a' ->> 'b.c'"),
        ("lower(attributes -> 'a' ->> 'b')", "LOWER(attributes -> 'a' ->> 'b')"),
        ("status_code/100", "status_code / 100"),
        ("((status_code + 1) * 2)", "(status_code + 1) * 2"),
        ("1 - (2 - 3) - 4", "1 - (2 - 3) - 4"),
        ("- -5", "-(-5)"),
        ("007 + 1e3 + .5", "7 + 1000.0 + 0.5"),
        ("host IN ('a', ('b'))", "host IN ('a', 'b')"),
        ("host NOT LIKE 'a''b%'", "host NOT LIKE 'a''b%'"),
        ("not (host = 'a' or ident = 'b') and true", "NOT (host = 'a' OR ident = 'b') AND TRUE"),
        ("host = ident is null", "(host = ident) IS NULL"),
        ("status_code::text", "CAST(status_code AS TEXT)"),
        ("host::int", "CAST(host AS BIGINT)"),
        ("ts >= '2015-05-17T12:00+02:00'", "ts >= CAST('2015-05-17 10:00:00+00:00' AS TIMESTAMPTZ)"),
        ("ts - interval '5m' > date '2015-05-17'", "ts - INTERVAL '5 MINUTE' > CAST('2015-05-17' AS DATE)"),
        ("case status_code when 200 then 'ok' else host end", "CASE status_code WHEN 200 THEN 'ok' ELSE host END"),
        ("extract(hour from ts)", "EXTRACT(HOUR FROM ts)"),
    ],
)
def test_the_canonical_text_has_one_spelling_without_needless_parentheses(text: str, canonical: str) -> None:
    assert parse_segment(text) == canonical
    assert parse_segment(canonical) == canonical


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it is empty"),
        ("host;", "a semicolon is not allowed (at column 5: ;)"),
        ("host; DROP TABLE x", "a semicolon is not allowed (at column 5: ;)"),
        ("host -- all", "a comment is not allowed (at column 6: -- all)"),
        ("/* a */ host", "a comment is not allowed (at column 1: /* a */)"),
        ("host /*", "a quote or a comment is not closed"),
        ("host = 'a", "a quote or a comment is not closed (at column 8: 'a)"),
        ("host || (SELECT 1)", "a subquery is not allowed (at column 9: (SELECT 1))"),
        ("host IN (SELECT (1) FROM x)", "a subquery is not allowed (at column 9: (SELECT (1) FROM x))"),
        ("EXISTS(VALUES (1))", "a subquery is not allowed (at column 7: (VALUES (1)))"),
        ("(WITH x AS (SELECT 1) TABLE x)", "a subquery is not allowed (at column 12: (SELECT 1))"),
        ("rank() OVER (ORDER BY ts)", "a window function is not allowed (at column 8: OVER)"),
        (
            "sum(status_code)",
            "an aggregate is not allowed; the statistic of the metric is one (at column 1: sum(status_code))",
        ),
        ("count(*)", "an aggregate is not allowed; the statistic of the metric is one (at column 1: count(*))"),
        ("*", "'*' is not allowed (at column 1: *)"),
        ("$1", "a placeholder is not allowed (at column 1: $)"),
        ("host = :a", "a placeholder is not allowed (at column 8: :)"),
        ("?", "a placeholder is not allowed (at column 1: ?)"),
        ("%(host)s", "a placeholder is not allowed (at column 3: host)"),
        ("@x", "a placeholder is not allowed (at column 1: @)"),
        ("{host}", "a brace is not allowed (at column 1: {)"),
        ("host[1]", "a bracket is not allowed (at column 5: [)"),
        ("log_records.host", "a qualified name is not allowed; write the column alone (at column 1: log_records.host)"),
        (
            "attributes",
            "attributes has no value of its own; name one attribute, such as attributes.key (at column 1: attributes)",
        ),
        ("attributes -> 'a'", "a path must end in '->>', which gives text (at column 1: attributes)"),
        ("host ->> 'a'", "only the attributes have keys: attributes ->> 'key' (at column 1: host)"),
        (
            "request_rout",
            "there is no such column; the nearest known one is request_route (at column 1: request_rout)",
        ),
        ("lowr(host)", "there is no such function; the nearest known one is lower (at column 1: lowr(host))"),
        ("pg_sleep(10)", "there is no such function; the nearest known one is greatest (at column 1: pg_sleep(10))"),
        ("lower(host, 1)", "lower takes 1 argument, not 2 (at column 1: lower(host, 1))"),
        ("abs(1, 2)", "abs takes 1 argument, not 2 (at column 1: abs(1, 2))"),
        ("substr(host, 0)", "this must be a literal integer of at least 1 (at column 14: 0)"),
        (
            "left(host, status_code)",
            "this must be a literal integer of at least 0 (at column 12: status_code)",
        ),
        ("split_part(host, '', 1)", "a delimiter must be a literal text of at least one character (at column 18: '')"),
        (
            "date_trunc('eon', ts)",
            "a unit is one of second, minute, hour, day, week, month, quarter, year (at column 12: 'eon')",
        ),
        ("lower(x -> x + 1)", "a path must end in '->>', which gives text (at column 7: x -> x + 1)"),
        ("host ~ 'a'", "a regular expression is not allowed (at column 1: host ~ 'a')"),
        ("host LIKE ident", "the pattern of LIKE must be a literal text (at column 11: ident)"),
        (r"host LIKE 'a\'", r"the pattern ends in a backslash that escapes nothing (at column 11: 'a\')"),
        ("host LIKE 'a' ESCAPE '!'", "escape is not allowed (at column 1: host LIKE 'a' ESCAPE '!')"),
        ("host + 1", "bigint is needed here, but this is text (at column 1: host)"),
        ("1 + 2 + host", "bigint is needed here, but this is text (at column 9: host)"),
        ("host = 1", "bigint and text cannot be combined; cast one of them (at column 8: 1)"),
        ("status_code IN (1, 'a', 2)", "bigint and text cannot be combined; cast one of them (at column 20: 'a')"),
        ("NOT host", "boolean is needed here, but this is text (at column 5: host)"),
        ("ts", "a segment must be a text, a number or a boolean, but this is timestamptz"),
        ("host::date", "only a literal text can become date (at column 1: host)"),
        ("ts::text", "timestamptz cannot become text (at column 1: ts)"),
        (
            "host::json",
            f"{CASTS} (at column 1: host)",
        ),
        (
            "host::varchar(3)",
            f"{CASTS} (at column 1: host::varchar(3))",
        ),
        (
            "ts > 'soon'",
            "it is not an instant; write it like timestamptz '2015-05-17 10:05:00+00' (at column 6: 'soon')",
        ),
        ("date '2015-02-30' = ts", "it is not a date; write it like date '2015-05-17' (at column 6: '2015-02-30')"),
        (
            "ts > ts - interval '1 month'",
            "an interval is a whole number of seconds, minutes, hours, days or weeks (at column 6: ts)",
        ),
        ("99999999999999999999", "the number is beyond 64 bits (at column 1: 99999999999999999999)"),
        ("1e999", "the number is beyond double precision (at column 1: 1e999)"),
        ("E'a'", "a string with escapes is not allowed (at column 1: E'a')"),
        ("$$a$$", "a string in dollars is not allowed (at column 1: $$a$$)"),
        ("'a' 'b'", "a string after a string is not allowed (at column 1: 'a')"),
        ("(host, ident)", "a row of values is not allowed (at column 2: host, ident)"),
        ("host AS a", "this is not allowed here (at column 6: AS)"),
        ("host host", "this is not allowed here (at column 6: host)"),
        ("DROP TABLE x", "this is not allowed here (at column 1: DROP)"),
        ("lower(host", "it ends too early, after this (at column 7: host)"),
        ("host ||", "it ends too early, after this (at column 6: ||)"),
        ("host = 'a\0'", r"it has a character that no store can keep (at column 10: \x00)"),
        ("host = '\ud800'", r"it has a character that no store can keep (at column 9: \ud800)"),
    ],
)
def test_an_expression_that_is_not_allowed_is_refused_with_its_place(text: str, cause: str) -> None:
    assert refusal(text) == cause


def test_the_error_escapes_control_characters_and_shortens_long_texts() -> None:
    assert refusal("host + '\x1b[31m\n'") == "bigint is needed here, but this is text (at column 1: host)"
    with pytest.raises(ExpressionError, match=re.escape(r'"\x1b[31m' + "x" * 54 + '…": ')):
        parse_segment("\x1b[31m" + "x" * 100)


@pytest.mark.parametrize(
    "text",
    ["(" * 490 + "1" + ")" * 490, "lower(" * 30 + "host" + ")" * 30, "NOT " * 240 + "true", "host" + "::text" * 60],
)
def test_deep_nesting_is_refused(text: str) -> None:
    assert refusal(text).startswith("it is nested more than 20 deep")


def test_a_product_of_more_than_a_hundred_factors_is_refused() -> None:
    assert refusal("1" + "*1" * 101).startswith("more than 100 factors follow one another")


def test_an_expression_has_at_most_a_thousand_characters() -> None:
    assert refusal("x" * 1001) == "it has 1001 characters, at most 1000 are allowed"
    assert refusal("(" * 10_000 + "1" + ")" * 10_000) == "it has 20001 characters, at most 1000 are allowed"


@pytest.mark.parametrize(
    "text", ["1" + "+1" * 400, "1" + "*1" * 100, "host" + "||host" * 166, "true" + " or true" * 124]
)
def test_the_length_of_a_chain_does_not_count_as_depth(text: str, reader: MemoryReader) -> None:
    assert text_of(reader, text) is not None


@pytest.mark.parametrize("text", ["status_code = 1", "null", "status_code is null", "attributes.a::boolean"])
def test_a_filter_is_a_condition(text: str) -> None:
    assert parse_filter(parse_filter(text)) == parse_filter(text)


@pytest.mark.parametrize("text", ["status_code", "host", "ts", "1"])
def test_a_filter_of_another_type_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r'filter expression ".*": a filter must be a condition, but this is '):
        parse_filter(text)


@pytest.mark.parametrize(
    ("segment", "text"),
    [
        # Integers are divided as in PostgreSQL, towards zero. No quotient or remainder is an error.
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("mod(7, -2)", "1"),
        ("status_code / 100", "4"),
        ("7 / 2.0", "3.5"),
        ("7 / 0", None),
        ("7.5 / 0", None),
        ("7 % 0", None),
        ("status_code * 1000000000 * 1000000", "404000000000000000"),
        # A double is written as PostgreSQL writes it, and rounded to even.
        ("4.0", "4"),
        ("round(2.5)", "2"),
        ("round(-3.5)", "-4"),
        ("floor(-1.5)", "-2"),
        ("1e-5", "1e-05"),
        ("2.5::bigint", "2"),
        # A text that is not a number becomes null.
        ("attributes.n::float8 * 2", "3"),
        ("attributes.n::bigint", None),
        ("'1e400'::float8", None),
        ("'nan'::float8", None),
        ("' 1'::bigint", None),
        ("'-12'::bigint", "-12"),
        ("'1234567890123456'::bigint", None),
        ("'yes'::boolean", "true"),
        ("'OFF'::boolean", "false"),
        ("'maybe'::boolean", None),
        ("true::int + 1", "2"),
        # Texts.
        ("split_part(request_route, '/', 2)", "a"),
        ("split_part(request_route, '/', 9)", ""),
        ("substr('hello', 2, 3)", "ell"),
        ("left('hello', 2) || right('hello', 2)", "helo"),
        ("length(user_agent)", "11"),
        ("length(trim(user_agent))", "10"),
        ("replace('abc', '', 'x')", "abc"),
        ("strpos('abc', '')", "1"),
        ("concat('a', null, 1, true)", "a1true"),
        ("'a' || null", None),
        ("greatest(1, null, 3)", "3"),
        ("least('b', 'B')", "B"),
        ("'a' > 'B'", "true"),
        (r"'a%' LIKE 'a\%'", "true"),
        (r"'ab' LIKE 'a\%'", "false"),
        ("'AB' ILIKE 'a_'", "true"),
        ("'a' NOT IN ('b', null)", None),
        ("attributes.a.b", "x/y"),
        ("attributes ->> 'x y'", "42"),
        ("attributes.a.b.c", None),
        # Times are UTC.
        ("extract(hour from ts)", "10"),
        ("extract(dow from ts)", "0"),
        ("date_trunc('day', ts) = '2015-05-17'", "true"),
        ("ts::date = date '2015-05-17'", "true"),
        ("ts > '2015-05-17 10:05:03+00'", "true"),
        ("ts - interval '1 day' < date '2015-05-17'", "true"),
        ("case when status_code >= 400 then 'bad' end", "bad"),
        ("case status_code when 200 then 1 else 2.5 end", "2.5"),
    ],
)
def test_the_value_of_an_expression(segment: str, text: str | None, reader: MemoryReader) -> None:
    """The expected values were computed by PostgreSQL 15."""
    assert text_of(reader, segment) == text


@pytest.mark.parametrize(
    ("text", "postgres"),
    [
        ("status_code / 100 = 4", "((CAST(status_code AS BIGINT) / NULLIF(100, 0)) = 4)"),
        ("host < 'b'", "((host COLLATE \"C\") < 'b')"),
        ("attributes.a.b = 'x'", "((attributes -> 'a' ->> 'b') = 'x')"),
        ("host LIKE 'a'", "(host LIKE 'a')"),
        ("round(1.5) = 2", "(ROUND(CAST(1.5 AS DOUBLE PRECISION)) = CAST(2 AS DOUBLE PRECISION))"),
    ],
)
def test_an_expression_has_its_own_sql_for_postgresql(text: str, postgres: str) -> None:
    assert render(parse_filter(text), "postgres") == postgres


@settings(max_examples=examples(60, soak=150))
@given(st.one_of(segments, filters))
def test_the_canonical_text_of_a_canonical_text_is_the_same(text: str) -> None:
    canonical = parse_segment(text)
    assert render_segment(canonical, "duckdb") == render_segment(text, "duckdb")
    assert len(canonical) > 1000 or parse_segment(canonical) == canonical


def test_no_allowed_expression_fails_on_a_record(reader: MemoryReader) -> None:
    @settings(max_examples=examples(60, soak=150))
    @given(segments, filters)
    def run(segment: str, condition: str) -> None:
        text, where = render_segment(segment, "duckdb"), render(condition, "duckdb")
        table = reader.query(f"SELECT {text} AS s FROM puppylog.log_records WHERE {where} OR NOT {where} OR true")
        assert table.num_rows == 2

    run()


_MARKS = [*"'\";(),\\[]{}%.=\0\n", "--", "/*", "*/", "$$", "$1", "::", "->>", "->"]
_WORDS = "SELECT FROM UNION OR NOT DROP host attributes lower( CASE WHEN END interval cast( AS text IN( IS NULL BETWEEN"
_MORE_WORDS = "LIKE OVER( x'1f' E' U&' 1e 9e999 count(* ts :a ? @x AT TIME ZONE"
_SPLINTERS = st.one_of(st.sampled_from([*_MARKS, *_WORDS.split(), *_MORE_WORDS.split()]), st.text(max_size=2))
garbage = st.one_of(st.text(max_size=40), st.lists(_SPLINTERS, max_size=12).map(" ".join))


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Draw an allowed expression that is changed in one place."""
    text = draw(segments)
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(garbage) + text[place + draw(st.integers(0, 3)) :]


# The nodes that rendered SQL may contain.
_NODES = {
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Interval, exp.Var, exp.Paren, exp.DataType),
    *(exp.Cast, exp.TryCast, exp.Case, exp.If, exp.Is, exp.Not, exp.Neg, exp.And, exp.Or, exp.In, exp.Between),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.ILike, exp.Escape, exp.DPipe, exp.Collate),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Nullif, exp.Abs, exp.Floor, exp.Ceil, exp.Round),
    *(exp.SplitPart, exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Left, exp.Right, exp.Substring, exp.StrPosition),
    *(exp.Coalesce, exp.Concat, exp.Greatest, exp.Least, exp.StartsWith, exp.Extract, exp.AtTimeZone, exp.DateTrunc),
    *(exp.TimestampTrunc, exp.RegexpReplace, exp.RegexpExtract, exp.Replace, exp.JSONExtractScalar, exp.JSONExtract),
    *(exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.Anonymous, exp.HexString),
}


def outcome(text: str) -> str | ExpressionError:
    try:
        return parse_segment(text)
    except ExpressionError as error:
        return error


@settings(max_examples=examples(120, soak=300))
@given(st.one_of(garbage, mutations()))
@example("host' OR '1'='1")
@example("host = 'a' UNION SELECT 1")
@example("attributes ->> 'a'' OR 1=1 --'")
@example("attributes ->> '$.\"]'")
def test_any_text_is_refused_or_rendered_to_harmless_sql(text: str) -> None:
    parsed = outcome(text)
    if isinstance(parsed, ExpressionError):
        assert len(parsed.message) < 1600  # two texts of 60 characters, of at most ten bytes each
        assert parsed.message.isprintable()
        return
    for dialect in ("duckdb", "postgres"):
        sql = render_segment(parsed, "duckdb" if dialect == "duckdb" else "postgres")
        trees = sqlglot.parse(f"SELECT {sql} AS s", read=dialect)
        assert len(trees) == 1
        (select,) = trees
        assert isinstance(select, exp.Select)
        assert set(select.args) - {key for key, value in select.args.items() if not value} == {"expressions"}
        (alias,) = select.expressions
        for node in alias.this.walk():
            assert type(node) in _NODES, repr(node)
            assert not isinstance(node, exp.Column) or node.name in COLUMNS
            assert not node.comments
