import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.defaults import ORIGINAL, Contents, choose_defaults
from puppylog.model.expression import parse_filter, parse_segment
from puppylog.model.identifier import parse_identifier
from puppylog.model.metric import Metric, parse_property, parse_statistic

EVERYTHING = choose_defaults(Contents(has_requests=True, has_severities=True, duration="request_time"))


@pytest.mark.parametrize(
    "metric", dict.fromkeys([*ORIGINAL.metrics, *EVERYTHING.metrics]), ids=lambda metric: metric.name
)
def test_a_default_metric_is_in_canonical_form(metric: Metric) -> None:
    assert parse_identifier(metric.name, "metric") == metric.name
    assert parse_statistic(metric.statistic) == metric.statistic
    assert parse_property(metric.property, metric.statistic) == metric.property
    assert metric.segment is None or parse_segment(metric.segment) == metric.segment
    assert metric.filter is None or parse_filter(metric.filter) == metric.filter
    assert metric.of is None or parse_filter(metric.of) == metric.of


def test_no_default_alert_fires_in_its_first_minutes() -> None:
    silent_stream, many_failures = EVERYTHING.alerts
    assert (silent_stream.comparison, silent_stream.window_s) == (
        Comparison.BELOW,
        300,
    )  # no segment before a line came
    assert (many_failures.for_s, many_failures.no_data) == (300, NoData.OK)


def test_the_original_metrics_have_their_names_and_periods() -> None:
    assert [metric.name for metric in ORIGINAL.metrics] == [
        "total_traffic_per_route",
        "total_traffic",
        "lines_per_stream",
    ]
    assert {metric.name: metric.period_s for metric in ORIGINAL.metrics} == {
        "total_traffic_per_route": 10,
        "total_traffic": 1,
        "lines_per_stream": 60,
    }


def test_the_traffic_alert_fires_above_ten_requests_per_second_over_two_minutes() -> None:
    expected = Alert(
        name="totaltraffic",
        metric="total_traffic",
        statistic="avg",
        comparison=Comparison.ABOVE,
        threshold=10,
        window_s=120,
        period_s=5,
        for_s=0,
        keep_firing_for_s=0,
        delay_s=2,
        each_segment=False,
        no_data=NoData.ZERO,
    )
    assert expected == ORIGINAL.alerts[0]


def test_the_silence_alert_fires_for_each_stream_without_a_line_in_five_minutes() -> None:
    expected = Alert(
        name="silent_stream",
        metric="lines_per_stream",
        statistic="sum",
        comparison=Comparison.BELOW,
        threshold=1,
        window_s=300,
        period_s=10,
        for_s=0,
        keep_firing_for_s=0,
        delay_s=10,
        each_segment=True,
        no_data=NoData.ZERO,
    )
    assert expected == ORIGINAL.alerts[1]
    assert len(ORIGINAL.alerts) == 2
