"""``puppylog streams``: all streams are listed, and a stream that no collector follows can be forgotten."""

import json
from datetime import UTC, datetime

from puppylog.model.stream import StreamReport
from puppylog.monitor.collectors import list_followed_streams
from support.embedded import EmbeddedStore, wait_until
from support.inprocess import InProcess
from support.lines import open_stream


def report(server: EmbeddedStore, path: str, *, ended: bool) -> None:
    with server.connect() as store:
        stream_id = open_stream(store, f"file://{path}").stream_id
        store.report(
            [
                StreamReport(
                    stream_id,
                    backlog_bytes=0,
                    behind_s=None,
                    stored_ago_s=1.5,
                    lines_per_s=2.5,
                    records=7,
                    rejects=1,
                    ended=ended,
                )
            ]
        )
        wait_until(lambda: path in {stream.source for stream in list_followed_streams(store)}, what="the report")


def test_streams_are_listed_with_their_files_and_stored_bytes(cli: InProcess) -> None:
    rows = json.loads(cli("streams", "list", "-o", "json").out)
    (stored,) = [row for row in rows if row["bytes"]]
    assert (stored["group"], stored["files"], stored["bytes"]) == ("shop", 1, 12100)
    assert datetime.fromisoformat(stored["stored_at"]).tzinfo == UTC


def test_a_stream_that_has_ended_is_forgotten(cli: InProcess, server: EmbeddedStore) -> None:
    report(server, "/var/log/gone.log", ended=True)
    assert cli("streams", "forget", "/var/log/gone.log").err == "puppylog: forgot /var/log/gone.log; its records stay\n"
    again = cli("streams", "forget", "/var/log/gone.log")
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "no collector has reported it" in again.err
    assert "/var/log/gone.log" in cli("streams", "list").out


def test_a_stream_that_a_collector_follows_is_not_forgotten(cli: InProcess, server: EmbeddedStore) -> None:
    report(server, "/var/log/alive.log", ended=False)
    refused = cli("streams", "forget", "/var/log/alive.log")
    assert (refused.code, refused.err) == (
        2,
        "puppylog: cannot forget stream /var/log/alive.log: a collector follows it; stop the collector first\n",
    )
