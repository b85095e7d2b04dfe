import ctypes
import errno
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.tail.notification import Notification

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: notification, which only Linux has")


@pytest.fixture
def notification() -> Iterator[Notification]:
    with Notification() as opened:
        yield opened


def test_whatever_happens_to_a_path_is_told_once(notification: Notification, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    notification.watch(str(path))
    notification.watch(str(path))
    assert notification.take_changes() == set()
    path.write_text("one\n")
    assert notification.take_changes() == {str(path)}
    assert notification.take_changes() == set()
    path.rename(tmp_path / "a.log.1")
    assert notification.take_changes() == {str(path)}
    os.truncate(tmp_path / "a.log.1", 0)
    (tmp_path / "b.log").touch()
    assert notification.take_changes() == set()
    path.touch()
    assert notification.take_changes() == {str(path)}


def test_the_file_behind_a_link_is_watched_as_well(notification: Notification, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "app-1.log"
    target.touch()
    link = tmp_path / "current.log"
    link.symlink_to(target)
    notification.watch(str(link))
    target.write_text("one\n")
    assert notification.take_changes() == {str(link)}


def test_a_directory_that_is_gone_is_watched_again_when_it_is_back(notification: Notification, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    notification.watch(str(path))
    assert notification.take_changes() == set()
    path.parent.mkdir()
    notification.watch(str(path))
    path.parent.rmdir()
    assert notification.take_changes() == set()
    path.parent.mkdir()
    notification.watch(str(path))
    path.touch()
    assert notification.take_changes() == {str(path)}


def test_more_than_the_kernel_can_queue_means_anything(notification: Notification, tmp_path: Path) -> None:
    notification.watch(str(tmp_path / "a.log"))
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip(f"NOT TESTED: an overflow of {most} events would take too long")
    for number in range(most // 2 + 1):
        for name in ("a", "b"):
            (tmp_path / f"{name}{number}").touch()
    assert notification.take_changes() is None


def test_where_the_kernel_cannot_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    with Notification() as deaf:
        deaf.watch(str(tmp_path / "a.log"))
        (tmp_path / "a.log").touch()
        assert deaf.take_changes() == set()
        deaf.close()


class NoRoom:
    """A C library whose kernel has no room for a watch."""

    def __init__(self, error: int) -> None:
        self._error = error

    def inotify_init1(self, _: int) -> int:
        return os.open(os.devnull, os.O_RDONLY)

    def inotify_add_watch(self, *_: object) -> int:
        ctypes.set_errno(self._error)
        return -1


def test_a_limit_on_watches_is_told_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: NoRoom(errno.ENOSPC))
    told: list[str] = []
    with Notification(told.append) as deaf:
        for name in ("a", "b"):
            deaf.watch(str(tmp_path / name / "x.log"))
    assert told == ["fs.inotify.max_user_watches"]


def test_a_missing_directory_is_no_limit(tmp_path: Path) -> None:
    told: list[str] = []
    with Notification(told.append) as notification:
        notification.watch(str(tmp_path / "missing" / "x.log"))
    assert told == []


def test_a_limit_on_instances_is_told_when_a_path_is_watched(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_free = os.dup(0)
    os.close(next_free)
    told: list[str] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, before[1]))
    try:
        deaf = Notification(told.append)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    with deaf:
        assert told == []
        for name in ("a.log", "b.log"):
            deaf.watch(str(tmp_path / name))
    assert told == ["fs.inotify.max_user_instances, or ulimit -n"]
