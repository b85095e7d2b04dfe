import os
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
