"""LogQL: what is read, what is refused and where, and that a tree written as text is read as the same tree."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import SearchError
from puppylog.model.logql import parse_logql, parse_selector, write_logql
from puppylog.model.logql.arithmetic import write_value
from puppylog.model.logql.evaluation import Evaluator, Series
from puppylog.model.logql.labels import clean_name, group_attributes
from puppylog.model.logql.stages import shape_entry
from puppylog.model.logql.tree import LogQuery, Query, RangeAggregation

READ = {
    '{a="b"}': '{a="b"}',
    '{ a = "b" , c =~ `\\d+`, } # a comment': '{a="b", c=~"\\\\d+"}',
    '({a="b"})': '{a="b"}',
    '{a="b"} |= "x" or `y` != "z" |> "<_> b"': '{a="b"} |= "x" or "y" != "z" |> "<_> b"',
    "{} | json | logfmt --strict | unpack | decolorize": "{} | json | logfmt | unpack | decolorize",
    '{} | json code="a.b", user | x="1"': '{} | json code="a.b", user="user" | x="1"',
    '{} | a="b" c!="d", (e>=5 or f<1.5KB) and g==1h': '{} | a="b" and c!="d" and (e >= 5 or f < 1500B) and g == 3600s',
    '{} | a > -0x10 | json="x"': '{} | a > -16 | json="x"',
    '{} | label_format a=b,c="{{.d}}"': '{} | label_format a=b, c="{{.d}}"',
    '{}|drop a,b="c"|keep x': '{} | drop a, b="c" | keep x',
    '{} | json != "a" | logfmt --strict !~ "b"': '{} | json != "a" | logfmt !~ "b"',
    "rate({}[1h30m] offset -5m)": "rate({} [5400s] offset -300s)",
    "count_over_time(({} |= `a`)[5m])": 'count_over_time({} |= "a" [300s])',
    "count_over_time({}[5m] |= `a`)": 'count_over_time({} |= "a" [300s])',
    "sum without(a,b)(rate({}[5m]))": "sum without (a, b) (rate({} [300s]))",
    "sum(rate({}[5m])) by (a)": "sum by (a) (rate({} [300s]))",
    "max_over_time({}|unwrap bytes(a)|b=`c`[5m])by(d)": 'max_over_time({} | unwrap bytes(a) | b="c" [300s]) by (d)',
    "quantile_over_time(.5, {} | unwrap a [1s])": "quantile_over_time(0.5, {} | unwrap a [1s])",
    "1 + 2 * 3 ^ 2 ^ 2 - -4": "((1 + (2 * (3 ^ (2 ^ 2)))) - -4)",
    "vector(1) > bool 0 and on(a) vector(2) or vector(3)": "(((vector(1) > bool 0) and on (a) vector(2)) or vector(3))",
    "topk(3, sum by (a) (rate({}[1s])))": "topk (3, sum by (a) (rate({} [1s])))",
}
REFUSED = {
    "": (0, "the query is empty"),
    "{": (1, "the name of a label is missing here"),
    '{a="b"': (6, "a comma or the closing brace"),
    '{a=="b"}': (2, "an operator is missing after a"),
    "{a='b'}": (3, "LogQL does not have this quote"),
    '{a="b}': (3, "this quote is not closed"),
    '{a=~"("}': (4, "in the regular expression, a parenthesis is not closed"),
    '{a=~"\\d"}': (5, r"a text in double quotes has no escape \\d"),
    '{} |= "a" foo': (10, "the query does not go on with 'foo'"),
    "{}[5m]": (2, "a range needs a function"),
    '{} |= ip("10.0.0.0/8")': (6, r"ip\(…\) is not supported"),
    '{} | a = ip("10.0.0.0/8")': (9, r"ip\(…\) is not supported"),
    '{} | pattern "<a>"': (5, r"\| pattern is not supported"),
    '{} | regexp "a"': (5, r"\| regexp is not supported"),
    "{} | nothing": (5, "LogQL has no stage nothing"),
    '{} | line_format "{{.a | upper}}"': (17, "is not supported in a template"),
    '{} | line_format "{{.a"': (17, "double braces of this template are not closed"),
    "rate({})": (7, "a range in brackets is missing here"),
    "rate({}[999y])": (7, "this range is too large"),
    "1e999": (0, "this number is too large"),
    "rate({}[5 minutes])": (7, "a range is a duration in brackets"),
    "sum_over_time({}[5m])": (0, r"sum_over_time needs \| unwrap"),
    "count_over_time({} | unwrap a [5m])": (21, "count_over_time counts entries"),
    "rate({}[5m]) by (a)": (0, "rate has no by and no without"),
    "absent_over_time({}[5m])": (0, "absent_over_time is not supported"),
    "label_replace(rate({}[5m]), `a`, `b`, `c`, `d`)": (0, "label_replace is not supported"),
    "foo({}[5m])": (0, "LogQL has no function foo"),
    "sum(1)": (0, "sum aggregates series, and this is a number"),
    "topk(0, vector(1))": (5, "this must be a whole number of at least 1"),
    "1 + {}": (4, "this selector stands outside of a function"),
    "vector(1) + on(a) group_left vector(1)": (18, "group_left is not supported"),
    "1 and 2": (2, "and needs a vector on both sides"),
    "1 + bool 2": (2, "bool is allowed only after a comparison"),
    "(" * 30 + "1": (21, "nested more than 20 deep"),
    "{} |= `\0`": (6, "a character that no store can keep"),
}


def without_places(value: Any) -> Any:
    """Return a tree whose positions in the text are all 0."""
    if isinstance(value, tuple):
        return tuple(without_places(part) for part in value)
    if not hasattr(value, "__dataclass_fields__"):
        return value
    parts = {name: without_places(getattr(value, name)) for name in value.__dataclass_fields__}
    return replace(value, **{**parts, **({"at": 0} if "at" in parts else {})})


@pytest.mark.parametrize("text", READ)
def test_a_query_is_read_and_written_in_one_form(text: str) -> None:
    tree = parse_logql(text)
    assert write_logql(tree) == READ[text]
    assert without_places(parse_logql(READ[text])) == without_places(tree)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_supported_is_refused_with_its_place(text: str) -> None:
    at, cause = REFUSED[text]
    with pytest.raises(SearchError, match=cause) as refused:
        parse_logql(text)
    assert (refused.value.written, refused.value.at) == (text, at)
    assert refused.value.cause.startswith(f"line 1, col {at + 1}: ")


def test_the_place_of_a_fault_counts_lines() -> None:
    with pytest.raises(SearchError, match="line 3, col 3: LogQL has no stage foo"):
        parse_logql('{a="b"}\n|= "c"\n| foo')


def test_a_selector_alone_has_no_stages() -> None:
    assert parse_selector("") == parse_selector(" {} ") == ()
    assert [matcher.name for matcher in parse_selector('{a="b",c="d"}')] == ["a", "c"]
    with pytest.raises(SearchError, match="a selector of streams ends here"):
        parse_selector('{a="b"} |= "c"')


PIECES = [*'{}()[]|=~!<>"`,.+-*/%^ \n#', "a", "5", "m", "rate", "sum", "by", "json", "unwrap", '{a="b"}', "[5m]"]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        tree = parse_logql(text)
    except SearchError as error:
        refused = error
    else:
        assert without_places(parse_logql(write_logql(tree))) == without_places(tree)
        return
    assert 0 <= refused.at <= len(text)
    assert re.match(r"line \d+, col \d+: ", refused.cause)


def write_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


TEXTS = st.text(alphabet='ab"\\`\n{} é', max_size=5)
NAMES = st.sampled_from(["a", "b_1", "level"])
MATCHERS = st.builds("{}{}{}".format, NAMES, st.sampled_from(["=", "!="]), TEXTS.map(write_quoted))
STAGES = st.one_of(
    st.builds("{} {}".format, st.sampled_from(["|=", "!=", "|>"]), TEXTS.map(write_quoted)),
    st.builds("| {} or {}, {}".format, MATCHERS, MATCHERS, MATCHERS),
    st.builds("| {} >= {}".format, NAMES, st.sampled_from(["5", "-1.5", "10ms", "1.5MiB", "2h"])),
    st.sampled_from(
        ["| json", "| drop a", "| keep a, b", "| decolorize", "| label_format a=b", '| line_format "{{.a}} x"']
    ),
)
QUERIES = st.builds("{{{}}} {}".format, MATCHERS, st.lists(STAGES, max_size=4).map(" ".join))
METRICS = st.recursive(
    st.builds(
        "{}({} [{}])".format, st.sampled_from(["rate", "bytes_over_time"]), QUERIES, st.sampled_from(["5m", "1h1ms"])
    ),
    lambda inner: st.one_of(
        st.builds("{} by (a) ({})".format, st.sampled_from(["sum", "avg", "count"]), inner),
        st.builds(
            "({}) {} ({})".format, inner, st.sampled_from(["+", "/", "^", "> bool", "==", "unless", "or on (a)"]), inner
        ),
        st.builds("topk(2, {}) * -2".format, inner),
    ),
    max_leaves=4,
)


@given(st.one_of(QUERIES, METRICS))
def test_a_tree_that_is_written_is_read_as_the_same_tree(text: str) -> None:
    tree: Query = parse_logql(text)
    assert without_places(parse_logql(write_logql(tree))) == without_places(tree)


def test_names_of_attributes_become_labels() -> None:
    assert (clean_name("http.status-code"), clean_name("2xx")) == ("http_status_code", "_2xx")
    assert group_attributes(["a.b", "a_b", 'odd"', "c"]) == {"a_b": ("a.b", "a_b"), "c": ("c",)}


def test_stages_change_the_labels_and_the_line_of_an_entry_in_their_order() -> None:
    def shape(stages: str, **labels: str) -> tuple[dict[str, str], str]:
        query = parse_logql(f"{{}} {stages}")
        assert isinstance(query, LogQuery)
        return shape_entry(query.stages, labels, "\x1b[31mline\x1b[0m", 1_000_000_000, {"level": "info"})

    assert shape("| decolorize", a="1") == ({"a": "1"}, "line")
    assert shape('| line_format "{{.a}}{{- .b }} {{__timestamp__}}"', a="1", b="2")[1] == "12 1970-01-01T00:00:01Z"
    assert shape("| label_format b=a", a="1")[0] == {"b": "1"}
    assert shape('| label_format b="{{.a}}{{.level}}", c="{{.b}}"', a="1")[0] == {"a": "1", "b": "1info", "c": "1info"}
    assert shape("| keep level", a="1")[0] == {"level": "info"}
    assert shape('| keep a="2", b', a="1", b="1")[0] == {"b": "1"}
    assert shape('| drop a="1", b="2"', a="1", b="1")[0] == {"b": "1"}
    assert shape("| json c=`a.b`", a_b="1")[0] == {"a_b": "1", "c": "1"}


def evaluate(text: str, **series: list[float | None]) -> Series | float:
    """Evaluate a metric whose range aggregations are ``rate({name="…"}[1s])``, by the names of series."""

    def read(aggregation: RangeAggregation, names: object) -> Series:
        name = aggregation.query.matchers[0].value
        found: Series = {
            (("name", key), ("part", key[:1])): points for key, points in series.items() if key.startswith(name)
        }
        if names is None:
            return found
        assert names in {(), ("part",)}
        totals = [sum(point or 0 for point in step) for step in zip(*found.values(), strict=True)]
        return {() if names == () else (("part", name),): totals}

    metric = parse_logql(text)
    assert not isinstance(metric, LogQuery)
    return Evaluator(text, 2, read).evaluate(metric)


def rate(name: str) -> str:
    return f'rate({{name="{name}"}}[1s])'


def test_operators_work_on_numbers_and_on_series_with_the_same_labels() -> None:
    key = (("name", "a1"), ("part", "a"))
    assert evaluate("2 ^ 3 - 10 / 4 % 2") == 7.5
    assert evaluate("1 > 2") == 0.0
    assert str(evaluate("1 / 0")) == "nan"
    assert evaluate("vector(1)+vector(1)") == {(): [2.0, 2.0]}
    assert evaluate(f"{rate('a')} * 2", a1=[1.0, None]) == {key: [2.0, None]}
    assert evaluate(f"3 - {rate('a')}", a1=[1.0, 2.0]) == {key: [2.0, 1.0]}
    assert evaluate(f"{rate('a')} > 1", a1=[1.0, 2.0]) == {key: [None, 2.0]}
    assert evaluate(f"1 < bool {rate('a')}", a1=[1.0, 2.0]) == {key: [0.0, 1.0]}
    assert evaluate(f"{rate('a')} / {rate('a')}", a1=[1.0, None]) == {key: [1.0, None]}
    assert evaluate(f"{rate('a')} + {rate('b')}", a1=[1.0, 2.0], b1=[1.0, 2.0]) == {}
    assert evaluate(f"{rate('a')} unless {rate('a1')}", a1=[1.0, 3.0]) == {key: [None, None]}
    assert evaluate(f"{rate('a')} and on (part) {rate('a1')}", a1=[None, 1.0], a2=[1.0, 2.0]) == {
        key: [None, 1.0],
        (("name", "a2"), ("part", "a")): [None, 2.0],
    }
    with pytest.raises(SearchError, match="several series of one side"):
        evaluate(f"{rate('a')} + on (part) {rate('a1')}", a1=[1.0, 1.0], a2=[1.0, 2.0])


def test_series_are_aggregated_at_each_step() -> None:
    points: dict[str, list[float | None]] = {"a1": [1.0, None], "a2": [3.0, 5.0], "b1": [7.0, None]}

    def of(text: str) -> Any:
        return evaluate(text.replace("ALL", 'rate({name=""}[1s])'), **points)

    assert of("max by (part) (ALL)") == {(("part", "a"),): [3.0, 5.0], (("part", "b"),): [7.0, None]}
    assert of("avg without (name) (ALL)")[("part", "a"),] == [2.0, 5.0]
    assert of("count(ALL)") == {(): [3.0, 1.0]}
    assert of("stddev by (part) (ALL)")[("part", "a"),] == [1.0, 0.0]
    assert of("topk(1, ALL)") == {
        (("name", "a2"), ("part", "a")): [None, 5.0],
        (("name", "b1"), ("part", "b")): [7.0, None],
    }
    assert list(of("sort(ALL)")) == sorted(of("ALL"), key=lambda key: points[dict(key)["name"]][-1] or 0)
    assert evaluate(f"sum by (part) ({rate('a')})", **points) == {(("part", "a"),): [4.0, 5.0]}
    assert evaluate(f"sum({rate('a')})", **points) == {(): [4.0, 5.0]}


def test_numbers_are_written_without_an_exponent() -> None:
    values = (2.0, 0.1, 1e21, 1e-7, float("inf"), float("nan"))
    assert [write_value(value) for value in values] == ["2", "0.1", "1" + "0" * 21, "0.0000001", "+Inf", "NaN"]
