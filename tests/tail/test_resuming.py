"""Reading goes on at the stored position, whatever happened to the file since."""

import os
import shutil
from dataclasses import replace

import pytest

from support.tail_world import World


def test_reading_goes_on_at_the_position_in_the_store(following: World) -> None:
    following.append("three\n")
    following.start()
    assert following.poll() == [b"three"]
    assert following.ledger.finished == [False]


def test_lines_that_were_read_and_not_stored_are_read_again(following: World) -> None:
    following.append("three\n")
    list(following.tailer.read())
    following.start()
    assert following.poll() == [b"three"]


def test_the_same_run_twice_adds_nothing(world: World) -> None:
    world.append("one\ntwo\n")
    assert world.run_once() == [b"one", b"two"]
    assert world.run_once() == []


def test_an_empty_file_is_known_by_its_inode_before_its_first_line(world: World) -> None:
    world.start()
    world.poll()
    world.append("one\n")
    world.rotate()
    world.append("two\n")
    assert world.run_once() == [b"one", b"two"]


@pytest.mark.parametrize("new", ["", "1\n", "eno\nowt\n", "something else that is longer\n"])
def test_a_file_that_was_truncated_meanwhile_is_read_from_its_start(following: World, new: str) -> None:
    following.log.write_text(new)
    following.start()
    assert following.poll() == new.encode().splitlines()
    assert following.ledger.finished == [True, False]


def test_a_file_renamed_meanwhile_is_finished_first(following: World) -> None:
    following.append("three\nhal")
    following.rotate("a.log-20261123")
    following.append("new\n")
    assert following.run_once() == [b"three", b"hal", b"new"]
    assert following.ledger.finished == [True, False]
    assert following.run_once() == []


def test_a_file_renamed_to_any_name_is_found_by_its_inode(following: World) -> None:
    following.append("three\n")
    following.rotate("put-aside")
    following.append("new\n")
    assert following.run_once() == [b"three", b"new"]


def test_a_rotated_file_is_read_even_if_no_file_is_at_the_path_yet(following: World) -> None:
    following.append("three\n")
    following.rotate()
    following.start()
    assert following.poll() == [b"three"]
    following.append("new\n")
    assert following.poll() == [b"new"]


def test_a_file_that_was_copied_and_not_renamed_is_found_by_its_content(following: World) -> None:
    following.append("three\n")
    shutil.copyfile(following.log, following.log.with_name("a.log.1"))
    following.log.unlink()
    following.log.with_name("other").touch()  # takes the inode
    following.append("new\n")
    assert following.run_once() == [b"three", b"new"]


def test_files_that_were_rotated_between_two_runs_are_read(following: World) -> None:
    following.append("three\n")
    following.rotate("a.log.3")
    following.append("four\n")
    following.rotate("a.log.2")
    following.append("five\nhal")
    following.rotate("a.log.1")
    following.append("six\n")
    assert following.run_once() == [b"three", b"four", b"five", b"hal", b"six"]
    assert following.ledger.finished == [True, True, True, False]
    assert following.run_once() == []


def test_rotated_files_from_before_the_stream_began_are_not_read(world: World) -> None:
    for age, name in enumerate(["a.log.1", "a.log.2", "a.log-20261101"], start=1):
        world.append("old\n", name)
        os.utime(world.log.with_name(name), (1000 - age, 1000 - age))
    world.append("one\n")
    assert world.run_once() == [b"one"]
    for number in (2, 1):
        world.log.with_name(f"a.log.{number}").rename(world.log.with_name(f"a.log.{number + 1}"))
    world.rotate()
    world.append("two\n")
    assert world.run_once() == [b"two"]


def test_finished_files_are_never_read_again_under_any_name(following: World) -> None:
    following.rotate()
    following.append("new\n")
    assert following.run_once() == [b"new"]
    rotated = following.log.with_name("a.log.1")
    shutil.copyfile(rotated, following.log.with_name("a.log.0"))
    following.log.with_name("a.log.2").hardlink_to(rotated)
    following.append("newer\n")
    following.rotate("a.log.3")
    following.append("newest\n")
    assert following.run_once() == [b"newer", b"newest"]


def test_a_finished_file_that_is_moved_back_is_read_on_behind_its_stored_lines(following: World) -> None:
    following.rotate()
    following.append("new\n")
    assert following.run_once() == [b"new"]
    following.log.unlink()
    following.log.with_name("a.log.1").rename(following.log)
    following.append("three\n")
    assert following.run_once() == [b"three"]
    assert following.run_once() == []


def test_a_missing_file_is_finished_at_its_position(following: World) -> None:
    following.stop()
    following.log.unlink()
    following.log.with_name("other").touch()  # takes the inode
    following.append("new\n")
    assert following.run_once() == [b"new"]
    assert following.ledger.finished == [True, False]
    last = next(chunk for chunk in following.ledger.chunks if chunk.finished)
    assert (last.start, last.end, last.data) == (8, 8, b"")


def test_a_new_file_with_a_reused_inode_is_not_taken_for_the_old_file(following: World) -> None:
    following.stop()
    inode = following.log.stat().st_ino
    following.log.unlink()
    following.append("new and longer\n")
    if following.log.stat().st_ino != inode:
        pytest.skip("this file system gave the new file an inode of its own")
    assert following.run_once() == [b"new and longer"]
    assert following.ledger.finished == [True, False]


def test_a_rotated_file_that_was_emptied_before_is_read_from_its_start(following: World) -> None:
    following.log.write_text("another\n")
    following.rotate()
    following.append("new\n")
    assert following.run_once() == [b"another", b"new"]


def test_a_file_is_recognized_if_its_device_gets_another_number(following: World) -> None:
    (position,) = following.ledger.known
    following.ledger._positions[1] = replace(position, device=position.device + 1)
    following.append("three\n")
    assert following.run_once() == [b"three"]
