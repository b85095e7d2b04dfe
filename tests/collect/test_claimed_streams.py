"""A collector claims a stream that it does not follow as long as one of its files is, or may be, read here."""

import pytest

from puppylog.collect import collector as collector_module
from puppylog.collect.options import CollectOptions
from puppylog.collect.source_opener import uri_of
from puppylog.stores.base import NewFile
from puppylog.tail.handle import identity_of
from support.embedded import wait_until
from support.numbered_logs import Logs


@pytest.fixture(autouse=True)
def _release_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector_module, "_RELEASE_S", 0.0)


def register_empty_file(logs: Logs, gone: str, same_inode: str) -> int:
    """Register an empty file of a deleted log whose inode another file has got; return the id of its stream."""
    path = str(logs.path(gone))
    client = logs.store.client()
    (stream,) = client.open_streams([uri_of(CollectOptions(sources=[]), path)])
    client.open_files([NewFile(stream.stream_id, path, *identity_of(logs.path(same_inode).stat()), 0)])
    client.close_stream(stream.stream_id)
    return stream.stream_id


def test_a_deleted_log_whose_inode_is_used_again_is_not_reported_as_followed(logs: Logs) -> None:
    """Nothing was read of the deleted log, so only its inode could tell that the new file is the same."""
    logs.path("new.log").touch()
    gone = register_empty_file(logs, "gone.log", same_inode="new.log")
    with logs.watching("new.log"):
        logs.write("new.log")
        logs.wait()
        wait_until(lambda: gone not in logs.store.claimed, what="the release of the other stream")
        logs.write("new.log")
        logs.wait()
    assert gone not in logs.store.reports
    assert [file.byte_offset for file in logs.store.files_of("gone.log")] == [0]
    assert len(logs.store.files_of("new.log")) == 1


def test_the_stream_of_a_renamed_log_is_finished_when_the_renamed_file_is_gone(logs: Logs) -> None:
    logs.write("app.log")
    logs.collect("app.log")
    logs.rename("app.log", "renamed.log")
    (stream_id,) = logs.store.streams.values()
    with logs.watching("*.log"):
        logs.write("renamed.log")
        logs.wait()
        assert stream_id in logs.store.claimed
        wait_until(lambda: logs.store.reports[stream_id].records == 3, what="the report")
        assert not logs.store.reports[stream_id].finished
        logs.path("renamed.log").unlink()
        wait_until(lambda: stream_id not in logs.store.claimed, what="the release of the stream")
    last = logs.store.reports[stream_id]
    assert (last.ended, last.finished, last.backlog_bytes, last.records) == (True, True, 0, 3)
    assert len(logs.store.files_of("app.log")) == 1
