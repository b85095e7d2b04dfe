"""A kernel that allows no watch: it is reported once, and every line is stored."""

import ctypes
import errno
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from puppylog.collect.events import WatchLimitReached
from support.embedded import wait_until
from support.recording import RecordingStore, collect_once, watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: notification, which only Linux has")


class WatchLimit:
    def inotify_init1(self, _: int) -> int:
        return os.open(os.devnull, os.O_RDONLY)

    def inotify_add_watch(self, *_: object) -> int:
        ctypes.set_errno(errno.ENOSPC)
        return -1


@pytest.fixture
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: WatchLimit())
    made = [tmp_path / name for name in ("a", "b")]
    for directory in made:
        directory.mkdir()
        (directory / "app.log").write_text(f"{directory.name} 0\n")
    return made


def test_a_watch_limit_is_reported_once_and_every_line_is_stored(directories: list[Path]) -> None:
    store = RecordingStore()
    with watching(store, *map(str, directories)) as events:
        wait_until(lambda: store.lines == Counter({"a 0": 1, "b 0": 1}), what="the first lines")
        for directory in directories:
            with (directory / "app.log").open("a") as file:
                file.write(f"{directory.name} 1\n")
        wait_until(lambda: store.lines == Counter({"a 0": 1, "b 0": 1, "a 1": 1, "b 1": 1}), what="more lines")
    reported = [event for event in events if isinstance(event, WatchLimitReached)]
    assert reported == [WatchLimitReached("fs.inotify.max_user_watches")]


def test_a_run_that_does_not_watch_reports_no_watch_limit(directories: list[Path]) -> None:
    _, events = collect_once(RecordingStore(), *map(str, directories))
    assert not any(isinstance(event, WatchLimitReached) for event in events)
