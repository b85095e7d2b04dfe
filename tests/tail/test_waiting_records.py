"""Records of several lines in a tailer: the last record waits for the next one, but only for some time."""

import os

import pytest

from puppylog.tail.boundary import IndentationBoundary
from support.tail_world import WAIT_S, World

RECORD_WAIT_S = 2.0


@pytest.fixture
def traces(world: World) -> World:
    world.append("one\n  at a\n")
    world.start(open_boundary=lambda _: IndentationBoundary(), record_wait_s=RECORD_WAIT_S)
    assert world.poll() == []
    return world


def chunks(world: World) -> list[bytes]:
    return [chunk.data for chunk in world.ledger.chunks if chunk.data]


def test_a_record_is_given_whole_when_the_next_one_begins(traces: World) -> None:
    traces.append("  at b\ntwo\n  at")
    assert traces.poll() == [b"one", b"  at a", b"  at b"]
    traces.append(" c\nthree\n")
    assert traces.poll() == [b"two", b"  at c"]
    assert chunks(traces) == [b"one\n  at a\n  at b\n", b"two\n  at c\n"]


def test_the_last_record_is_given_when_it_has_not_grown_for_a_while(traces: World) -> None:
    traces.now += RECORD_WAIT_S - 0.1
    assert traces.poll() == []
    traces.append("  at b\n")
    assert traces.poll() == []
    traces.now += RECORD_WAIT_S - 0.1
    assert traces.poll() == []
    traces.now += 0.1
    assert traces.poll() == [b"one", b"  at a", b"  at b"]
    assert traces.poll() == []


def test_a_rotated_file_gives_its_last_record_when_it_is_finished(traces: World) -> None:
    traces.append("  at b")
    traces.rotate()
    traces.append("new\n")
    assert traces.poll() == []
    traces.now += WAIT_S
    assert traces.poll() == [b"one", b"  at a", b"  at b", b"new"]
    assert traces.ledger.finished == [True, False]


def test_a_restart_reads_the_record_that_waited_again(traces: World) -> None:
    traces.start(open_boundary=lambda _: IndentationBoundary(), record_wait_s=0)
    assert traces.poll() == [b"one", b"  at a"]
    assert chunks(traces) == [b"one\n  at a\n"]


def test_a_record_that_was_read_is_given_after_a_truncation(traces: World) -> None:
    traces.append("hal")
    traces.poll()
    os.truncate(traces.log, 0)
    traces.append("new\n")
    assert traces.poll() == [b"one", b"  at a"]
    traces.now += RECORD_WAIT_S
    assert traces.poll() == [b"new"]
    assert traces.ledger.finished == [True, False]


def test_the_position_is_the_start_of_the_record_that_waits(traces: World) -> None:
    traces.append("two\n  at b\n")
    traces.poll()
    assert traces.ledger.known[0].byte_offset == len("one\n  at a\n")
