"""The formulas of derived metrics, and which metrics go together in one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import ExpressionError
from puppylog.model.derived import define_derived, find_ancestors, list_inputs, order_by_depth
from puppylog.model.formula import MAX_OPERATORS, Input, Negative, Number, Operation, Part, _write, parse_formula
from puppylog.model.metric import Metric

ERRORS = Metric("errors", "count", "*", 60, segment="host", refresh_s=10)
TOTAL = Metric("total", "count", "*", 60, refresh_s=60)
BY_ROUTE = Metric("by_route", "count", "*", 60, segment="request_route")
SLOW = Metric("slow", "count", "*", 3600)
KNOWN = {metric.name: metric for metric in (ERRORS, TOTAL, BY_ROUTE, SLOW)}

parts: st.SearchStrategy[Part] = st.recursive(
    st.sampled_from("abc").map(Input) | st.sampled_from([0.0, 0.00001, 2.0, 1e22]).map(Number),
    lambda inner: inner.map(Negative) | st.builds(Operation, st.sampled_from("+-*/"), inner, inner),
    max_leaves=10,
)


@given(parts)
def test_the_canonical_text_of_a_formula_is_the_same_formula(part: Part) -> None:
    text = _write(Operation("+", Input("a"), part))
    formula = parse_formula(text)
    assert formula.text == text
    assert formula.tree == parse_formula(formula.text).tree


@pytest.mark.parametrize(
    ("text", "canonical", "inputs"),
    [
        ("errors/total", "errors / total", ("errors", "total")),
        ("((a + b)) * 2 - -c / (d * e)", "(a + b) * 2 - -c / (d * e)", ("a", "b", "c", "d", "e")),
        ("a - (b - a)", "a - (b - a)", ("a", "b")),
        ("a * 100.50", "a * 100.5", ("a",)),
    ],
)
def test_a_formula_is_arithmetic_over_names(text: str, canonical: str, inputs: tuple[str, ...]) -> None:
    formula = parse_formula(text)
    assert (formula.text, formula.inputs) == (canonical, inputs)


@pytest.mark.parametrize(
    ("text", "at", "cause"),
    [
        ("", 0, "it ends too early: expected a metric or a number"),
        ("errors / ", 8, "it ends too early: expected a metric or a number"),
        ("errors total", 7, "expected an operator or the end"),
        ("errors * / total", 9, "expected a metric or a number"),
        ("2 * (errors", 4, "this parenthesis is not closed"),
        ("errors)", 6, "expected an operator or the end"),
        ("errors % 2", 7, "a formula has names of metrics, numbers, + - * / and parentheses"),
        ("1 + 2", 0, "it names no metric"),
        ("a+b+c+d+e+f+g+h+i", 16, "it names 9 metrics; at most 8 are allowed"),
        ("-" * 30 + "a", 21, "it is nested more than 20 deep"),
        ("a" + " + 1" * (MAX_OPERATORS + 1), 2 + 4 * MAX_OPERATORS, "it has more than 100 operators"),
        ("a + " + "1" * 1000, 0, "it is longer than 1000 characters"),
    ],
)
def test_what_is_no_formula_is_refused_at_its_place(text: str, at: int, cause: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_formula(text)
    assert (caught.value.cause, caught.value.at, caught.value.written) == (cause, at, text)


def test_a_division_by_zero_is_null_in_sql() -> None:
    assert parse_formula("errors / total - 1").render({"errors": "x", "total": "y"}) == (
        "((x / NULLIF(y, 0)) - CAST(1.0 AS DOUBLE PRECISION))"
    )


def test_a_derived_metric_has_the_period_and_the_segments_of_its_inputs() -> None:
    derived = define_derived("share", "errors/total", KNOWN)
    assert derived == Metric("share", "derived", "errors / total", 60, segment="host", refresh_s=60)
    assert list_inputs(derived) == ("errors", "total")
    assert list_inputs(replace(derived, property="errors / ")) == ()
    assert list_inputs(TOTAL) == ()


def test_a_derived_metric_has_a_group_if_all_of_its_inputs_have_it() -> None:
    errors, total = (replace(metric, group="web") for metric in (ERRORS, TOTAL))
    assert define_derived("share", "errors / total", {"errors": errors, "total": total}).group == "web"
    assert define_derived("share", "errors / total", {"errors": errors, "total": TOTAL}).group is None


@pytest.mark.parametrize(
    ("text", "at", "cause"),
    [
        ("errors / totl", 9, "there is no metric 'totl'; the nearest is total"),
        ("errors / slow", 9, "the period of errors is 1m, and that of slow 1h"),
        ("total + errors / by_route", 17, "errors has segments by host, and by_route by request_route"),
        ("new + 1", 0, "metric 'new' would be derived from itself"),
    ],
)
def test_metrics_that_do_not_go_together_are_refused_at_their_place(text: str, at: int, cause: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        define_derived("new", text, KNOWN)
    assert (caught.value.cause, caught.value.at) == (cause, at)


def test_derived_metrics_are_ordered_after_what_they_are_derived_from() -> None:
    known = dict(KNOWN)
    for name, text in {"share": "errors / total", "more": "share + 1", "most": "share + more"}.items():
        known[name] = define_derived(name, text, known)
    assert [metric.name for metric in order_by_depth(dict(reversed(known.items())))] == ["share", "more", "most"]
    assert find_ancestors("most", known) == {"share", "more", "errors", "total"}
    with pytest.raises(ExpressionError, match="metric 'share' would be derived from itself"):
        define_derived("share", "most * 2", known)
