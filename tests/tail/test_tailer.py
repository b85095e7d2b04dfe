"""A tailer of one path: growth, rotation, truncation, deletion, and a start at the end."""

import os
from pathlib import Path

import pytest

from support.tail_world import WAIT_S, World


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


# Growing


def test_lines_are_given_once_as_they_are_written(following: World) -> None:
    following.append("three\nfo")
    assert following.poll() == [b"three"]
    assert following.tailer.unfinished_bytes == 2
    following.append("ur\n")
    assert following.poll() == [b"four"]
    assert following.poll() == []


def test_the_backlog_is_the_bytes_that_are_not_read_yet(following: World) -> None:
    assert following.tailer.backlog_bytes() == 0
    following.append("three\n")
    assert following.tailer.backlog_bytes() == 6
    following.poll()
    assert following.tailer.backlog_bytes() == 0


def test_a_poll_of_an_unchanged_file_opens_and_reads_nothing(following: World, monkeypatch: pytest.MonkeyPatch) -> None:
    following.poll()

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the file was opened or read")

    with monkeypatch.context() as patch:
        for name in ("open", "pread", "fstat", "scandir"):
            patch.setattr(os, name, refuse)
        assert following.poll() == []


# Rotation while following


def test_a_renamed_file_is_read_to_its_end_before_the_new_one(following: World) -> None:
    following.append("three\n")
    following.rotate()
    following.append("new\n")
    assert following.poll() == [b"three", b"new"]


def test_late_lines_of_a_rotated_file_are_read_until_it_is_finished(following: World) -> None:
    following.rotate()
    following.append("new\n")
    assert following.poll() == [b"new"]
    following.append("late\n", "a.log.1")
    following.now += WAIT_S - 0.1
    assert following.poll() == [b"late"]
    assert following.ledger.finished == [False, False]
    following.append("later\nhal", "a.log.1")
    assert following.poll_after_the_wait() == [b"later"], "it still grows, so it is not finished"
    assert following.ledger.finished == [False, False]
    assert following.poll_after_the_wait() == [b"hal"]
    assert following.ledger.finished == [True, False]


def test_the_unfinished_line_is_given_when_its_file_is_finished(following: World) -> None:
    following.append("hal")
    following.rotate()
    following.append("new\n")
    assert following.poll() == [b"new"]
    assert following.tailer.unfinished_bytes == 3
    assert following.poll_after_the_wait() == [b"hal"]
    last = following.ledger.chunks[-1]
    assert (last.is_unfinished, last.finished, last.start, last.end) == (True, True, 8, 11)


def test_a_file_that_vanishes_and_a_new_one_later(following: World) -> None:
    following.rotate()
    assert following.poll() == []
    assert following.tailer.problem == f"cannot read {following.log}: no such file or directory"
    following.append("late\n", "a.log.1")
    assert following.poll() == [b"late"]
    following.append("new\n")
    assert following.poll() == [b"new"]
    assert following.tailer.problem is None
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, False]


def test_a_deleted_file_is_read_to_its_end(following: World) -> None:
    following.append("three\n")
    following.log.unlink()
    assert following.poll() == [b"three"]
    assert following.poll_after_the_wait() == []
    assert following.ledger.finished == [True]


def test_a_renamed_file_that_is_moved_back_is_read_on(following: World) -> None:
    following.rotate()
    following.poll()
    following.log.with_name("a.log.1").rename(following.log)
    following.append("three\n")
    assert following.poll() == [b"three"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [False]


def test_a_finished_file_that_is_moved_back_is_read_on(following: World) -> None:
    following.rotate()
    following.append("new\n")
    following.poll()
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, False]
    following.log.with_name("a.log.1").rename(following.log)
    following.append("three\n")
    assert following.poll() == [b"three"]


def test_a_renamed_file_is_read_on_until_a_new_file_is_at_the_path(following: World) -> None:
    following.rotate()
    following.poll()
    for line in ("three", "four"):
        following.poll_after_the_wait()
        assert following.ledger.finished == [False]
        following.append(f"{line}\n", "a.log.1")
        assert following.poll() == [line.encode()]
    following.append("five\n")
    following.append("late\n", "a.log.1")
    assert following.poll() == [b"late", b"five"]
    following.append("later\n", "a.log.1")  # the program still has to open the new file
    assert following.poll() == [b"later"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, False]


def test_a_renamed_file_that_is_deleted_is_closed_although_no_new_file_is_at_the_path(following: World) -> None:
    following.rotate()
    following.poll()
    following.log.with_name("a.log.1").unlink()
    following.poll_after_the_wait()
    assert following.ledger.finished == [True]


def test_two_rotations_between_two_polls_lose_no_line(following: World) -> None:
    following.append("three\n")
    following.rotate("a.log.2")
    following.append("four\n")
    following.rotate("a.log.1")
    following.append("five\n")
    following.append("late\n", "a.log.2")
    assert following.poll() == [b"three", b"late", b"four", b"five"]
    following.poll_after_the_wait()
    assert following.ledger.finished == [True, True, False]


def test_two_rotations_with_dates_lose_no_line(following: World) -> None:
    following.rotate("a.log-20261121")
    following.append("three\n")
    following.rotate("a.log-20261122")
    following.append("four\n")
    assert following.poll() == [b"three", b"four"]


def test_a_rotated_file_of_any_name_is_drained_through_its_handle(following: World) -> None:
    following.append("three\n")
    following.rotate("put-aside")
    following.append("new\n")
    assert following.poll() == [b"three", b"new"]


def test_a_path_that_becomes_a_directory_is_a_problem_until_it_is_a_file_again(following: World) -> None:
    following.rotate()
    following.log.mkdir()
    following.poll()
    assert following.tailer.problem == f"cannot read {following.log}: it is a directory"
    following.log.rmdir()
    following.append("new\n")
    assert following.poll() == [b"new"]


def test_a_new_file_without_read_permission_is_read_once_it_has_permission(
    following: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.rotate()
    following.append("new\n")
    real = os.open

    def refuse(path: str, flags: int) -> int:
        if path == str(following.log):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags)

    monkeypatch.setattr(os, "open", refuse)
    assert following.poll() == []
    assert following.tailer.problem == f"cannot read {following.log}: permission denied"
    monkeypatch.undo()
    assert following.poll() == [b"new"]


def test_a_read_error_is_a_problem_until_reading_succeeds(following: World, monkeypatch: pytest.MonkeyPatch) -> None:
    following.append("three\n")

    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    assert following.poll() == []
    assert following.tailer.problem == f"cannot read {following.log}: input/output error"
    monkeypatch.undo()
    assert following.poll() == [b"three"]


# Truncation while following


@pytest.mark.parametrize("new", ["", "1\n", "eno\nowt\n", "something else that is longer\n"])
def test_a_truncated_file_is_read_from_its_start(following: World, new: str) -> None:
    following.log.write_text(new)
    status = following.log.stat()
    os.utime(following.log, ns=(status.st_atime_ns, status.st_mtime_ns + 10_000_000))  # later than the clock's tick
    assert following.poll() == new.encode().splitlines()
    assert following.ledger.finished == [True, False]
    following.append("more\n")
    assert following.poll() == [b"more"]


def test_the_hole_that_a_truncation_leaves_is_skipped(world: World) -> None:
    writer = os.open(world.log, os.O_WRONLY)  # without O_APPEND it writes on at its own offset
    world.start()
    os.write(writer, b"one\n" * 1000)
    assert len(world.poll()) == 1000
    os.truncate(world.log, 0)
    os.write(writer, b"two\n")
    os.close(writer)
    assert world.poll() == [b"two"]
    last = world.ledger.chunks[-1]
    assert (last.start, last.offset, last.end) == (0, 4000, 4004)


def test_a_file_truncated_and_rotated_between_two_polls_is_read_from_its_start(following: World) -> None:
    following.log.write_text("another that is longer\n")
    following.rotate()
    following.append("new\n")
    assert following.poll() == [b"another that is longer", b"new"]


# Starting at the end


def test_from_the_end_only_new_lines_are_read(world: World) -> None:
    world.append("one\ntwo\nhal")
    world.start(from_end=True)
    assert world.poll() == []
    world.append("f\nthree\n")
    assert world.poll() == [b"half", b"three"]


def test_a_start_at_the_end_is_announced_to_the_store_at_once(world: World) -> None:
    world.append("one\n")
    world.start(from_end=True)
    world.poll()
    world.append("two\n")
    world.start(from_end=True)
    assert world.poll() == [b"two"]


def test_the_last_newline_is_found_before_a_long_last_line(world: World) -> None:
    world.append("one\n" + "x" * 200_000)
    world.start(from_end=True)
    world.append("\ntwo\n")
    assert world.poll() == [b"x" * 200_000, b"two"]


def test_from_the_end_a_later_file_is_read_from_its_start(world: World) -> None:
    world.append("one\n")
    world.start(from_end=True)
    world.rotate()
    world.append("two\n")
    assert world.poll() == [b"two"]


def test_from_the_end_has_no_effect_on_a_file_with_a_position(following: World) -> None:
    following.append("three\n")
    following.rotate()
    following.append("new\n")
    following.start(from_end=True)
    assert following.poll() == [b"three", b"new"]


def test_a_missing_file_is_waited_for(world: World) -> None:
    world.log.unlink()
    world.start()
    assert world.tailer.problem == f"cannot read {world.log}: no such file or directory"
    assert world.poll() == []
    world.append("one\n")
    assert world.poll() == [b"one"]


def test_a_missing_directory_is_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path / "not" / "yet" / "a.log")
    world.start()
    assert world.poll() == []
    world.log.parent.mkdir(parents=True)
    world.append("one\n")
    assert world.poll() == [b"one"]
    world.stop()


# Order, and closing


def test_serials_and_starts_follow_the_reading_order(following: World) -> None:
    following.append("three\n")
    following.rotate("a.log.2")
    following.append("four\n")
    following.rotate("a.log.1")
    following.append("five\n")
    following.start()
    chunks = list(following.tailer.read())
    assert [(chunk.file.serial, chunk.file.start, chunk.file.file_id) for chunk in chunks] == [
        (1, 8, 1),
        (2, 0, None),
        (3, 0, None),
    ]
    assert [Path(chunk.file.path).name for chunk in chunks] == ["a.log.2", "a.log.1", "a.log"]


def test_a_long_line_is_cut_and_the_next_one_is_whole(world: World) -> None:
    world.start(max_line_bytes=100, chunk_bytes=64)
    world.append("x" * 1000)
    assert world.poll() == []
    world.append("x\nnext\n")
    assert world.poll() == [b"x" * 100, b"next"]
    assert [chunk.is_cut for chunk in world.ledger.chunks if chunk.data] == [True, False]
    assert world.ledger.known[0].byte_offset == 1007


def test_every_file_is_closed(following: World) -> None:
    before = open_files()
    for _ in range(20):
        following.rotate()
        following.append("new\n")
        following.poll()
        following.poll_after_the_wait()
    assert open_files() == before + 1, "the rotated file that was finished last"
    following.rotate()
    following.append("new\n")
    following.poll()
    assert open_files() == before + 1, "the file before was overwritten"
    following.stop()
    assert open_files() == before - 1
    following.tailer.close()
    assert following.poll() == []
    assert following.tailer.is_ended


def test_reading_may_stop_after_any_chunk_and_goes_on_behind_it(following: World) -> None:
    following.append("three\nhal")
    following.rotate()
    following.append("new\n")
    following.now += WAIT_S
    chunks = []
    for _ in range(20):
        chunks += [next(iter(following.tailer.read()), None)]
        following.now += WAIT_S
    for chunk in chunks:
        if chunk is not None:
            following.ledger.commit(chunk)
    assert sorted(following.ledger.lines) == sorted([b"one", b"two", b"three", b"hal", b"new"])
    assert following.ledger.finished == [True, False]
