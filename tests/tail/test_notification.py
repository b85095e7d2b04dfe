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


def test_each_change_of_a_path_is_reported_once(notification: Notification, tmp_path: Path) -> None:
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


def test_a_wait_ends_with_the_first_change(notification: Notification, tmp_path: Path) -> None:
    notification.watch(str(tmp_path / "a.log"))
    assert not notification.wait(0.0)
    (tmp_path / "a.log").touch()
    assert notification.wait(60.0)
    notification.take_changes()
    assert not notification.wait(0.0)


def test_the_target_of_a_link_is_watched_too(notification: Notification, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "app-1.log"
    target.touch()
    link = tmp_path / "current.log"
    link.symlink_to(target)
    notification.watch(str(link))
    target.write_text("one\n")
    assert notification.take_changes() == {str(link)}


def test_a_deleted_directory_is_watched_again_when_it_exists_again(notification: Notification, tmp_path: Path) -> None:
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


def test_after_an_overflow_of_the_queue_any_path_may_have_changed(notification: Notification, tmp_path: Path) -> None:
    notification.watch(str(tmp_path / "a.log"))
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 100_000:
        pytest.skip(f"NOT TESTED: an overflow of {most} events would take too long")
    one, other = tmp_path / "one", tmp_path / "other"
    one.touch()
    for _ in range(most // 4 + 1):  # two events of each renaming
        os.rename(one, other)  # noqa: PTH104 - as fast as possible
        os.rename(other, one)  # noqa: PTH104 - as above
    assert notification.take_changes() is None


def test_without_inotify_no_change_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    with Notification() as limited:
        limited.watch(str(tmp_path / "a.log"))
        (tmp_path / "a.log").touch()
        assert limited.take_changes() == set()
        limited.close()


class WatchLimit:
    """A C library whose kernel allows no watch."""

    def __init__(self, error: int) -> None:
        self._error = error

    def inotify_init1(self, _: int) -> int:
        return os.open(os.devnull, os.O_RDONLY)

    def inotify_add_watch(self, *_: object) -> int:
        ctypes.set_errno(self._error)
        return -1


def test_a_limit_on_watches_is_reported_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: WatchLimit(errno.ENOSPC))
    limits: list[str] = []
    with Notification(limits.append) as limited:
        for name in ("a", "b"):
            limited.watch(str(tmp_path / name / "x.log"))
    assert limits == ["fs.inotify.max_user_watches"]


def test_a_missing_directory_is_not_reported_as_a_limit(tmp_path: Path) -> None:
    limits: list[str] = []
    with Notification(limits.append) as notification:
        notification.watch(str(tmp_path / "missing" / "x.log"))
    assert limits == []


def test_a_limit_on_instances_is_reported_when_a_path_is_watched(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_free = os.dup(0)
    os.close(next_free)
    limits: list[str] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, before[1]))
    try:
        limited = Notification(limits.append)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    with limited:
        assert limits == []
        for name in ("a.log", "b.log"):
            limited.watch(str(tmp_path / name))
    assert limits == ["fs.inotify.max_user_instances, or ulimit -n"]


def test_only_a_path_whose_directories_the_kernel_watches_is_watched(
    notification: Notification, tmp_path: Path
) -> None:
    for path in (tmp_path / "app.log", tmp_path / "missing" / "app.log"):
        notification.watch(str(path))
    assert notification.is_watching(str(tmp_path / "app.log"))
    assert not notification.is_watching(str(tmp_path / "missing" / "app.log"))
