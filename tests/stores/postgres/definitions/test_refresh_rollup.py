"""A rollup in PostgreSQL: after any change of the clock, its sum is the number of its records."""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.clock_steps import PERIODS, Step, clock_steps
from support.examples import examples
from support.refreshed_metric import RefreshedMetric

START_S = 1_790_000_000


@settings(max_examples=examples(10, soak=30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(period_s=st.sampled_from(PERIODS), steps=clock_steps(has_policy=False))
def test_every_refresh_leaves_the_sum_equal_to_the_number_of_records(
    url: str, period_s: int, steps: Sequence[Step]
) -> None:
    clock_s = START_S
    with closing(RefreshedMetric(url, period_s)) as metric:
        for what, seconds in [*steps, ("refresh", 0)]:
            if what == "line":
                metric.store_line(clock_s + seconds)
            elif what == "clock":
                clock_s += seconds
            else:
                metric.refresh(clock_s)
                assert metric.error() is None
                assert metric.read_values() == metric.count_records()
                assert metric.read_levels() == metric.count_in_levels()


@pytest.mark.parametrize("step", [timedelta(seconds=5), timedelta(hours=1), timedelta(days=3)])
def test_after_the_clock_is_set_back_new_lines_are_read_live(url: str, step: timedelta) -> None:
    with closing(RefreshedMetric(url, 1)) as metric:
        metric.store_line(START_S)
        metric.refresh(START_S + 100)
        back_s = START_S + 100 - int(step.total_seconds())
        metric.refresh(back_s)
        metric.store_line(back_s)
        assert metric.read_values() == metric.count_records()
        assert sum(metric.read_values().values()) == 2


def test_a_metric_is_due_although_it_was_refreshed_in_the_future(url: str) -> None:
    with closing(RefreshedMetric(url, 1)) as metric:
        metric.ask("UPDATE puppylog.metrics SET refreshed_at = clock_timestamp() + INTERVAL '1 hour'")
        assert len(metric.ask("SELECT puppylog.metrics_due()")) == 1


def test_a_clock_step_keeps_the_buckets_whose_records_may_have_been_dropped(url: str) -> None:
    hour_s = 3600
    with closing(RefreshedMetric(url, 60)) as metric:
        metric.store_line(START_S)
        metric.refresh(START_S + hour_s)
        metric.ask("UPDATE puppylog.installation SET drop_after_s = 1800")
        metric.ask("DELETE FROM puppylog.log_records")
        metric.refresh(START_S - hour_s)
        assert sum(metric.read_values().values()) == 1
        metric.ask("UPDATE puppylog.installation SET drop_after_s = NULL")
