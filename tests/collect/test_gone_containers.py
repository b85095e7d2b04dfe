"""A stream of a container that was deleted is finished; other logs may come back."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from puppylog.collect.collector import Collector
from puppylog.collect.containers import Runtime
from puppylog.collect.events import Event, SourceUnreadable
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.model.stream import StreamReport
from support.embedded import wait_until
from support.recording import LINES, RecordingStore
from support.running import running


class ReportedStore(RecordingStore):
    """Keeps the last report, and counts the streams that were closed."""

    def __init__(self) -> None:
        super().__init__()
        self.last: StreamReport | None = None
        self.closed = 0

    def close_stream(self, stream_id: int) -> None:
        super().close_stream(stream_id)
        self.closed += 1

    def report(self, reports: Sequence[StreamReport]) -> None:
        self.last = reports[-1]


@pytest.mark.parametrize("runtime", [Runtime.KUBERNETES, None])
def test_a_log_that_was_deleted_before_it_was_opened_is_finished_if_a_container_wrote_it(
    tmp_path: Path, runtime: Runtime | None
) -> None:
    store, stop = ReportedStore(), threading.Event()
    source = SourceOptions(paths=[str(tmp_path / "0.log")], format=LINES, runtime=runtime)
    collector = Collector(store, CollectOptions(sources=[source], watch=True), stop=stop, on_event=lambda _: None)

    def is_reported() -> bool:
        report = store.last
        return report is not None and report.problem is not None and report.finished == (runtime is not None)

    with running(collector.run, stop):
        wait_until(is_reported, what="the report")


def test_the_log_of_a_deleted_container_is_not_followed_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("puppylog.collect.collector._RELEASE_S", 0.0)
    store, stop, events = ReportedStore(), threading.Event(), list[Event]()
    logs = [tmp_path / name for name in ("0.log", "1.log")]
    for log in logs:
        log.write_text(f"{log.name} says this\n")
    source = SourceOptions(paths=[str(tmp_path / "*.log")], format=LINES, runtime=Runtime.KUBERNETES)
    collector = Collector(store, CollectOptions(sources=[source], watch=True), stop=stop, on_event=events.append)
    with running(collector.run, stop):
        wait_until(lambda: store.lines.total() == 2, what="both lines")
        logs[0].unlink()
        wait_until(lambda: store.closed == 1, what="the end of the stream")
        assert store.last is not None
        assert (store.last.finished, store.last.backlog_bytes) == (True, 0)
        with logs[1].open("a") as other:
            other.write("the other goes on\n")
        wait_until(lambda: store.lines.total() == 3, what="the next line")
        assert store.closed == 1
    assert [event for event in events if isinstance(event, SourceUnreadable)] == []
