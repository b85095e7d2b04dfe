"""A file that is copied and emptied: the lines that were not read before are read from the copy."""

import os
import shutil
from itertools import islice

import pytest

from support.compressing import COMPRESS
from support.tail_world import WAIT_S, World


def copy_and_truncate(world: World, name: str = "a.log.1") -> None:
    shutil.copyfile(world.log, world.log.with_name(name))
    os.truncate(world.log, 0)


def test_bytes_not_read_before_a_truncation_are_read_from_the_copy_as_the_same_file(following: World) -> None:
    following.append("three\nhal")
    copy_and_truncate(following)
    following.append("new\n")
    assert following.poll() == [b"three", b"hal", b"new"]
    assert following.ledger.finished == [True, False]
    assert following.ledger.known[0].byte_offset == 17
    assert following.poll() == []
    assert following.run_once() == []


def test_copies_that_were_made_while_no_tailer_ran_are_read(following: World) -> None:
    following.append("three\n")
    following.stop()
    copy_and_truncate(following, "a.log.2")
    following.append("four\n")
    copy_and_truncate(following)
    following.append("new\n")
    assert following.run_once() == [b"three", b"four", b"new"]
    assert following.run_once() == []


def test_two_copies_and_truncations_between_two_polls_lose_no_line(following: World) -> None:
    following.append("three\n")
    copy_and_truncate(following, "a.log.2")
    following.append("four\n")
    copy_and_truncate(following)
    following.append("five\n")
    assert following.poll() == [b"three", b"four", b"five"]


def test_a_copy_of_a_file_that_was_read_gives_no_lines(following: World) -> None:
    copy_and_truncate(following)
    following.append("new and longer\n")
    assert following.poll() == [b"new and longer"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, False]


def test_copies_of_many_earlier_files_are_recognized(following: World) -> None:
    for number in range(9, 0, -1):
        following.append(f"{number}\n")
        assert following.poll() == [str(number).encode()]
        copy_and_truncate(following, f"a.log.{number}")
        following.append("-\n")
        following.poll()
    following.rotate("a.log.0")
    following.append("new\n")
    assert following.poll() == [b"new"]


def test_a_file_that_was_emptied_and_then_renamed_is_read_from_its_copy_first(following: World) -> None:
    following.append("three\n")
    copy_and_truncate(following, "a.log.2")
    following.append("new\n")
    following.rotate()
    following.append("newer\n")
    assert following.poll() == [b"three", b"new", b"newer"]


def test_a_copy_is_not_read_as_new_even_if_its_original_was_renamed(following: World) -> None:
    following.append("three\n")
    copy_and_truncate(following, "a.log.3")
    following.append("four\n")
    following.rotate("a.log.2")
    following.append("five\n")
    following.rotate("a.log.1")
    following.append("six\n")
    assert sorted(following.poll()) == [b"five", b"four", b"six", b"three"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, True, True, False]
    assert following.ledger.known[0].byte_offset == len("one\ntwo\nthree\n")


def test_a_copy_is_read_and_its_unfinished_compressed_copy_is_not(following: World) -> None:
    following.append("".join(f"{os.urandom(50).hex()}\n" for _ in range(5000)))
    expected = following.log.read_bytes().splitlines()[2:]
    copy_and_truncate(following)
    packed = following.log.with_name("a.log.1.gz")
    data = COMPRESS[".gz"](following.log.with_name("a.log.1").read_bytes())
    packed.write_bytes(data[: len(data) // 2])
    os.utime(packed, (1000, 1000))
    assert following.poll() == expected
    packed.write_bytes(data)
    assert following.run_once() == []


@pytest.mark.parametrize("grown_lines", [1, 50])
@pytest.mark.parametrize("rounds", [1, 2])
def test_files_that_are_copied_and_emptied_while_a_backlog_is_read_are_all_read(
    following: World, grown_lines: int, rounds: int
) -> None:
    """The file at the path is copied and emptied again before a byte of it was read."""
    following.stop()
    lines = [f"line {number}" for number in range(400)]
    following.append("".join(f"{line}\n" for line in lines[:200]))
    shift_copy_and_truncate(following)
    following.append("".join(f"{line}\n" for line in lines[200:220]))
    following.start(chunk_bytes=100)
    for chunk in following.tailer.read(limit_bytes=100):
        following.ledger.commit(chunk)
    at = 220
    for _ in range(rounds):
        shift_copy_and_truncate(following)
        following.append("".join(f"{line}\n" for line in lines[at : at + grown_lines]))
        at += grown_lines
    for _ in range(3):
        following.poll_after_the_wait()
    stored = following.ledger.lines[2:]
    assert sorted(stored) == sorted(line.encode() for line in lines[:at])


def shift_copy_and_truncate(world: World) -> None:
    """Rename the numbered copies, copy the log to number 1, and empty the log."""
    for age in range(4, 0, -1):
        old = world.log.with_name(f"a.log.{age}")
        if old.exists():
            old.rename(world.log.with_name(f"a.log.{age + 1}"))
    world.log.with_name("a.log.1").write_bytes(world.log.read_bytes())
    os.truncate(world.log, 0)


def test_an_open_file_that_was_deleted_is_read_although_the_next_file_is_emptied(world: World) -> None:
    world.start()
    world.log.unlink()
    world.log.touch()
    assert world.poll() == []  # both files are empty, and open
    world.append("one\n")
    world.log.unlink()
    world.append("two\n")
    world.now += WAIT_S
    world.ledger.commit(next(world.tailer.read()))  # finishes the first file; the search has opened the third one
    copy_and_truncate(world)
    assert world.poll() == [b"one", b"two"]


@pytest.fixture
def empty(world: World) -> World:
    """A log that a tailer has opened while it was empty."""
    world.log.touch()
    world.start()
    assert world.poll() == []
    return world


def test_an_empty_file_that_is_copied_and_emptied_between_two_polls_loses_no_line(empty: World) -> None:
    empty.append("one\n")
    copy_and_truncate(empty)
    empty.append("two\n")
    assert empty.poll() == [b"one", b"two"]
    empty.poll_after_the_wait()
    assert empty.run_once() == []


def test_a_copy_is_read_although_its_log_is_still_empty(empty: World) -> None:
    empty.append("one\n")
    copy_and_truncate(empty)
    assert empty.poll() == [b"one"]
    empty.append("two\n")
    copy_and_truncate(empty, "a.log.0")
    assert empty.poll() == [b"two"]


def test_a_copy_is_read_although_its_log_was_renamed_in_the_same_moment(empty: World) -> None:
    empty.append("one\n")
    copy_and_truncate(empty, "a.log.2")
    empty.append("two\n")
    empty.rotate()
    empty.append("three\n")
    assert sorted(empty.poll()) == [b"one", b"three", b"two"]  # the renamed file is open already, and is read first


def test_rotated_files_from_before_an_empty_log_was_opened_are_not_read(world: World) -> None:
    world.append("old\n", "a.log.1")
    os.utime(world.log.with_name("a.log.1"), (1e9, 1e9))
    world.log.touch()
    world.start()
    assert world.poll() == []
    world.append("new\n")
    assert world.poll() == [b"new"]


def test_a_copy_is_read_although_only_half_of_its_first_line_was_read(empty: World) -> None:
    empty.append("on")
    assert empty.poll() == []
    empty.append("e\ntwo\n")
    copy_and_truncate(empty)
    empty.append("three\n")
    assert empty.poll() == [b"one", b"two", b"three"]


def test_a_log_that_was_not_read_yet_is_not_read_twice_when_it_is_copied_and_emptied(following: World) -> None:
    os.truncate(following.log, 0)
    following.append("three\n")
    assert [chunk.data for chunk in islice(following.tailer.read(), 1)] == [b""]  # the end of the emptied file
    following.append("four\n")
    copy_and_truncate(following)
    copy = following.log.with_name("a.log.1")
    copy.with_name("a.log.1.gz").write_bytes(COMPRESS[".gz"](copy.read_bytes()))
    assert sorted(following.poll()) == [b"four", b"three"]
    assert following.poll_after_the_wait() == []


def test_copies_are_read_although_the_emptied_log_was_renamed_and_its_first_copy_deleted(world: World) -> None:
    world.append("one\n")
    world.start()
    assert world.poll() == [b"one"]
    os.truncate(world.log, 0)
    world.append("three\n")
    copy_and_truncate(world, "a.log.2")
    world.rotate()
    world.append("four\n")
    assert sorted(world.poll()) == [b"four", b"three"]


def test_copies_of_an_emptied_log_are_read_although_the_caller_stopped_when_it_was_found_empty(world: World) -> None:
    world.append("one\n")
    world.start()
    copy_and_truncate(world)
    assert [chunk.data for chunk in islice(world.tailer.read(), 1)] == [b""]
    assert world.poll() == [b"one"]
