from datetime import UTC, datetime, timedelta

import pytest

from puppylog.monitor.range import Range
from puppylog.monitor.report import Counted, Reason, SourceCount, make_report
from puppylog.monitor.search import Search
from puppylog.monitor.timeline import MAX_STEPS, plan_timeline
from support.memory import MemoryReader

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def add_stream(reader: MemoryReader, stream_id: int, uri: str, format_: str) -> None:
    reader.insert("log_streams", id=stream_id, source_uri=uri)
    reader.insert("stream_reports", stream_id=stream_id, format=format_)


def add_request(reader: MemoryReader, second: float, **columns: object) -> None:
    row = {"stream_id": 1, "file_id": 1, "host": "10.0.0.1", "request_route": "/", "status_code": 200, **columns}
    reader.insert("log_records", ts=NOON + timedelta(seconds=second), **row)


def add_requests(reader: MemoryReader, count: int, status: str = "200") -> None:
    """Add requests, one a second; ``status`` is SQL over the number ``i`` of a request."""
    reader.connection.execute(
        "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset, host, request_route, status_code) "
        f"SELECT $noon + to_seconds(i), 1, 1, i, '10.0.0.1', '/', {status} FROM range({count}) AS numbers (i)",
        {"noon": NOON},
    )


def test_an_empty_store_has_an_empty_report(reader: MemoryReader) -> None:
    report = make_report(reader, Search(), "duckdb")
    assert (report.records, report.rejects, report.timeline, report.classes, report.sources) == (0, 0, None, (), [])
    assert (report.routes, report.failing, report.slowest, report.clients) == (None, None, None, None)


def test_requests_are_counted_by_status_route_and_client(reader: MemoryReader) -> None:
    add_stream(reader, 1, "file:///var/log/a.log", "access")
    for second in range(10):
        add_request(reader, second, response_bytes=100)
    add_request(reader, 10, request_route="/shop?item=1", status_code=500, host="10.0.0.2")
    add_request(reader, 10, request_route="/shop?item=2", status_code=503, host="10.0.0.2")
    add_request(reader, 11, request_route="/gone", status_code=404)
    report = make_report(reader, Search(), "duckdb")
    assert (report.records, report.response_bytes, report.kind, report.server_errors) == (13, 1000.0, "status", 2)
    assert (report.first_at, report.last_at) == (NOON, NOON + timedelta(seconds=11))
    assert [(one.name, one.records) for one in report.classes] == [("5xx", 2), ("4xx", 1), ("2xx", 10)]
    assert report.routes is not None
    assert report.routes.different == 3
    assert report.routes.items[:2] == [Counted("/", 10, 0, 1000.0), Counted("/shop", 2, 2, None)]
    assert report.failing is not None
    assert [item.value for item in report.failing.items] == ["/shop"]
    assert report.clients is not None
    assert [(item.value, item.records) for item in report.clients.items] == [("10.0.0.1", 11), ("10.0.0.2", 2)]
    assert report.sources == [SourceCount("/var/log/a.log", "access", 13, 0)]


def test_the_steps_of_all_classes_hold_every_record(reader: MemoryReader) -> None:
    add_requests(reader, 300, "[200, 304, 404, 500, 999, NULL][i % 6 + 1]")
    report = make_report(reader, Search(), "duckdb")
    assert report.timeline is not None
    assert [one.name for one in report.classes] == ["5xx", "4xx", "3xx", "2xx", "other status", "no status"]
    assert {len(one.steps) for one in report.classes} == {report.timeline.steps}
    assert sum(sum(one.steps) for one in report.classes) == 300


def test_a_few_wrong_times_do_not_flatten_the_timeline(reader: MemoryReader) -> None:
    add_requests(reader, 300)
    add_request(reader, -86_400 * 20_000, status_code=500)
    add_request(reader, 86_400 * 365, status_code=500)
    report = make_report(reader, Search(), "duckdb")
    assert report.timeline is not None
    assert report.timeline.step_s <= 10
    assert (report.records, report.outside) == (302, 2)
    assert [(one.name, one.records, sum(one.steps)) for one in report.classes] == [("5xx", 2, 0), ("2xx", 300, 300)]


def test_messages_are_counted_by_severity_however_it_is_spelt(reader: MemoryReader) -> None:
    for severity in ("ERROR", "err", "fatal", "WARN", "info", "notice", "DEBUG", "odd", None):
        reader.insert("log_records", ts=NOON, severity=severity, message="m")
    report = make_report(reader, Search(), "duckdb")
    assert report.kind == "severity"
    counts = {one.name: one.records for one in report.classes}
    assert counts == {"error": 3, "warning": 1, "info": 2, "debug": 1, "other severity": 1, "no severity": 1}


def test_errors_are_grouped_by_the_shape_of_their_message(reader: MemoryReader) -> None:
    for number in range(5):
        reader.insert("log_records", ts=NOON, severity="ERROR", message=f"lost {number} of 10.0.0.{number}")
    reader.insert("log_records", ts=NOON, severity="fatal", message="out of memory")
    reader.insert("log_records", ts=NOON, severity="info", message="started")
    found = make_report(reader, Search(), "duckdb").patterns
    assert found is not None
    assert (found.of_errors, found.messages, found.different) == (True, 6, 2)
    assert [(one.shape, one.count) for one in found.patterns] == [("lost * of *", 5), ("out of memory", 1)]


def test_all_messages_are_grouped_if_no_record_has_a_severity(reader: MemoryReader) -> None:
    reader.insert("log_records", ts=NOON, message="user 7 has left")
    found = make_report(reader, Search(), "duckdb").patterns
    assert found is not None
    assert (found.of_errors, [one.shape for one in found.patterns]) == (False, ["user * has left"])


def test_a_log_without_errors_has_no_patterns(reader: MemoryReader) -> None:
    reader.insert("log_records", ts=NOON, severity="info", message="started")
    assert make_report(reader, Search(), "duckdb").patterns is None


def test_rejected_lines_are_counted_per_reason_and_per_source(reader: MemoryReader) -> None:
    add_stream(reader, 1, "file:///a.log", "access")
    add_stream(reader, 2, "file://web2/b.log", "json")
    add_request(reader, 0)
    for stream_id, reason in ((1, "no request"), (2, "no object"), (2, "no object")):
        reader.insert("rejected_lines", stream_id=stream_id, reason=reason, line=b"x")
    report = make_report(reader, Search(), "duckdb")
    assert (report.rejects, report.lines) == (3, 4)
    assert report.reasons == [Reason("no object", 2), Reason("no request", 1)]
    assert report.sources == [SourceCount("/a.log", "access", 1, 1), SourceCount("web2:/b.log", "json", 0, 2)]


def test_the_slowest_routes_are_those_with_the_longest_durations(reader: MemoryReader) -> None:
    for number in range(20):
        add_request(reader, number, request_route="/fast", attributes=f'{{"request_time": "0.00{number % 10}"}}')
        add_request(reader, number, request_route="/slow", attributes='{"request_time": "2.5"}')
        add_request(reader, number, request_route="/none", attributes='{"request_time": "-"}')
    slowest = make_report(reader, Search(), "duckdb").slowest
    assert slowest is not None
    assert (slowest.attribute, slowest.unit_s, slowest.different, slowest.least) == ("request_time", 1.0, 2, 1)
    assert [(slow.value, slow.records, slow.p95) for slow in slowest.items[:1]] == [("/slow", 20, 2.5)]


def test_a_duration_of_requests_is_found_among_newer_messages_with_other_attributes(reader: MemoryReader) -> None:
    add_request(reader, 0, attributes='{"request_time": "0.5"}')
    reader.connection.execute(
        "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset, attributes) "
        """SELECT now(), 2, 2, i, '{"thread": "7"}' FROM range(3000) AS numbers (i)"""
    )
    slowest = make_report(reader, Search(), "duckdb").slowest
    assert slowest is not None
    assert slowest.attribute == "request_time"


def test_records_with_the_time_of_reading_are_counted_and_others_are_not(reader: MemoryReader) -> None:
    reader.insert("log_files", id=1, opened_at=NOON, moved_at=NOON + timedelta(seconds=60))
    read_at_s = 1.234567  # the lines of one read have the same time, to the microsecond
    for _ in range(5):
        add_request(reader, read_at_s)
    add_request(reader, 2.345678)  # written and read while the file was open
    for _ in range(3):
        add_request(reader, 3.25)  # a stamp in milliseconds
        add_request(reader, -100.234567)  # before the file was opened
    assert make_report(reader, Search(), "duckdb").read_times == 5


def test_a_report_is_about_its_range_and_its_group(reader: MemoryReader) -> None:
    add_stream(reader, 1, "file:///a.log", "access")
    reader.insert("log_streams", id=2, source_uri="file:///b.log", group_id=7)
    for second in range(10):
        add_request(reader, second)
        add_request(reader, second, stream_id=2)
    reader.insert("rejected_lines", stream_id=1, reason="r", line=b"x")
    report = make_report(reader, Search("true", Range(NOON + timedelta(seconds=4)), group_id=7), "duckdb")
    assert (report.records, report.rejects, report.first_at) == (6, 0, NOON + timedelta(seconds=4))
    assert [source.name for source in report.sources] == ["/b.log"]


@pytest.mark.parametrize("days", [0, 0.001, 0.5, 1, 29.5, 400, 40_000, 3_000_000])
def test_a_timeline_has_a_limited_number_of_steps_that_hold_the_range(days: float) -> None:
    first = datetime(1, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    last = first + timedelta(days=days)
    timeline = plan_timeline(first, last)
    assert 1 <= timeline.steps <= MAX_STEPS
    assert timeline.start <= first < timeline.start + timedelta(seconds=timeline.step_s)
    end_s = timeline.start.timestamp() + timeline.step_s * timeline.steps
    assert last.timestamp() < end_s
    assert end_s - timeline.step_s <= last.timestamp()
