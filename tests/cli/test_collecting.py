import io
from dataclasses import replace
from datetime import UTC

import pytest

from puppylog.cli.collecting import Reporter, describe_reasons, describe_summary, describe_times
from puppylog.collect.events import (
    Committed,
    Event,
    FileFinished,
    FormatChosen,
    LineContinued,
    LineCut,
    NativeReadersMissing,
    PodLabelsMissing,
    Progress,
    SourceSkipped,
    SourceUnreadable,
    StoreInterrupted,
    StoreResumed,
    StreamOpened,
    Summary,
    WatchLimitReached,
)
from puppylog.model.record import LineCounts
from puppylog.settings import Settings
from puppylog.stores.address import StoreAddress

SUMMARY = Summary(2_370_789, 9_999, 1, LineCounts(), 1, 0, 0.4, (("an unclosed quote", 1),))


def settings(*, quiet: bool = False) -> Settings:
    return Settings(store=StoreAddress(""), color=None, output="table", zone=UTC, host="", quiet=quiet)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (FileFinished("/log/a.log.1", 2_000), "puppylog: finished /log/a.log.1, 2 kB\n"),
        (FileFinished("-", 2_000), ""),
        (
            WatchLimitReached("fs.inotify.max_user_watches"),
            (
                "puppylog: cannot watch some directories for changes: fs.inotify.max_user_watches is reached; "
                "their files are checked every few seconds instead\n"
            ),
        ),
        (
            LineCut("/log/a\x1b", 7),
            "puppylog: /log/a\\x1b: the line or record at byte 7 is too long; its beginning is kept\n",
        ),
        (
            SourceUnreadable("file:///log/a.log", "cannot read /log/a.log: no such file"),
            "puppylog: cannot read /log/a.log: no such file; waiting for it\n",
        ),
        (
            LineContinued("/log/a.log", 7),
            (
                "puppylog: /log/a.log: the unfinished line that was stored up to byte 7 continues; "
                "the rest is stored as another line\n"
            ),
        ),
        (
            StoreInterrupted("cannot reach it", 2.0),
            "puppylog: cannot reach it; nothing is lost, retrying in 2.0 s\n",
        ),
        (StoreResumed(), "puppylog: the store is back\n"),
        (SourceSkipped("/log/a is left out: it is a program"), "puppylog: /log/a is left out: it is a program\n"),
        (
            PodLabelsMissing("https://10.0.0.1 answers 403"),
            (
                "puppylog: cannot read the labels of pods: https://10.0.0.1 answers 403; "
                "lines are stored, and get these labels later\n"
            ),
        ),
        (PodLabelsMissing(None), "puppylog: the labels of pods are read\n"),
        (StreamOpened("file:///log/a.log", 0), ""),
        (
            NativeReadersMissing(),
            (
                "puppylog: installed without a C compiler: lines are read in Python, which takes about 40 to 120 times "
                "as much CPU (install a compiler, then Puppylog again)\n"
            ),
        ),
        (Progress(1, 2, 3, 4), ""),
        (Committed(5, 6), ""),
    ],
)
def test_an_event_is_reported_on_stderr(capsys: pytest.CaptureFixture[str], event: Event, message: str) -> None:
    with Reporter(settings()) as reporter:
        reporter.on_event(event)
    assert capsys.readouterr() == ("", message)


def test_the_format_of_a_file_that_is_begun_again_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(settings()) as reporter:
        for format_ in ("access", "access", "json"):
            reporter.on_event(FormatChosen("/log/a.log", format_))
    assert capsys.readouterr().err == "puppylog: reading /log/a.log as access\npuppylog: reading /log/a.log as json\n"


def test_the_answers_of_the_store_are_printed_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(settings(), echo=True) as reporter:
        reporter.on_event(Committed(5, 6))
    assert capsys.readouterr() == ("committed 5 records, 6 rejected lines\n", "")


def test_quiet_prints_only_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(settings(quiet=True)) as reporter:
        reporter.on_event(StoreResumed())
        reporter.on_event(StoreInterrupted("cannot reach it", 2.0))
    assert capsys.readouterr().err.startswith("puppylog: cannot reach it")


def test_the_line_of_progress_is_erased_before_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("puppylog.tui.progress._QUIET_S", 0.0)
    with Reporter(settings()) as reporter:
        reporter.on_event(Progress(50, 100, 3, 1))
        reporter.on_event(StoreResumed())
        reporter.on_event(Progress(100, 100, 6, 2))
    shown = terminal.getvalue()
    assert shown.startswith(" 50% ")
    assert "\r\x1b[1A\x1b[Jpuppylog: the store is back\n" in shown
    assert shown.endswith("\r\x1b[1A\x1b[J")


def test_a_dumb_terminal_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("puppylog.tui.progress._QUIET_S", 0.0)
    monkeypatch.setenv("TERM", "dumb")
    with Reporter(settings()) as reporter:
        reporter.on_event(Progress(50, 100, 3, 1))
    assert terminal.getvalue() == ""


def test_a_summary_is_one_line() -> None:
    assert describe_summary(SUMMARY) == "2,370,789 bytes, 9,999 records, 1 rejected in 0.4 s (25,000 lines/s)"
    w3c = Summary(10, 194, 0, LineCounts(60), 1, 0, 0.0, ())
    assert " 194 records, 0 rejected, 60 lines without a row in " in describe_summary(w3c)
    joined = Summary(10, 2, 0, LineCounts(continued=1_234), 1, 0, 0.0, ())
    assert "2 records, 0 rejected, 1,234 lines joined in" in describe_summary(joined)
    one = Summary(10, 2, 0, LineCounts(continued=1), 1, 0, 0.0, ())
    assert "2 records, 0 rejected, 1 line joined in" in describe_summary(one)
    waiting = Summary(10, 0, 0, LineCounts(), 1, 10, 0.0, ())
    assert describe_summary(waiting).endswith("(0 lines/s); 10 B of unfinished lines wait for their newline")
    assert describe_summary(replace(waiting, unfinished_wait_s=10)).endswith(
        "10 B of unfinished lines wait for their newline, or for a run 10 s after the last change of their files"
    )


def test_the_ten_most_frequent_reasons_are_listed() -> None:
    reasons = tuple((f"reason {number}", 100 - number) for number in range(12))
    lines = describe_reasons(Summary(0, 0, 0, LineCounts(), 0, 0, 1.0, reasons))
    assert lines[0] == "     100 rejected: reason 0"
    assert (len(lines), lines[-1]) == (11, "and 2 more reasons")


def test_records_without_a_time_and_ambiguous_zones_are_said() -> None:
    assert describe_times(LineCounts()) == []
    assert describe_times(LineCounts(before=1222, read=12, ambiguous_zones=3)) == [
        (
            "1,234 records have no time of their own: 1,222 took the time of the record before and 12 took the time of "
            "reading (see ts_source)"
        ),
        "3 time stamps name a zone that can mean several, which was read by --tz",
    ]
    assert describe_times(LineCounts(read=1)) == [
        "1 record has no time of its own: 1 took the time of reading (see ts_source)"
    ]
