from collections.abc import Iterator
from contextlib import closing

import pytest

from support.clock_steps import DAY_S
from support.refreshed_metric import START_S, RefreshedMetric


@pytest.fixture
def metric(postgres_store_url: str) -> Iterator[RefreshedMetric]:
    """A metric with a record on each of three days."""
    with closing(RefreshedMetric(postgres_store_url, 10)) as metric:
        for day in range(3):
            metric.store_line(START_S + 10 * day * DAY_S)
        metric.refresh(START_S + 30 * DAY_S)
        yield metric
