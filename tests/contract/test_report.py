"""A report says the same about the same records on every store."""

from datetime import timedelta

import pytest

from puppylog.model.stream import StreamReport
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.range import Range
from puppylog.monitor.report import Counted, Reason, make_report
from puppylog.monitor.search import Search, count_records, get_group_id
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import NOON, Source, rejects, rows

pytestmark = pytest.mark.sampled

ROUTES = ("/shop?item=1", "/shop?item=2", "/", "/Ä")


def fill(store: Store) -> None:
    """Store 200 requests, one a second, in the group "web", and two messages in no group."""
    source = Source(store, "file:///var/log/web.log", group="web")
    values = [
        {
            "ts": NOON + timedelta(seconds=second),
            "host": f"10.0.0.{second % 3}",
            "request_method": "GET",
            "request_route": ROUTES[second % 4],
            "status_code": (500, 404, 200, 200, 200)[second % 5],
            "response_bytes": 10,
            "attributes": f'{{"duration_ms": {second % 4 * 100}, "request_id": "x"}}',
        }
        for second in range(200)
    ]
    source.append(rows(values))
    source.append(rejects(b"\x16\x03", start=source.offset))
    store.report([StreamReport(source.stream_id, 0, None, 0.0, 0.0, 200, 1, format="access", ended=True)])
    Source(store, "file:///var/log/app.log").append(
        rows([{"ts": NOON, "severity": "warn", "message": "a"}, {"ts": NOON, "severity": "ERROR", "message": "b"}])
    )
    # A store of several servers may show records a moment after their commit.
    wait_until(lambda: count_records(store, Search(), 1000) == 202, what="all records")


def test_a_report_counts_what_is_stored(store: Store) -> None:
    fill(store)
    report = make_report(store, Search(), dialect_of(store))
    assert (report.records, report.rejects, report.response_bytes, report.read_times) == (202, 1, 2000.0, 0)
    assert (report.first_at, report.last_at) == (NOON, NOON + timedelta(seconds=199))
    assert [(one.name, one.records) for one in report.classes] == [
        ("5xx", 40),
        ("4xx", 40),
        ("2xx", 120),
        ("no status", 2),
    ]
    assert report.timeline is not None
    assert (report.timeline.start, report.timeline.step_s, report.timeline.steps) == (NOON, 2, 100)
    assert report.classes[0].steps[:5] == [1, 0, 1, 0, 0]
    assert report.routes is not None
    assert report.routes.items[0] == Counted("/shop", 100, 20, 1000.0)
    assert {item.value for item in report.routes.items} == {"/shop", "/", "/Ä"}
    assert report.failing is not None
    assert [item.records for item in report.failing.items] == [20, 10, 10]
    assert report.clients is not None
    assert [item.records for item in report.clients.items] == [67, 67, 66]
    assert report.slowest is not None
    assert (report.slowest.attribute, report.slowest.unit_s, report.slowest.different) == ("duration_ms", 0.001, 3)
    assert [(slow.value, slow.p50, slow.p95) for slow in report.slowest.items] == [
        ("/Ä", 300.0, 300.0),
        ("/", 200.0, 200.0),
        ("/shop", 50.0, 100.0),
    ]
    assert report.reasons == [Reason("no reason", 1)]
    assert sorted((source.name, source.records, source.rejects) for source in report.sources) == [
        ("/var/log/app.log", 2, 0),
        ("/var/log/web.log", 200, 1),
    ]


def test_a_report_of_a_group_and_a_range_leaves_out_the_rest(store: Store) -> None:
    fill(store)
    within = Range(NOON + timedelta(seconds=10), NOON + timedelta(seconds=20))
    report = make_report(store, Search("true", within, get_group_id(store, "web")), dialect_of(store))
    assert (report.records, report.rejects) == (10, 1)
    assert [source.name for source in report.sources] == ["/var/log/web.log"]


def test_messages_are_reported_by_severity(store: Store) -> None:
    fill(store)
    report = make_report(store, Search("severity IS NOT NULL"), dialect_of(store))
    assert report.kind == "severity"
    assert [(one.name, one.records) for one in report.classes] == [("error", 1), ("warning", 1)]
    assert (report.routes, report.clients, report.slowest) == (None, None, None)
    assert report.patterns is not None
    assert [(one.shape, one.count) for one in report.patterns.patterns] == [("b", 1)]


def test_an_empty_store_has_an_empty_report(store: Store) -> None:
    report = make_report(store, Search(), dialect_of(store))
    assert (report.records, report.rejects, report.timeline) == (0, 0, None)
