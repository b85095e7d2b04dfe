"""A program that was not told of a rotation writes to the rotated file, also after the file was finished."""

import gzip

from support.tail_world import World


def rotate_and_finish(world: World) -> None:
    world.rotate()
    world.append("new\n")
    assert world.poll() == [b"new"]
    assert world.poll_after_the_wait() == []
    assert world.ledger.finished[:1] == [True]


def test_lines_that_come_after_the_file_was_finished_are_read(following: World) -> None:
    rotate_and_finish(following)
    for number in range(3):
        following.append(f"late {number}\n", "a.log.1")
        assert following.poll() == [f"late {number}".encode()]
        assert following.poll_after_the_wait() == []
    assert following.ledger.finished == [True, False, False], "a file that grows now and then is not finished each time"


def test_late_lines_are_read_although_the_file_is_compressed_at_the_next_rotation(following: World) -> None:
    rotate_and_finish(following)
    following.append("late\n", "a.log.1")
    old = following.log.with_name("a.log.1")
    following.log.with_name("a.log.2.gz").write_bytes(gzip.compress(old.read_bytes()))
    old.unlink()
    following.rotate()
    following.append("newer\n")
    assert sorted(following.poll()) == [b"late", b"newer"]
    assert following.poll_after_the_wait() == []
    assert following.ledger.finished == [True, True, True, False]


def test_late_lines_are_read_by_the_next_tailer(following: World) -> None:
    rotate_and_finish(following)
    following.stop()
    following.append("late\n", "a.log.1")
    assert following.run_once() == [b"late"]
    assert following.run_once() == []
    following.append("later\n", "a.log.1")
    assert following.run_once() == [b"later"]
    assert following.run_once() == []


def test_a_finished_file_that_is_emptied_and_written_again_is_not_taken_for_itself(following: World) -> None:
    rotate_and_finish(following)
    following.log.with_name("a.log.1").write_text("another text\nand more of it\n")
    assert following.poll() == []
    assert following.run_once() == []
