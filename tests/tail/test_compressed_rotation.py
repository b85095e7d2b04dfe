"""Rotated files that were compressed: each is finished first and read once, under its file id."""

import os
import shutil
from pathlib import Path

import pytest

from support.compressing import COMPRESS
from support.tail_world import World


@pytest.fixture(params=sorted(COMPRESS))
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def compress(world: World, name: str, suffix: str, *, keeps_time: bool = True, keeps_plain: bool = False) -> Path:
    plain = world.log.with_name(name)
    packed = plain.with_name(name + suffix)
    packed.write_bytes(COMPRESS[suffix](plain.read_bytes()))
    if keeps_time:
        shutil.copystat(plain, packed)
    if not keeps_plain:
        plain.unlink()
    return packed


# While no tailer ran


@pytest.mark.parametrize("name", ["a.log.1", "a.log-20261123", "a.log.20261123"])
@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_rotated_and_compressed_file_is_finished_first_under_its_file_id(
    following: World, suffix: str, name: str, keeps_time: bool
) -> None:
    following.append("three\nhal")
    following.rotate(name)
    compress(following, name, suffix, keeps_time=keeps_time)
    following.append("new\n")
    assert following.run_once() == [b"three", b"hal", b"new"]
    assert following.ledger.finished == [True, False]
    assert (following.ledger.known[0].file_id, following.ledger.known[0].byte_offset) == (1, 17)
    assert following.run_once() == []


def test_the_files_of_several_rotations_are_read_once_in_their_order(following: World, suffix: str) -> None:
    following.append("three\n")
    following.rotate("a.log.3")
    following.append("four\n")
    following.rotate("a.log.2")
    following.append("five\n")
    following.rotate("a.log.1")
    following.append("six\n")
    for name in ("a.log.2", "a.log.3"):  # in another order, and with new times of change
        compress(following, name, suffix, keeps_time=False)
    assert following.run_once() == [b"three", b"four", b"five", b"six"]
    assert following.ledger.finished == [True, True, True, False]
    assert following.run_once() == []


def test_files_are_ordered_by_dates_in_names_before_times_of_change(following: World, suffix: str) -> None:
    for day, line in (("20261121", "three"), ("20261122", "four"), ("20261123", "five")):
        following.append(f"{line}\n")
        following.rotate(f"a.log-{day}")
    following.append("six\n")
    for day in ("20261123", "20261121", "20261122"):
        compress(following, f"a.log-{day}", suffix, keeps_time=False)
    assert following.run_once() == [b"three", b"four", b"five", b"six"]
    assert following.run_once() == []


def test_a_finished_file_that_is_compressed_later_is_not_read_again(following: World, suffix: str) -> None:
    following.rotate()
    following.append("three\n")
    assert following.run_once() == [b"three"]
    compress(following, "a.log.1", suffix, keeps_time=False)
    following.log.with_name(f"a.log.1{suffix}").rename(following.log.with_name(f"a.log.2{suffix}"))
    following.rotate()
    following.append("four\n")
    assert following.run_once() == [b"four"]
    compress(following, "a.log.1", suffix, keeps_time=False)
    assert following.run_once() == []


def test_rotated_files_from_before_the_stream_began_are_not_read(world: World, suffix: str) -> None:
    for name in ("a.log.1", "a.log.2", "a.log-20261101"):
        world.append("old\n", name)
        os.utime(compress(world, name, suffix), (1000, 1000))
    world.append("one\n")
    assert world.run_once() == [b"one"]
    for number in (2, 1):
        world.log.with_name(f"a.log.{number}{suffix}").rename(world.log.with_name(f"a.log.{number + 1}{suffix}"))
    world.rotate()
    compress(world, "a.log.1", suffix)
    world.append("two\n")
    assert world.run_once() == [b"two"]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_copy_that_is_being_written_next_to_its_original_is_not_read(
    following: World, suffix: str, share: float
) -> None:
    following.append("three\n")
    following.rotate()
    packed = compress(following, "a.log.1", suffix, keeps_time=False, keeps_plain=True)
    data = packed.read_bytes()
    packed.write_bytes(data[: int(len(data) * share)])
    following.append("new\n")
    assert following.run_once() == [b"three", b"new"]
    packed.write_bytes(data)
    following.log.with_name("a.log.1").unlink()
    assert following.run_once() == []


def test_files_with_the_same_head_are_distinguished(following: World, suffix: str) -> None:
    head = "x" * 2000 + "\n"
    following.stop()
    following.log.write_text(head + "first\n")
    assert len(following.run_once()) == 2
    following.append("more of the first\n")
    following.rotate("a.log.2")
    following.append(head + "second\n")
    following.rotate("a.log.1")
    following.append(head + "third\n")
    for name in ("a.log.2", "a.log.1"):
        compress(following, name, suffix)
    assert [line for line in following.run_once() if len(line) < 2000] == [b"more of the first", b"second", b"third"]
    assert following.run_once() == []


@pytest.mark.parametrize("reuses_inode", [True, False])
@pytest.mark.parametrize("keeps_time", [True, False])
def test_a_compressed_file_that_was_known_only_empty_is_read(
    world: World, suffix: str, reuses_inode: bool, keeps_time: bool
) -> None:
    world.append("old\n", "a.log.2")
    os.utime(compress(world, "a.log.2", suffix), (1000, 1000))
    world.log.touch()
    assert world.run_once() == []
    world.append("one\n")
    world.rotate()
    inode = world.log.with_name("a.log.1").stat().st_ino
    other = world.log.with_name("other")
    os.link(world.log.with_name("a.log.1"), other)  # no file of another process gets the inode
    compress(world, "a.log.1", suffix, keeps_time=keeps_time)
    os.truncate(other, 0)
    if reuses_inode:
        other.rename(world.log)
    world.append("two\n")
    assert (world.log.stat().st_ino == inode) == reuses_inode
    assert world.run_once() == [b"one", b"two"]
    assert world.run_once() == []
    compress_next(world, suffix)
    world.append("three\n")
    assert world.run_once() == [b"three"]


def compress_next(world: World, suffix: str) -> None:
    """Rotate as logrotate does with `compress`."""
    for number in (2, 1):
        world.log.with_name(f"a.log.{number}{suffix}").rename(world.log.with_name(f"a.log.{number + 1}{suffix}"))
    world.rotate()
    compress(world, "a.log.1", suffix)


def test_a_copy_of_a_log_that_was_known_only_empty_is_read_after_a_truncation(world: World) -> None:
    world.log.touch()
    assert world.run_once() == []
    world.append("one\n")
    shutil.copyfile(world.log, world.log.with_name("a.log.1"))
    os.truncate(world.log, 0)
    world.append("two\n")
    assert world.run_once() == [b"one", b"two"]
    assert world.run_once() == []


def test_rotated_files_are_read_even_if_all_known_files_were_deleted(following: World, suffix: str) -> None:
    following.stop()
    following.log.unlink()
    for number, line in ((2, "three"), (1, "four")):
        following.append(f"{line}\n")
        following.rotate(f"a.log.{number}")
        compress(following, f"a.log.{number}", suffix)
    following.append("five\n")
    assert following.run_once() == [b"three", b"four", b"five"]
    assert following.run_once() == []


def test_a_compressed_copy_that_was_made_before_a_truncation_is_finished_first(following: World, suffix: str) -> None:
    following.append("three\n")
    shutil.copyfile(following.log, following.log.with_name("a.log.1"))
    compress(following, "a.log.1", suffix)
    os.truncate(following.log, 0)
    following.append("new\n")
    assert following.run_once() == [b"three", b"new"]
    assert following.run_once() == []


def test_a_file_with_a_compressed_name_and_plain_bytes_is_not_read(following: World, suffix: str) -> None:
    following.rotate("a.log.2")
    following.append("not really compressed\n", f"a.log.1{suffix}")
    following.append("new\n")
    assert following.run_once() == [b"new"]


# While following


def test_a_file_that_is_compressed_right_after_its_rotation_is_read_through_its_handle(
    following: World, suffix: str
) -> None:
    following.append("three\n")
    following.rotate()
    compress(following, "a.log.1", suffix)
    following.append("new\n")
    assert following.poll() == [b"three", b"new"]
    following.poll_after_the_wait()
    following.append("newer\n")
    following.log.with_name(f"a.log.1{suffix}").rename(following.log.with_name(f"a.log.2{suffix}"))
    following.rotate()
    following.append("newest\n")
    assert following.poll() == [b"newer", b"newest"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, True, False]


@pytest.mark.parametrize("waits", [True, False])
def test_a_copy_of_a_finished_or_open_file_is_not_read(following: World, suffix: str, waits: bool) -> None:
    following.rotate()
    following.append("new\n")
    assert following.poll() == [b"new"]
    if waits:
        following.poll_after_the_wait()
    compress(following, "a.log.1", suffix, keeps_time=False)
    following.log.with_name(f"a.log.1{suffix}").rename(following.log.with_name(f"a.log.2{suffix}"))
    following.rotate()
    following.append("newer\n")
    assert following.poll() == [b"newer"]


def test_two_rotations_with_compression_between_two_polls_lose_nothing(following: World, suffix: str) -> None:
    following.append("three\n")
    following.rotate("a.log.2")
    following.append("four\n")
    following.rotate("a.log.1")
    following.append("five\n")
    compress(following, "a.log.2", suffix)
    compress(following, "a.log.1", suffix)
    assert following.poll() == [b"three", b"four", b"five"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, True, False]


# As a source of its own


def test_a_compressed_file_as_a_source_is_resumed_at_its_position(world: World, suffix: str) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(20_000))
    path = world.log.with_name(f"b.log.2{suffix}")
    path.write_bytes(COMPRESS[suffix](lines))
    world = World(path)
    world.start(chunk_bytes=1000)
    for _, chunk in zip(range(5), world.tailer.read(), strict=False):
        world.ledger.commit(chunk)
    assert 0 < world.ledger.known[0].byte_offset < 10_000
    assert world.tailer.backlog_bytes() < len(COMPRESS[suffix](lines))
    world.start()
    world.poll()
    assert b"".join(line + b"\n" for line in world.ledger.lines) == lines
    assert (world.tailer.backlog_bytes(), world.tailer.problem) == (0, None)
    assert world.poll() == []
    assert world.run_once() == []
    world.start(from_end=True)
    assert world.poll() == []
    world.stop()


def test_from_the_end_of_a_compressed_file_nothing_is_read(world: World, suffix: str) -> None:
    path = world.log.with_name(f"b.log{suffix}")
    path.write_bytes(COMPRESS[suffix](b"one\n" * 50_000 + b"hal"))
    world = World(path)
    world.start(from_end=True)
    assert world.poll() == []
    assert world.tailer.unfinished_bytes == 3
    world.stop()


def test_a_file_that_ends_too_early_is_a_problem_until_it_goes_on(world: World, suffix: str) -> None:
    lines = b"".join(b"%d line %d\n" % (hash(str(number)), number) for number in range(40_000))
    data = COMPRESS[suffix](lines)
    path = world.log.with_name(f"b.log.1{suffix}")
    path.write_bytes(data[: len(data) // 2])
    world = World(path)
    world.start()
    world.poll()
    for _ in range(3):
        assert world.tailer.problem is not None
        assert world.tailer.problem.startswith(f"cannot read {path}: it ends too early, after ")
        assert world.poll() == []
    with path.open("ab") as file:
        file.write(data[len(data) // 2 :])
    world.poll()
    assert world.tailer.problem is None
    assert b"".join(line + b"\n" for line in world.ledger.lines) == lines
    world.stop()


def test_a_damaged_rotated_file_is_read_up_to_the_damage_and_other_files_are_read_on(
    following: World, suffix: str
) -> None:
    following.append("three\n")
    following.rotate()
    packed = compress(following, "a.log.1", suffix)
    with packed.open("ab") as file:
        file.write(b"\x01garbage\n")
    following.append("new\n")
    following.start(rotate_wait_s=0)
    assert following.poll() == [b"three", b"new"]
    assert following.tailer.problem is not None
    assert following.tailer.problem.startswith(f"cannot read {packed}: it is damaged after 14 decompressed bytes")
    assert following.ledger.finished == [True, False]
