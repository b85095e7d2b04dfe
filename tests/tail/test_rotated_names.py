"""Rotation that puts a number or a date before the extension, with one tailer of the path."""

import os

import pytest

from support.tail_world import World


@pytest.mark.parametrize(
    "names",
    [
        ("a-20261126.log", "a-20261127.log"),
        ("a_2026-11-26.log", "a_2026-11-27.log"),
        ("a.log-20261126", "a.log-20261127"),
        ("a.2.log", "a.1.log"),
    ],
)
@pytest.mark.parametrize("is_running", [True, False])
def test_the_file_between_two_rotations_is_read(following: World, names: tuple[str, str], is_running: bool) -> None:
    if not is_running:
        following.stop()
    following.append("three\n")
    following.rotate(names[0])
    following.append("four\n")
    following.rotate(names[1])
    following.append("five\n")
    if not is_running:
        following.start()
    assert sorted(following.poll() + following.poll_after_the_wait()) == [b"five", b"four", b"three"]


def test_the_log_of_another_program_is_not_taken_for_a_rotated_file(following: World) -> None:
    for name in ("a-2.log", "a.2.log", "a-error.log"):
        following.append("another's\n", name)
    following.rotate("a.log.1")
    for name in ("a-2.log", "a.2.log", "a-error.log"):
        following.append("another's\n", name)
        os.utime(following.log.with_name(name))
    following.append("three\n")
    assert following.poll() + following.poll_after_the_wait() == [b"three"]
