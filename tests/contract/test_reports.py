"""The obligations about collectors' reports: a store keeps them, and every client can read them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from puppylog.errors import NotFound
from puppylog.model.stream import StreamReport
from puppylog.monitor.collectors import FollowedStream, StreamState, list_followed_streams
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, open_stream, records
from support.server import StoreServer

pytestmark = pytest.mark.sampled

URI = "file:///var/log/a.log"


def report(stream_id: int, **changes: Any) -> StreamReport:
    told = {"backlog_bytes": 0, "behind_s": None, "stored_ago_s": 1.5, "lines_per_s": 2.5, "records": 7, "rejects": 1}
    return StreamReport(stream_id, **{**told, **changes})


def see(store: Store, count: int, **arguments: Any) -> list[FollowedStream]:
    """Return the followed streams, as soon as there are ``count`` of them."""
    wait_until(lambda: len(list_followed_streams(store, **arguments)) == count, what="the reports")
    return list_followed_streams(store, **arguments)


def test_every_client_can_read_a_report(server: StoreServer, store: Store) -> None:
    stream_id = open_stream(store, URI, group="web").stream_id
    store.report([report(stream_id, backlog_bytes=2**40, behind_s=12.25, format="json", waiting_lines=5)])
    (stream,) = see(server.connect(), 1)
    assert (stream.source_uri, stream.group, stream.state) == (URI, "web", StreamState.BEHIND)
    assert (stream.records, stream.rejects, stream.lines_per_s, stream.format) == (7, 1, 2.5, "json")
    assert (stream.lag_bytes, stream.waiting_lines) == (2**40, 5)
    assert stream.lag_s == pytest.approx(12.25 + stream.report_age_s)
    assert stream.stored_at is not None
    assert abs((datetime.now(UTC) - stream.stored_at).total_seconds()) < 60
    assert see(store, 0, group="shop") == []


def test_a_report_replaces_the_report_before_it(store: Store) -> None:
    stream_id = open_stream(store, URI).stream_id
    store.report([report(stream_id, problem="cannot read it: 'ü' is gone", behind_s=3.0, backlog_bytes=1)])
    wait_until(
        lambda: [s.problem for s in list_followed_streams(store)] == ["cannot read it: 'ü' is gone"], what="the problem"
    )
    store.report([report(stream_id, stored_ago_s=None, ended=True)])
    wait_until(lambda: [s.state for s in list_followed_streams(store)] == [StreamState.ENDED], what="the last report")
    (stream,) = list_followed_streams(store)
    assert (stream.problem, stream.stored_at, stream.lag_bytes, stream.lag_s) == (None, None, 0, 0)


def test_a_report_without_a_format_keeps_the_format_that_was_reported_before(store: Store) -> None:
    stream_id = open_stream(store, URI).stream_id
    store.report([report(stream_id, format="json")])
    see(store, 1)
    store.report([report(stream_id, format="", records=9)])
    wait_until(lambda: [s.records for s in list_followed_streams(store)] == [9], what="the second report")
    assert [stream.format for stream in list_followed_streams(store)] == ["json"]
    store.report([report(stream_id, format="logfmt", records=10)])
    wait_until(lambda: [s.format for s in list_followed_streams(store)] == ["logfmt"], what="another format")


def test_a_deleted_file_that_was_read_to_its_end_is_finished(store: Store) -> None:
    stream_id = open_stream(store, URI).stream_id
    store.report([report(stream_id, problem="cannot read it: no such file", finished=True)])
    (stream,) = see(store, 1)
    assert (stream.state, stream.problem) == (StreamState.FINISHED, None)


def test_a_thousand_streams_are_reported_at_once(store: Store) -> None:
    streams = [stream.stream_id for stream in store.open_streams([f"file:///{number:04}" for number in range(1000)])]
    store.report([report(stream_id, records=number) for number, stream_id in enumerate(streams)])
    assert [stream.records for stream in see(store, 1000)] == list(range(1000))
    store.report([report(streams[500], records=-1), report(streams[2], records=-1)])
    wait_until(lambda: sum(s.records == -1 for s in list_followed_streams(store)) == 2, what="news of two")
    assert len(list_followed_streams(store)) == 1000


def test_a_report_about_an_unknown_stream_is_ignored(store: Store) -> None:
    stream_id = open_stream(store, URI).stream_id
    store.report([])
    store.report([report(stream_id + 1000), report(stream_id)])
    assert [stream.source_uri for stream in see(store, 1)] == [URI]


def test_collectors_report_while_others_append(server: StoreServer, store: Store) -> None:
    def append(client: Store) -> int:
        source = Source(client, "file:///busy")
        return sum(source.append(records(1000, start=source.offset)).records for _ in range(5))

    def tell(client: Store) -> int:
        stream_id = open_stream(client, URI).stream_id
        for number in range(50):
            client.report([report(stream_id, records=number)])
        return stream_id

    with ThreadPoolExecutor() as threads:
        appending, telling = threads.submit(append, store), threads.submit(tell, server.connect())
        assert appending.result() == 5000
        telling.result()
    wait_until(lambda: [s.records for s in list_followed_streams(store)] == [49], what="the last report")


def test_a_forgotten_stream_is_not_shown_until_it_is_reported_again(store: Store) -> None:
    source = Source(store, URI)
    source.append(records(3))
    store.report([report(source.stream_id, ended=True)])
    see(store, 1)
    store.forget_stream(URI)
    assert list_followed_streams(store) == []
    with pytest.raises(NotFound, match="no collector has reported it"):
        store.forget_stream(URI)
    (kept,) = store.query("SELECT count(*) AS records FROM puppylog.log_records").to_pylist()
    (file,) = store.query("SELECT byte_offset FROM puppylog.log_files").to_pylist()
    assert (kept["records"], file["byte_offset"]) == (3, source.offset)
    store.report([report(source.stream_id)])
    see(store, 1)
