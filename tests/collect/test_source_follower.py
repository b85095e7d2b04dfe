import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from puppylog.collect import pause, source_follower
from puppylog.collect.dry_run import DryWriter
from puppylog.collect.events import Event, StreamOpened
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.source_follower import SourceFollower
from puppylog.collect.tailed_source import SOON_S
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.tail.source import expand_by_pattern

LINES = find_format("plain", Options(joins_lines=False))
"""Each line is a record, so no line waits for the next one."""


class Released(DryWriter):
    """Remembers which streams were released."""

    def __init__(self) -> None:
        super().__init__()
        self.stream_ids: list[int] = []

    def close_stream(self, stream_id: int) -> None:
        self.stream_ids.append(stream_id)


class Following:
    """A follower of all logs of a directory, and its events."""

    def __init__(self, directory: Path) -> None:
        self.store = Released()
        self.stop = threading.Event()
        self.events: list[Event] = []
        self.stream_ids: list[int] = []
        self.follower = SourceFollower(
            self.store,
            CollectOptions(
                sources=[SourceOptions(paths=[f"{directory}/*.log"], format=LINES)],
                watch=True,
            ),
            stop=self.stop,
            on_event=self.events.append,
            on_stream=self.stream_ids.append,
        )

    def read(self) -> bytes:
        data = b""
        for source, chunk in self.follower.iter_chunks():
            data += chunk.data
            self.follower.note_batched(source, chunk)
        return data

    @property
    def opened(self) -> list[str]:
        return [Path(event.source_uri).name for event in self.events if isinstance(event, StreamOpened)]


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    (tmp_path / "a.log").write_bytes(b"one\n")
    following = Following(tmp_path)
    with following.follower:
        yield following


def test_a_new_match_of_a_pattern_is_followed_at_the_next_search(following: Following, tmp_path: Path) -> None:
    following.follower.follow_new()
    assert following.read() == b"one\n"
    (tmp_path / "b.log").write_bytes(b"two\n")
    following.follower.follow_new()
    assert following.read() == b"two\n"
    assert following.opened == ["a.log", "b.log"]
    assert [source.stream.stream_id for source in following.follower] == following.stream_ids


def test_beginning_again_releases_all_streams_and_reads_from_the_positions_in_the_store(following: Following) -> None:
    following.follower.follow_new()
    assert following.read() == b"one\n"
    following.follower.begin_again()
    assert following.store.stream_ids == following.stream_ids
    assert list(following.follower) == []
    following.follower.follow_new()
    assert following.read() == b"one\n"  # the store has committed nothing


def test_reading_ends_after_the_present_chunk_when_the_run_is_stopped(following: Following, tmp_path: Path) -> None:
    (tmp_path / "b.log").write_bytes(b"two\n")
    following.follower.follow_new()
    following.stop.set()
    assert following.read() == b"one\n"
    assert following.follower.backlog_bytes == 4


def test_every_stream_is_released_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\n")
    following = Following(tmp_path)
    with following.follower:
        following.follower.follow_new()
        assert following.store.stream_ids == []
    assert following.store.stream_ids == following.stream_ids


def count_searches(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that grows with each search of the patterns."""
    searches: list[float] = []

    def search(*args: Any, **options: Any) -> dict[str, str]:
        searches.append(time.monotonic())
        return expand_by_pattern(*args, **options)

    monkeypatch.setattr(source_follower, "expand_by_pattern", search)
    return searches


def test_patterns_are_searched_again_when_a_directory_has_changed_or_after_a_while(
    following: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(tmp_path, (1, 1))
    searches = count_searches(monkeypatch)
    following.follower.follow_new()
    following.follower.follow_changed()
    assert len(searches) == 1
    (tmp_path / "b.log").write_bytes(b"two\n")
    following.follower.follow_changed()
    assert len(searches) == 2
    assert following.opened == ["a.log", "b.log"]
    os.utime(tmp_path, (1, 1))
    following.follower.follow_changed()
    following.follower.follow_changed()
    assert len(searches) == 3
    monkeypatch.setattr(source_follower, "_SEARCH_S", 0.0)
    following.follower.follow_changed()
    assert len(searches) == 4


def test_a_quiet_follower_waits_for_a_change_or_the_next_poll(
    following: Following, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(following.stop, "wait", waits.append)
    following.follower.follow_new()
    assert following.read() == b"one\n"
    following.follower.wait()
    assert waits == [SOON_S]  # the file may grow
    waits.clear()
    (source,) = following.follower
    source.due_at = time.monotonic() + 60
    monkeypatch.setattr(pause, "MAX_S", 0.001)
    following.read()  # takes the changes that were notified before
    source.due_at = time.monotonic() + 60
    following.follower.wait()
    assert waits == []
    monkeypatch.setattr(pause, "MAX_S", 60.0)
    if sys.platform == "linux":
        with (tmp_path / "a.log").open("ab") as file:
            file.write(b"two\n")
        following.follower.wait()  # returns at once
        assert len(waits) == 1
        assert waits[0] <= SOON_S
        assert following.read() == b"two\n"
