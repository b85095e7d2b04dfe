"""The reports of a collector on its streams, while it collects and at its end."""

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from puppylog.collect import stream_reporter
from puppylog.collect.collector import Collector
from puppylog.collect.dry_run import DryAppender, DryWriter
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.errors import StoreFull, StoreRefused, StoreUnavailable
from puppylog.formats.registry import find_format
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import Move, StreamReport
from puppylog.stores.base import Appended
from puppylog.tail.tailer import Tailer
from support.embedded import wait_until

LINE = '192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{} HTTP/1.1" 200 1 "-" "-"\n'


class ReportedStore(DryWriter):
    """Remembers the reports, and may be unavailable for each of them."""

    def __init__(self, *, is_unavailable: bool = False) -> None:
        super().__init__()
        self.reports: list[StreamReport] = []
        self._is_unavailable = is_unavailable

    def report(self, reports: Sequence[StreamReport]) -> None:
        self.reports += reports
        if self._is_unavailable:
            raise StoreUnavailable("reach", "the store", "away")


class CalledStore(ReportedStore):
    """Remembers how many streams each call has reported."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def report(self, reports: Sequence[StreamReport]) -> None:
        self.calls.append(len(reports))
        super().report(reports)


class FullAppender(DryAppender):
    """Commits nothing while its store is full."""

    def __init__(self, store: "FullStore") -> None:
        super().__init__()
        self._of = store

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        if self._of.is_full:
            raise StoreFull("write to", "the store", "the disk is full")
        return super().commit(moves, requests)


class FullStore(ReportedStore):
    """Accepts reports, and no lines until its disk is not full any more."""

    is_full = True

    def appender(self) -> FullAppender:
        return FullAppender(self)


def collector(store: DryWriter, stop: threading.Event, *paths: Path, watch: bool = False) -> Collector:
    options = CollectOptions(
        sources=[SourceOptions(paths=[str(path) for path in paths], format=find_format("access"))], watch=watch
    )
    return Collector(store, options, stop=stop, on_event=lambda _: None)


def has_moved(running: Collector, since: float) -> bool:
    return running.moved_at > since


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("".join(LINE.format(number) for number in range(10)) + "nonsense\n")
    return path


@pytest.mark.parametrize("is_unavailable", [False, True], ids=["available", "unavailable"])
def test_a_run_is_reported_at_its_start_and_end_even_if_the_store_is_unavailable(
    log: Path, *, is_unavailable: bool
) -> None:
    store = ReportedStore(is_unavailable=is_unavailable)
    summary = collector(store, threading.Event(), log).run()
    assert (summary.records, summary.rejects) == (10, 1)
    assert [report.ended for report in store.reports] == [False, True]
    last = store.reports[-1]
    assert (last.records, last.rejects, last.backlog_bytes, last.format, last.problem) == (10, 1, 0, "access", None)


def test_a_watched_file_that_is_missing_is_a_problem_until_it_exists(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reporter, "REPORT_S", 0.05)
    store, stop = ReportedStore(), threading.Event()
    log.unlink()
    running = threading.Thread(target=collector(store, stop, log, watch=True).run)
    running.start()
    try:
        wait_until(lambda: any(report.problem for report in store.reports), what="the problem")
        log.write_text(LINE.format(1))
        wait_until(lambda: any(not report.problem and report.records for report in store.reports), what="its end")
    finally:
        stop.set()
        running.join()
    assert store.reports[-1].ended


def test_lines_that_a_full_store_refuses_are_not_counted_as_stored(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_reporter, "REPORT_S", 0.05)
    store, stop = FullStore(), threading.Event()
    running = threading.Thread(target=collector(store, stop, log, watch=True).run)
    running.start()
    try:
        wait_until(lambda: any(report.problem for report in store.reports), what="the problem")
        last = [report for report in store.reports if report.problem][-1]
        assert (last.problem, last.records, last.rejects, last.lines_per_s) == (
            "cannot write to the store: the disk is full",
            0,
            0,
            0.0,
        )
        assert (last.waiting_lines, last.backlog_bytes) == (11, log.stat().st_size)
        store.is_full = False
        wait_until(lambda: store.reports[-1].records == 10, what="the commit")
        wait_until(lambda: store.reports[-1].problem is None, what="the end of the problem")
        assert (store.reports[-1].waiting_lines, store.reports[-1].backlog_bytes) == (0, 0)
    finally:
        store.is_full = False
        stop.set()
        running.join()
    assert (store.reports[-1].records, store.reports[-1].rejects) == (10, 1)


def test_a_deleted_file_is_reported_finished_and_a_new_file_at_its_path_is_not(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reporter, "REPORT_S", 0.05)
    assert Tailer.__init__.__kwdefaults__ is not None
    monkeypatch.setitem(Tailer.__init__.__kwdefaults__, "rotate_wait_s", 0.0)
    store, stop = ReportedStore(), threading.Event()
    running = threading.Thread(target=collector(store, stop, log, watch=True).run)
    running.start()
    try:
        wait_until(lambda: any(report.records for report in store.reports), what="the lines")
        log.unlink()
        wait_until(lambda: store.reports[-1].finished, what="the end of the file")
        log.write_text(LINE.format(1))
        wait_until(lambda: store.reports[-1].records == 11 and not store.reports[-1].finished, what="the next file")
    finally:
        stop.set()
        running.join()


def test_a_collector_that_fails_does_not_report_an_end(log: Path) -> None:
    class Refusing(ReportedStore):
        def open_files(self, *_: object, **__: object) -> NoReturn:
            raise StoreRefused("reach", "the store", "no")

    store = Refusing()
    with pytest.raises(StoreRefused):
        collector(store, threading.Event(), log).run()
    assert not any(report.ended for report in store.reports)


def test_a_quiet_collector_sends_no_empty_reports_and_looks_at_idle_files_for_a_heartbeat_only(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reporter, "REPORT_S", 0.0)
    monkeypatch.setattr("puppylog.collect.pause.MAX_S", 0.01)
    store, stop = CalledStore(), threading.Event()
    running = collector(store, stop, log, watch=True)
    thread = threading.Thread(target=running.run)
    thread.start()
    wait_until(lambda: len(store.reports) >= 2, what="the report that the file is idle")
    looks: list[Tailer] = []

    def look(tailer: Tailer) -> int:
        looks.append(tailer)
        return 0

    monkeypatch.setattr(Tailer, "backlog_bytes", look)
    for _ in range(20):
        wait_until(partial(has_moved, running, running.moved_at), what="another round")
    stop.set()
    thread.join()
    assert all(store.calls)
    assert len(looks) < 10  # each poll of the file is a look, and the end of the run is one
