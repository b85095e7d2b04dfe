"""A source that cannot be read is reported and tried again, and the other sources are collected."""

import os
from pathlib import Path

import pytest

from puppylog.collect import stream_reporter, tailed_source
from puppylog.collect.events import SourceUnreadable
from support.embedded import wait_until
from support.recording import RecordingStore, collect_once, watching


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stream_reporter, "REPORT_S", 0.05)
    monkeypatch.setattr(tailed_source, "IDLE_S", 0.2)
    path = tmp_path / "good.log"
    path.write_text("good\n")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return tmp_path / "bad.log"


def forbid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to open the file. The mode of a file would not stop a superuser."""
    real = os.open

    def refuse(name: str, flags: int, mode: int = 0o777) -> int:
        if name == str(path):
            raise PermissionError(13, "Permission denied", name)
        return real(name, flags, mode)

    monkeypatch.setattr(os, "open", refuse)


def causes(events: list[object]) -> list[str]:
    return [event.cause for event in events if isinstance(event, SourceUnreadable)]


def test_a_run_collects_the_readable_sources_and_reports_the_others(
    good: Path, bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad.write_bytes(b"\x7fELF")
    store = RecordingStore()
    unread, events = collect_once(store, str(bad), str(good), str(good.with_name("none.log")))
    assert (unread, dict(store.lines)) == (2, {"good": 1})
    assert causes([*events]) == [
        f"cannot read {bad}: it is a program",
        f"cannot read {good.with_name('none.log')}: no such file or directory",
    ]
    bad.write_text("bad\n")
    forbid(bad, monkeypatch)
    unread, events = collect_once(store, str(good.with_name("*.log")))
    assert (unread, causes([*events])) == (1, [f"cannot read {bad}: permission denied"])


def test_a_watched_file_without_permission_is_a_problem_until_permission_is_given(
    good: Path, bad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad.write_text("bad\n")
    store = RecordingStore()
    cause = f"cannot read {bad}: permission denied"
    opens = os.open
    forbid(bad, monkeypatch)
    with watching(store, str(good), str(bad)) as events:
        wait_until(lambda: store.lines["good"] == 1, what="the good file")
        wait_until(lambda: cause in store.problems.values(), what="the problem")
        assert causes([*events]) == [cause]
        monkeypatch.setattr(os, "open", opens)
        wait_until(lambda: store.lines["bad"] == 1, what="the file without permission")
        wait_until(lambda: not any(store.problems.values()), what="the end of the problem")
    assert dict(store.lines) == {"good": 1, "bad": 1}


@pytest.mark.parametrize("source", ["bad.log", "*.log"])
def test_a_watched_file_that_is_not_a_log_is_tried_again(good: Path, bad: Path, source: str) -> None:
    bad.write_bytes(b"\x89PNG\r\n")
    store = RecordingStore()
    with watching(store, str(good), str(bad.with_name(source))) as events:
        wait_until(lambda: store.lines["good"] == 1, what="the good file")
        if source == "bad.log":
            wait_until(lambda: f"cannot read {bad}: it is an image" in store.problems.values(), what="the problem")
            assert causes([*events]) == [f"cannot read {bad}: it is an image"]
        bad.write_text("bad\n")
        wait_until(lambda: store.lines["bad"] == 1, what="the file that was not a log")
    assert dict(store.lines) == {"good": 1, "bad": 1}


def test_a_missing_directory_is_no_problem_once_it_is_there(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.collect.collector._RELEASE_S", 0.0)
    monkeypatch.setattr("puppylog.collect.collector._EXPAND_S", 0.05)
    monkeypatch.setattr("puppylog.collect.source_follower._SEARCH_S", 0.0)
    store, directory = RecordingStore(), good.with_name("logs")
    cause = f"cannot read {directory}: no such file or directory"
    with watching(store, str(good), str(directory)) as events:
        wait_until(lambda: cause in store.problems.values(), what="the problem")
        directory.mkdir()
        (directory / "a.log").write_text("a\n")
        wait_until(lambda: store.lines["a"] == 1, what="the file in the directory")
        wait_until(lambda: bool(store.ended), what="the end of the stream that stood for the directory")
        assert causes([*events]) == [cause]
