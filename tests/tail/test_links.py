"""A link as a source: changing its target is a rotation."""

from pathlib import Path

import pytest

from support.compressing import COMPRESS
from support.tail_world import World


class Linked(World):
    """A log that is a link to files in another directory."""

    def point_to(self, name: str, text: str = "") -> Path:
        target = self.log.parent / "real" / name
        target.parent.mkdir(exist_ok=True)
        with target.open("a") as file:
            file.write(text)
        new = self.log.with_name("new-link")
        new.symlink_to(target)
        new.rename(self.log)
        return target


@pytest.fixture
def linked(tmp_path: Path) -> Linked:
    linked = Linked(tmp_path / "current")
    linked.point_to("app-1.log", "one\n")
    return linked


def test_the_old_target_of_a_changed_link_is_read_to_its_end(linked: Linked) -> None:
    linked.start()
    assert linked.poll() == [b"one"]
    with (linked.log.parent / "real" / "app-1.log").open("a") as file:
        file.write("two\n")
    linked.point_to("app-2.log", "three\n")
    assert linked.poll() == [b"two", b"three"]
    linked.poll_after_the_wait()
    assert linked.ledger.finished == [True, False]
    linked.stop()


def test_the_position_of_a_linked_file_has_the_path_of_the_target(linked: Linked) -> None:
    linked.run_once()
    assert linked.ledger.known[0].path == str(linked.log.parent / "real" / "app-1.log")


@pytest.mark.parametrize("suffix", ["", *sorted(COMPRESS)])
def test_a_link_that_was_changed_while_no_tailer_ran_loses_no_line(linked: Linked, suffix: str) -> None:
    assert linked.run_once() == [b"one"]
    old = linked.point_to("app-1.log", "two\n")
    linked.point_to("app-2.log", "three\n")
    if suffix:
        old.with_name(old.name + suffix).write_bytes(COMPRESS[suffix](old.read_bytes()))
        old.unlink()
    assert linked.run_once() == [b"two", b"three"]
    assert linked.ledger.finished == [True, False]
    assert linked.run_once() == []


@pytest.mark.parametrize("is_watched", [True, False])
def test_the_target_of_a_link_may_be_rotated(linked: Linked, is_watched: bool) -> None:
    linked.start(rotate_wait_s=0)
    assert linked.poll() == [b"one"]
    if not is_watched:
        linked.stop()
    target = linked.point_to("app-1.log", "two\n")
    target.rename(target.with_name("app-1.log.2"))
    target = linked.point_to("app-1.log", "three\n")
    target.rename(target.with_name("app-1.log.1"))
    linked.point_to("app-1.log", "four\n")
    lines = linked.poll() if is_watched else linked.run_once()
    assert lines == [b"two", b"three", b"four"]
    linked.stop()


def test_a_link_to_nothing_is_waited_for(linked: Linked) -> None:
    (linked.log.parent / "real" / "app-1.log").unlink()
    linked.start()
    assert linked.poll() == []
    linked.point_to("app-1.log", "one\n")
    assert linked.poll() == [b"one"]
    linked.stop()
