"""What a collector does after the store has refused a batch, until it reads the lines again."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from puppylog.collect import collector as collector_module
from puppylog.collect.collector import Collector
from puppylog.collect.dry_run import DryAppender, DryWriter
from puppylog.collect.events import Committed, Event, StoreInterrupted
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.errors import StoreFull
from puppylog.formats.registry import find_format
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import Move, Stream
from puppylog.stores.base import Appended, Appender


class SlowAppender(DryAppender):
    """Commits slowly, and notes whether the streams are opened again during the commit."""

    def __init__(self, store: "FullWhileItCommits") -> None:
        super().__init__()
        self._store = store

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        self._store.commit_began.set()
        self._store.was_asked_during_commit |= self._store.is_open_again.wait(0.3)
        return super().commit(moves, requests)


class FullWhileItCommits(DryWriter):
    """Refuses a third batch while the first one is being committed."""

    full_rows = 2

    def __init__(self) -> None:
        super().__init__()
        self.commit_began = threading.Event()
        self.is_open_again = threading.Event()
        self.was_asked_during_commit = False
        self._appenders = 0
        self._opened = 0

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        self._opened += 1
        if self._opened == 2:
            self.is_open_again.set()
        return super().open_streams(source_uris, group=group)

    def appender(self) -> Appender:
        self._appenders += 1
        if self._appenders == 3:
            assert self.commit_began.wait(10)
            raise StoreFull("reach", "the store", "the disk is full")
        return SlowAppender(self) if self._appenders == 1 else DryAppender()


def test_the_store_is_asked_for_its_positions_only_when_no_commit_is_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector_module, "_REREAD_S", 0.0)
    for name in ("a.log", "b.log", "c.log", "d.log"):
        (tmp_path / name).write_text("one\n")
    store, stop, events = FullWhileItCommits(), threading.Event(), list[Event]()

    def note(event: Event) -> None:
        events.append(event)
        if store.is_open_again.is_set() and isinstance(event, Committed):
            stop.set()

    options = CollectOptions(
        sources=[SourceOptions(paths=[f"{tmp_path}/*.log"], format=find_format("plain"))], watch=True
    )
    Collector(store, options, stop=stop, on_event=note).run()
    assert store.is_open_again.is_set()
    assert not store.was_asked_during_commit


class Full(DryWriter):
    """A store whose disk stays full."""

    def appender(self) -> Appender:
        raise StoreFull("write to", "the store", "the disk is full")


def test_the_pauses_grow_while_the_store_stays_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector_module, "_REREAD_S", 0.001)
    monkeypatch.setattr(collector_module, "_MAX_REREAD_S", 0.006)
    (tmp_path / "a.log").write_text("one\n")
    stop, pauses = threading.Event(), list[float]()

    def note(event: Event) -> None:
        if isinstance(event, StoreInterrupted):
            pauses.append(event.retry_in_s)
            if len(pauses) == 5:
                stop.set()

    source = SourceOptions(paths=[str(tmp_path / "a.log")], format=find_format("plain"))
    options = CollectOptions(sources=[source], watch=True)
    with suppress(StoreFull):
        Collector(Full(), options, stop=stop, on_event=note).run()
    assert pauses == [0.001, 0.002, 0.004, 0.006, 0.006]
