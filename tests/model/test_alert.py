import math
import re
from typing import Any

import pytest

from puppylog.errors import UsageError
from puppylog.model.alert import Comparison, NoData, define_alert, parse_comparison, parse_no_data
from puppylog.model.metric import Metric

COUNT = Metric("hits", "count", "*", period_s=10, segment="host")
P99 = Metric("slow", "p99", "attributes.time", period_s=60)


@pytest.mark.parametrize(
    ("text", "comparison"),
    [(">", ">"), (">=", ">="), (" < ", "<"), ("<=", "<="), ("gt", ">"), ("GE", ">="), ("lt", "<"), ("le", "<=")],
)
def test_a_comparison_is_written_as_a_sign_or_a_word(text: str, comparison: str) -> None:
    assert parse_comparison(text) is Comparison(comparison)


@pytest.mark.parametrize("text", ["", "=", "==", "=>", "above", "<>", "> 10"])
def test_an_unknown_comparison_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"^cannot use comparison {text!r}: known are >, >=, <, <=, gt, ge, lt, le$"):
        parse_comparison(text)


def test_a_no_data_policy_is_parsed_from_its_name() -> None:
    assert [parse_no_data(text) for text in ("ok", "KEEP", "no_data", "no-data", " alert", "zero")] == [
        NoData.OK,
        NoData.KEEP,
        NoData.NO_DATA,
        NoData.NO_DATA,
        NoData.ALERT,
        NoData.ZERO,
    ]
    with pytest.raises(
        UsageError, match=r"^cannot use no-data policy 'none': known are ok, keep, no_data, alert, zero$"
    ):
        parse_no_data("none")


@pytest.mark.parametrize(("window_s", "period_s"), [(60, 5), (600, 5), (720, 6), (3600, 30), (86400, 720)])
def test_a_longer_window_is_judged_less_often(window_s: int, period_s: int) -> None:
    alert = define_alert("a", P99, comparison=Comparison.ABOVE, threshold=1, window_s=window_s)
    assert alert.period_s == period_s


def test_defaults_depend_on_the_metric() -> None:
    counted = define_alert("a", COUNT, comparison=Comparison.ABOVE, threshold=1, window_s=60)
    assert (counted.delay_s, counted.no_data, counted.for_s, counted.keep_firing_for_s) == (10, NoData.ZERO, 0, 0)
    slow = define_alert("a", P99, comparison=Comparison.ABOVE, threshold=1, window_s=60)
    assert (slow.delay_s, slow.no_data) == (60, NoData.NO_DATA)
    quick = define_alert(
        "a", Metric("m", "sum", "line_offset", 1), comparison=Comparison.ABOVE, threshold=1, window_s=60
    )
    assert (quick.delay_s, quick.no_data) == (2, NoData.NO_DATA)


def test_given_values_take_precedence_over_defaults() -> None:
    alert = define_alert(
        "a",
        COUNT,
        comparison=Comparison.AT_MOST,
        threshold=-1.5,
        window_s=20,
        statistic="max",
        period_s=1,
        for_s=3,
        keep_firing_for_s=4,
        delay_s=0,
        each_segment=True,
        no_data=NoData.OK,
    )
    assert (alert.metric, alert.statistic, alert.comparison, alert.threshold) == (
        "hits",
        "max",
        Comparison.AT_MOST,
        -1.5,
    )
    assert (alert.window_s, alert.period_s, alert.for_s, alert.keep_firing_for_s, alert.delay_s) == (20, 1, 3, 4, 0)
    assert (alert.each_segment, alert.no_data) == (True, NoData.OK)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"window_s": 15}, "its window of 15s is not a multiple of the period of metric 'hits', 10s"),
        ({"window_s": 5}, "its window of 5s is not a multiple of the period of metric 'hits', 10s"),
        ({"window_s": 0}, "its window of 0s is not a multiple of the period of metric 'hits', 10s"),
        ({"threshold": math.nan}, "its threshold of nan is not finite"),
        ({"threshold": -math.inf}, "its threshold of -inf is not finite"),
        ({"statistic": "p99"}, "its statistic must be one of avg, sum, min, max, not 'p99'"),
        ({"period_s": 0}, "its period is shorter than 1s"),
        ({"for_s": -1}, "a length of time is negative"),
        ({"keep_firing_for_s": -1}, "a length of time is negative"),
        ({"delay_s": -1}, "a length of time is negative"),
        ({"metric": P99, "each_segment": True}, "metric 'slow' has no segments"),
    ],
)
def test_a_definition_that_does_not_fit_its_metric_is_refused(changes: dict[str, Any], cause: str) -> None:
    parts: dict[str, Any] = {
        "metric": COUNT,
        "comparison": Comparison.ABOVE,
        "threshold": 1.0,
        "window_s": 60,
        **changes,
    }
    with pytest.raises(UsageError) as caught:
        define_alert("a", **parts)
    assert caught.value.message == f"cannot define alert 'a': {cause}"


@pytest.mark.parametrize(
    ("telling", "fault"),
    [
        ({"severity": "bad"}, "its severity must be one of critical, error, warning, info, not 'bad'"),
        ({"summary": "a" * 501}, "its summary has more than 500 characters"),
        ({"summary": "a\nb"}, "its summary has a control character"),
        ({"contacts": ["ops", "ops"]}, "it names a contact twice"),
        ({"contacts": [f"c{number}" for number in range(21)]}, "it has more than 20 contacts"),
        ({"contacts": ["on call"]}, "'on call' is not a valid contact name"),
        ({"contacts": ["a" * 49]}, "it may have at most 48 characters"),
        ({"group_wait_s": -1}, "a length of time is negative"),
        ({"repeat_s": -1}, "a length of time is negative"),
    ],
)
def test_an_alert_that_cannot_be_told_is_refused(telling: dict[str, Any], fault: str) -> None:
    metric = Metric("m", "count", "*", period_s=10)
    with pytest.raises(UsageError, match=re.escape(fault)):
        define_alert("a", metric, comparison=Comparison.ABOVE, threshold=1, window_s=10, **telling)
