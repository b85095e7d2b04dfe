"""Rotation that puts a number or a date before the extension, with one tailer of the path."""

import gzip
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
        ("a.log.2", "a.log.1"),
        ("a.1.log", "a.2.log"),  # log4j2 gives the newest file the greatest number
        ("a.log.1", "a.log.2"),
        ("a.log.9", "a.log.10"),
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


@pytest.mark.parametrize("is_compressed", [False, True])
def test_files_whose_newest_has_the_greatest_number_are_read_in_their_order(
    following: World, is_compressed: bool
) -> None:
    following.stop()
    for number in range(1, 12):
        following.append(f"line {number}\n")
        following.rotate(f"a.log.{number}")
        if is_compressed:
            rotated = following.log.with_name(f"a.log.{number}")
            rotated.with_name(f"{rotated.name}.gz").write_bytes(gzip.compress(rotated.read_bytes()))
            rotated.unlink()
    following.append("last\n")
    following.start()
    assert following.poll() + following.poll_after_the_wait() == [
        *(f"line {number}".encode() for number in range(1, 12)),
        b"last",
    ]


def test_the_log_of_another_program_is_not_taken_for_a_rotated_file(following: World) -> None:
    for name in ("a-2.log", "a.2.log", "a-error.log"):
        following.append("another's\n", name)
    following.rotate("a.log.1")
    for name in ("a-2.log", "a.2.log", "a-error.log"):
        following.append("another's\n", name)
        os.utime(following.log.with_name(name))
    following.append("three\n")
    assert following.poll() + following.poll_after_the_wait() == [b"three"]
