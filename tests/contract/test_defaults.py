"""The default metrics fit the records of a store, on every kind of store."""

import pytest

from puppylog.model.defaults import Contents, choose_defaults
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.contents import read_contents
from puppylog.stores.base import Store
from support.lines import NOON, Source, rows
from support.observations import points

pytestmark = pytest.mark.sampled


def test_the_defaults_follow_from_the_records_and_have_values(store: Store) -> None:
    dialect = dialect_of(store)
    assert read_contents(store, dialect) is None
    source = Source(store)
    source.append(rows([{"message": "plain"}]))
    assert read_contents(store, dialect) == Contents(has_requests=False, has_severities=False, duration=None)
    took = '{"request_time": "0.25"}'
    requests = [{"status_code": 200, "request_route": "/a/b", "attributes": took}] * 3 + [{"status_code": 502}]
    source.append(rows([*requests, {"severity": "ERROR"}, {"severity": "info"}], start=source.offset))
    contents = read_contents(store, dialect)
    assert contents == Contents(has_requests=True, has_severities=True, duration="request_time")
    chosen = choose_defaults(contents)
    assert [store.create_metric(metric) for metric in chosen.metrics] == [True] * 6
    assert [store.create_alert(alert) for alert in chosen.alerts] == [True] * 2
    assert points(store, "total_traffic") == {(NOON, None): 7}
    assert points(store, "failed_share") == {(NOON, None): 0.25}
    assert points(store, "p95_duration") == {(NOON, None): 0.25}
    assert points(store, "errors_by_severity") == {(NOON, "error"): 1}
    assert points(store, "total_traffic_per_route") == {(NOON, "a"): 3, (NOON, None): 4}
