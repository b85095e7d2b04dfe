"""The reports of a collector on its streams. The test sets the time."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from puppylog.collect.batch import Share
from puppylog.collect.events import Committed, StoreInterrupted, StoreResumed
from puppylog.collect.stream_reporter import HEARTBEAT_S, REPORT_S, StoreState, StreamReporter
from puppylog.model.stream import StreamReport

START = 1000.0


def begin(*stream_ids: int) -> StreamReporter:
    """Return the reporting of these streams, after their first reports at START."""
    reporting = StreamReporter()
    for stream_id in stream_ids:
        reporting.begin_stream(stream_id, START)
    assert reporting.is_due(START)
    assert ids(reporting.take_due(START)) == list(stream_ids)
    assert ids(reporting.take_due(START)) == []
    return reporting


def ids(reports: Sequence[StreamReport]) -> list[int]:
    return [report.stream_id for report in reports]


def look(reporting: StreamReporter, unread_bytes: int, at: float, problem: str | None = None) -> StreamReport:
    """Note the state of stream 1; return its report."""
    reporting.note_source(1, unread_bytes=unread_bytes, problem=problem, at=at)
    (report,) = reporting.take_due(at)
    return report


def store(reporting: StreamReporter, size_bytes: int, at: float, *, records: int = 1, rejects: int = 0) -> None:
    """Note lines of stream 1 as read and stored."""
    reporting.note_read(1, lines=records + rejects, size_bytes=size_bytes)
    reporting.note_stored([(1, Share(records, rejects, size_bytes))], at)


def test_nothing_is_due_without_a_stream() -> None:
    assert not StreamReporter().is_due(START)
    assert not StreamReporter().end(START)


def test_a_new_stream_is_reported_at_once() -> None:
    reporting = begin(1)
    assert not reporting.is_due(START + 1)
    reporting.begin_stream(2, START + 1)
    assert reporting.is_due(START + 1)
    assert reporting.take_due(START + 1) == [StreamReport(2, 0, None, None, 0.0, 0, 0)]


def test_streams_that_have_changed_are_reported_often_and_all_streams_less_often() -> None:
    reporting = begin(1, 2, 3)
    store(reporting, 100, START + 1)
    assert not reporting.is_due(START + REPORT_S - 0.1)
    assert reporting.is_due(START + REPORT_S)
    assert ids(reporting.take_due(START + REPORT_S)) == [1]
    assert ids(reporting.take_due(START + 2 * REPORT_S)) == [1]  # one more report says that the stream is idle
    assert ids(reporting.take_due(START + HEARTBEAT_S)) == [1, 2, 3]
    assert ids(reporting.take_due(START + HEARTBEAT_S + REPORT_S)) == []


def test_the_rate_of_lines_is_that_since_the_previous_report() -> None:
    reporting = begin(1)
    store(reporting, 100, START + 1, records=40, rejects=10)
    (report,) = reporting.take_due(START + 5)
    assert (report.lines_per_s, report.records, report.rejects, report.stored_ago_s) == (10.0, 40, 10, 4.0)
    (report,) = reporting.take_due(START + 10)
    assert (report.lines_per_s, report.records, report.rejects, report.stored_ago_s) == (0.0, 40, 10, 9.0)


def test_the_age_of_a_backlog_is_that_of_its_oldest_known_byte() -> None:
    reporting = begin(1)
    assert look(reporting, 100, START + 5).behind_s == 0
    assert look(reporting, 150, START + 10).behind_s == 5  # no byte was read
    store(reporting, 100, START + 12)
    assert (
        look(reporting, 60, START + 15).behind_s == 5
    )  # the first hundred bytes are stored; the other fifty were noted at 10
    store(reporting, 50, START + 16)
    assert look(reporting, 10, START + 20).behind_s == 5  # ten bytes were noted at 15
    store(reporting, 10, START + 21)
    report = look(reporting, 0, START + 25)
    assert (report.backlog_bytes, report.behind_s) == (0, None)


def test_the_delay_of_a_busy_file_does_not_grow_if_the_collector_keeps_up() -> None:
    reporting = begin(1)
    for second in range(5, 60, 5):
        report = look(reporting, 10, START + second)
        assert report.behind_s == 0
        store(reporting, 10, START + second + 1)


def test_the_age_of_a_backlog_is_kept_when_its_file_is_truncated() -> None:
    reporting = begin(1)
    look(reporting, 1000, START + 5)
    assert look(reporting, 10, START + 10).behind_s == 5
    store(reporting, 10, START + 11)
    assert look(reporting, 0, START + 15).behind_s is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=200))
def test_the_age_of_a_backlog_is_never_less_than_that_of_a_byte_that_was_seen(steps: list[tuple[int, int]]) -> None:
    """Some bytes are written every second, and some are read; the oldest unread byte is known exactly."""
    reporting = begin(1)
    seen_at: list[float] = []  # by byte: the time of the first poll that found it
    done = 0
    for second, (written, wanted) in enumerate(steps, start=1):
        at = START + second
        seen_at += [at] * written
        can = min(wanted, len(seen_at) - done)
        done += can
        if can:
            store(reporting, can, at)
        reporting.note_source(1, unread_bytes=len(seen_at) - done, problem=None, at=at)
        progress = reporting._streams[1]
        if done == len(seen_at):
            assert not progress.samples
        else:
            oldest = progress.samples[0].at
            assert oldest <= seen_at[done]
            # It is exact unless samples were dropped.
            assert oldest == seen_at[done] or len(steps) > 64
        assert len(progress.samples) <= 64


def test_a_problem_and_its_end_are_reported() -> None:
    reporting = begin(1)
    assert (
        look(reporting, 0, START + 5, problem="cannot read it: no such file").problem == "cannot read it: no such file"
    )
    reporting.note_source(1, unread_bytes=0, problem="cannot read it: no such file", at=START + 10)
    assert reporting.take_due(START + 10) == []
    reporting.take_due(START + HEARTBEAT_S)
    assert look(reporting, 0, START + HEARTBEAT_S + 5).problem is None


def test_a_recognized_format_is_reported() -> None:
    reporting = begin(1)
    reporting.note_format(1, "json")
    (report,) = reporting.take_due(START + 5)
    assert report.format == "json"


def test_bytes_that_no_store_accepts_are_escaped() -> None:
    reporting = begin(1)
    assert (
        look(reporting, 0, START + 5, problem="cannot read /a\udcff\0: gone").problem
        == "cannot read /a\\udcff\\0: gone"
    )


def test_the_last_report_of_a_stream_is_marked_as_the_end() -> None:
    reporting = begin(1, 2)
    store(reporting, 100, START + 1)
    reports = reporting.end(START + 2)
    assert [(report.stream_id, report.records, report.ended) for report in reports] == [(1, 1, True), (2, 0, True)]
    assert not reporting.is_due(START + 100)


def test_lines_that_wait_for_the_store_are_counted_as_backlog() -> None:
    reporting = begin(1)
    reporting.note_read(1, lines=5000, size_bytes=100)
    report = look(reporting, 50, START + 5)
    assert (report.records, report.rejects, report.lines_per_s, report.stored_ago_s) == (0, 0, 0.0, None)
    assert (report.waiting_lines, report.backlog_bytes, report.behind_s) == (5000, 150, 0)
    reporting.note_stored([(1, Share(4000, 999, 99))], START + 9)
    report = look(reporting, 50, START + 10)
    assert (report.records, report.rejects, report.waiting_lines, report.backlog_bytes) == (4000, 999, 1, 51)
    assert (report.lines_per_s, report.stored_ago_s, report.behind_s) == (4999 / 5, 1.0, 5.0)


def test_lines_that_are_read_again_are_not_counted_twice() -> None:
    reporting = begin(1)
    store(reporting, 100, START + 1, records=7)
    reporting.note_read(1, lines=5, size_bytes=50)
    reporting.begin_again()
    reporting.begin_stream(1, START + 3)
    report = look(reporting, 50, START + 5)
    assert (report.records, report.waiting_lines, report.backlog_bytes) == (7, 0, 50)


def test_a_store_that_takes_no_lines_is_a_problem_of_streams_with_a_backlog() -> None:
    state = StoreState(lambda _: None)
    reporting = begin(1, 2)
    state(StoreInterrupted("cannot write it: the disk is full", 1.0))
    for stream_id, unread_bytes in ((1, 5), (2, 0)):
        reporting.note_source(
            stream_id, unread_bytes=unread_bytes, problem=None, at=START + 5, store_problem=state.problem
        )
    assert [report.problem for report in reporting.take_due(START + HEARTBEAT_S)] == [
        "cannot write it: the disk is full",
        None,
    ]
    for event in (StoreResumed(), Committed(1, 0)):
        state(StoreInterrupted("away", 1.0))
        state(event)
        assert state.problem is None


def test_a_missing_file_is_finished_once_all_of_it_is_stored() -> None:
    reporting = begin(1)
    reporting.note_read(1, lines=1, size_bytes=5)
    for size_bytes, is_finished in ((0, False), (5, True)):
        reporting.note_stored([(1, Share(0, 0, size_bytes))], START + 1)
        reporting.note_source(1, unread_bytes=0, problem="cannot read it: no such file", at=START + 2, is_gone=True)
        assert [report.finished for report in reporting.end(START + 2)] == [is_finished]
        reporting.begin_stream(1, START + 2)
        reporting.note_read(1, lines=1, size_bytes=5)


def test_a_stream_is_quiet_after_its_report_until_it_has_news() -> None:
    reporting = begin(1)
    assert reporting.is_quiet(1, None)
    assert not reporting.is_quiet(1, "it cannot be read")
    reporting.note_source(1, unread_bytes=10, problem=None, at=START)
    reporting.take_due(START)
    assert not reporting.is_quiet(1, None)  # it has a backlog
