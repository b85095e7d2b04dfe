from pathlib import Path

import pytest

from puppylog.collect import tailed_source as tailed_source_module
from puppylog.collect.tailed_source import IDLE_S, NOTIFIED_IDLE_S, SOON_S, TailedSource
from puppylog.formats.registry import find_format
from puppylog.model.stream import Stream
from puppylog.tail.tailer import Tailer


def follow(path: Path) -> TailedSource:
    return TailedSource(Stream(1, path.as_uri(), None, ()), find_format("plain"), Tailer(str(path), chunk_bytes=16))


def test_an_idle_source_is_polled_less_and_less_often(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    source = follow(path)
    assert b"".join(chunk.data for chunk in source.poll(10.0)) == b"one\n"
    assert source.due_at == 10.0 + SOON_S
    pauses = []
    for _ in range(12):
        assert not list(source.poll(20.0))
        pauses.append(source.due_at - 20.0)
    assert pauses == sorted(pauses)
    assert pauses[-1] == IDLE_S
    path.write_bytes(b"one\ntwo\n")
    assert list(source.poll(30.0))
    assert source.due_at == 30.0 + SOON_S


@pytest.mark.parametrize(("is_notified", "pause_s"), [(True, NOTIFIED_IDLE_S), (False, IDLE_S)])
def test_lines_that_were_not_notified_make_the_polls_of_an_idle_source_more_frequent(
    tmp_path: Path, *, is_notified: bool, pause_s: float
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n")
    source = follow(path)
    source.idle_s = NOTIFIED_IDLE_S
    assert list(source.poll(10.0))
    for at in (20.0, 40.0):
        for _ in range(20):
            assert not list(source.poll(at))
        assert source.due_at == at + (NOTIFIED_IDLE_S if at == 20.0 else pause_s)
        with path.open("ab") as file:
            file.write(b"more\n")
        if is_notified:
            source.wake()
        assert list(source.poll(at + 1))


def test_a_source_that_has_changed_is_due_at_once(tmp_path: Path) -> None:
    source = follow(tmp_path / "a.log")
    assert not list(source.poll(10.0))
    source.wake()
    assert source.due_at < 10.0


def test_a_source_with_much_to_read_is_due_again_after_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailed_source_module, "_TURN_BYTES", 32)
    path = tmp_path / "a.log"
    path.write_bytes(b"0123456\n" * 100)
    source = follow(path)
    taken = [chunk.data for chunk in source.poll(10.0)]
    assert 32 <= len(b"".join(taken)) < 800
    assert source.due_at == 10.0
    while source.tailer.has_more:
        taken += [chunk.data for chunk in source.poll(10.0)]
    assert b"".join(taken) == b"0123456\n" * 100
    assert source.is_pipe is False
