"""A stream of a container that was deleted is finished; other logs may come back."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from puppylog.collect.collector import Collector
from puppylog.collect.containers import Runtime
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.model.stream import StreamReport
from support.embedded import wait_until
from support.recording import LINES, RecordingStore
from support.running import running


class ReportedStore(RecordingStore):
    """Keeps the last report."""

    def __init__(self) -> None:
        super().__init__()
        self.last: StreamReport | None = None

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
