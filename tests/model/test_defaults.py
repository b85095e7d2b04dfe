from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.defaults import DEFAULT_ALERTS, DEFAULT_METRICS
from puppylog.model.expression import parse_segment
from puppylog.model.identifier import parse_identifier
from puppylog.model.metric import parse_property, parse_statistic


def test_the_default_metrics_are_in_canonical_form() -> None:
    assert [metric.name for metric in DEFAULT_METRICS] == [
        "total_traffic_per_route",
        "total_traffic",
        "lines_per_stream",
    ]
    for metric in DEFAULT_METRICS:
        assert parse_identifier(metric.name, "metric") == metric.name
        assert parse_statistic(metric.statistic) == metric.statistic
        assert parse_property(metric.property, metric.statistic) == metric.property
        assert metric.segment is None or parse_segment(metric.segment) == metric.segment
    assert {metric.name: metric.period_s for metric in DEFAULT_METRICS} == {
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
    assert expected == DEFAULT_ALERTS[0]


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
    assert expected == DEFAULT_ALERTS[1]
    assert len(DEFAULT_ALERTS) == 2
