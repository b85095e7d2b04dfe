"""How a collector opens many sources: many in one call, and each file is registered before its lines."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from puppylog.collect import source_follower as follower_module
from puppylog.collect.collector import Collector
from puppylog.collect.dry_run import DryWriter
from puppylog.collect.events import Event, StreamOpened
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.errors import StoreUnavailable
from puppylog.formats.registry import find_format
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import FilePosition, Move, Stream
from puppylog.stores.base import Appended, Appender, NewFile


class Opened(DryWriter):
    """Remembers what was opened in each call, and refuses lines of a file that is not registered."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.streams: list[list[str]] = []
        self.files: list[list[str]] = []
        self.rows = 0
        self._failures = failures
        self._file_ids: set[int] = set()

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        self.streams.append([source_uri.rpartition("/")[2] for source_uri in source_uris])
        return super().open_streams(source_uris, group=group)

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        if self._failures:
            self._failures -= 1
            raise StoreUnavailable("reach", "the store", "away")
        self.files.append([Path(file.path).name for file in new])
        opened = super().open_files(new)
        self._file_ids |= {file.file_id for file in opened}
        return opened

    def appender(self) -> Appender:
        return _Checked(self, super().appender())

    def take(self, file_id: int, parsed: Parsed) -> None:
        assert file_id in self._file_ids
        self.rows += parsed.records.num_rows


class _Checked:
    def __init__(self, store: Opened, appender: Appender) -> None:
        self._store = store
        self._appender = appender

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        self._store.take(file_id, parsed)
        self._appender.write(stream_id, file_id, parsed)

    def complete(self) -> None:
        self._appender.complete()

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        return self._appender.commit(moves, requests)

    def discard(self) -> None:
        self._appender.discard()


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    names = [f"{number:02}.log" for number in range(25)]
    for name in names:
        (tmp_path / name).write_text("one\ntwo\n")
    return names


def collect(store: Opened, directory: Path, events: list[Event]) -> None:
    options = CollectOptions(sources=[SourceOptions(paths=[str(directory)], format=find_format("plain"))])
    Collector(store, options, stop=threading.Event(), on_event=events.append).run()


def test_sources_and_their_files_are_opened_many_at_once(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "_OPENED_AT_ONCE", 10)
    store, events = Opened(), list[Event]()
    collect(store, tmp_path, events)
    assert store.streams == [names[:10], names[10:20], names[20:]]
    assert store.files == [names]
    assert store.rows == 50
    assert [Path(event.source_uri).name for event in events if isinstance(event, StreamOpened)] == names


def test_a_file_name_that_is_not_utf_8_is_escaped_and_other_files_are_collected(tmp_path: Path) -> None:
    for name in (b"a\xff.log", b"b.log"):
        Path(os.fsdecode(bytes(tmp_path / "") + b"/" + name)).write_text("one\n")
    store, events = Opened(), list[Event]()
    collect(store, tmp_path, events)
    assert store.streams == [["a%FF.log", "b.log"]]
    assert store.files == [["a\\xff.log", "b.log"]]
    assert store.rows == 2


def test_opening_files_is_retried_when_the_store_is_unavailable(names: list[str], tmp_path: Path) -> None:
    store = Opened(failures=1)
    collect(store, tmp_path, [])
    assert (store.files, store.rows) == ([names], 50)
