"""Several sources in one run, each with its own options, and other sources while the run goes on."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from puppylog.collect.collector import Collector
from puppylog.collect.events import FormatChosen, SourcesChanged, SourceUnreadable, StreamOpened
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.formats.registry import find_format
from puppylog.model.stream import Stream
from support.embedded import wait_until
from support.numbered_logs import Logs
from support.remembering_store import RememberingWriter
from support.running import running


class GroupingWriter(RememberingWriter):
    """Remembers the group with which each stream was opened."""

    groups: dict[str, str | None]

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        self.groups = getattr(self, "groups", {}) | {Path(uri).name: group for uri in source_uris}
        return super().open_streams(source_uris, group=group)


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    return Logs(tmp_path)


def source(logs: Logs, *names: str, group: str | None = None, from_end: bool = False) -> SourceOptions:
    paths = [str(logs.path(name)) for name in names]
    return SourceOptions(paths=paths, format=find_format("plain"), group=group, from_end=from_end)


@contextmanager
def collecting(logs: Logs, *sources: SourceOptions, waits: bool = False) -> Iterator[Collector]:
    """Run a collector in a thread; at its end it must stop without an exception."""
    stop = threading.Event()
    options = CollectOptions(sources=sources, watch=True, waits_for_streams=waits)
    collector = Collector(logs.store.client(), options, stop=stop, on_event=logs.events.append)
    with running(collector.run, stop):
        yield collector


def opened(logs: Logs) -> list[str]:
    return [Path(event.source_uri).name for event in logs.events if isinstance(event, StreamOpened)]


def has_changed(logs: Logs, times: int) -> bool:
    return sum(isinstance(event, SourcesChanged) for event in logs.events) == times


def test_each_source_has_its_own_format_and_group(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"message": "one"}\n')
    (tmp_path / "b.log").write_text("level=info msg=two\n")
    (tmp_path / "c.log").write_text("three\n")
    logs = Logs(tmp_path)
    writer = GroupingWriter(logs.store)
    sources = [
        SourceOptions(paths=[f"{tmp_path}/a.log"], format=find_format("json"), group="shop"),
        SourceOptions(paths=[f"{tmp_path}/b.log"], format=find_format("logfmt")),
        SourceOptions(paths=[f"{tmp_path}/*.log"], format=find_format("auto"), group="rest"),
    ]
    options = CollectOptions(sources=sources)
    events: list[object] = []
    summary = Collector(writer, options, stop=threading.Event(), on_event=events.append).run()
    assert (summary.records, summary.rejects) == (3, 0)
    assert writer.groups == {"a.log": "shop", "b.log": None, "c.log": "rest"}
    assert [event.format for event in events if isinstance(event, FormatChosen)] == ["plain"]


def test_a_new_source_begins_and_the_others_go_on(logs: Logs) -> None:
    first, second = source(logs, "a.log"), source(logs, "b.log")
    logs.write("a.log")
    logs.write("b.log")
    with collecting(logs, first) as collector:
        wait_until(lambda: len(logs.store.messages) == 3, what="the first source")
        collector.change_sources([second, first])
        logs.wait()
        logs.write("a.log")
        logs.write("b.log")
        logs.wait()
    assert opened(logs) == ["a.log", "b.log"], "the first source was not opened again"


def test_a_source_that_is_gone_is_committed_and_released(logs: Logs) -> None:
    first, second = source(logs, "a.log"), source(logs, "b.log")
    logs.write("a.log")
    logs.write("b.log")
    with collecting(logs, first, second) as collector:
        logs.wait()
        logs.write("a.log")
        collector.change_sources([second])
        wait_until(lambda: len(logs.store.claimed) == 1, what="the release of the stream")
        logs.write("b.log")
        logs.write("a.log")
        with collecting(logs, first):  # another collector goes on from the position of the first one
            logs.wait()
    logs.check()


def test_no_line_is_lost_when_sources_change_under_writing_and_rotation(logs: Logs) -> None:
    pairs = [source(logs, "a.log", "b.log"), source(logs, "c.log")]
    names = ("a.log", "b.log", "c.log")
    for name in names:
        logs.write(name)
    with collecting(logs, *pairs) as collector:
        logs.wait()
        for number in range(12):
            for name in names:
                logs.write(name, 50)
            if number % 3 == 1:
                logs.rename("a.log", f"a.log.{12 - number}")
            # The same files, with options that are other objects: they are closed and opened again.
            changed = [pairs[0], source(logs, "c.log")] if number % 2 else [source(logs, "a.log", "b.log")]
            collector.change_sources(changed)
            wait_until(partial(has_changed, logs, number + 1), what="the change")
        collector.change_sources([source(logs, *names)])
        for name in names:
            logs.write(name)
        logs.wait()


def test_a_changed_source_that_is_read_from_the_end_goes_on_where_it_was(logs: Logs) -> None:
    logs.write("a.log")
    with collecting(logs, source(logs, "a.log")) as collector:
        logs.wait()
        collector.change_sources([])
        wait_until(lambda: not logs.store.claimed, what="the release of the stream")
        logs.write("a.log")
        collector.change_sources([source(logs, "a.log", from_end=True)])
        logs.wait()


def test_a_run_without_sources_waits_for_some(logs: Logs) -> None:
    with collecting(logs) as collector:
        logs.write("a.log")
        collector.change_sources([source(logs, "*.log")])
        logs.wait()


def test_a_stream_that_another_collector_follows_is_tried_again(logs: Logs) -> None:
    logs.write("a.log")
    logs.write("b.log")
    with collecting(logs, source(logs, "a.log")) as other:
        wait_until(lambda: len(logs.store.messages) == 3, what="the first collector")
        with collecting(logs, source(logs, "a.log", "b.log"), waits=True):
            logs.wait()
            assert any(isinstance(event, SourceUnreadable) for event in logs.events)
            logs.write("a.log")
            logs.wait()
            other.change_sources([])
            wait_until(lambda: len(logs.store.claimed) == 2, what="the claim of the second collector")
            logs.write("a.log")
            logs.wait()
