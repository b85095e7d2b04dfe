"""What `puppylog.stores.rewriting.StreamRewriter` promises."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.columnar import make_columnar
from contract.differences import CITUS, NUL_IN_TEXT, TIMESCALEDB_DISTRIBUTED
from puppylog.collect.replay import replay
from puppylog.errors import StoreUnavailable, StreamBusy
from puppylog.formats.registry import find_format
from puppylog.model.metric import Metric
from puppylog.model.stream import FilePosition, StreamReport
from puppylog.monitor.collectors import list_followed_streams
from puppylog.monitor.rejects import RejectFilter, iter_rejects
from puppylog.stores.base import Store
from puppylog.stores.postgres.ingest.rewriting import LinkedRewriter
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten
from support.embedded import wait_until
from support.lines import LINE_BYTES, NOON, Source, open_stream, records, rejects, with_data
from support.observations import assert_same, points, raw
from support.rejected import access_lines, reject
from support.server import StoreServer

pytestmark = pytest.mark.sampled

URI = "file:///var/log/test.log"
PERIOD_S = 60
COUNTED = {"hits": ("count(*)", None), "by_severity": ("count(*)", "severity"), "bytes": ("sum(response_bytes)", None)}


def count(store: Store, table: str) -> int:
    return int(store.query(f"SELECT count(*) AS n FROM puppylog.{table}")["n"][0].as_py())


def read_file(source: Source, *, first: int = 0) -> ReadFile:
    return ReadFile(source.stream_id, source.file_id, source.offset, first)


def rewrite(source: Source, *parts: Any, file: ReadFile | None = None, context: str = "json\n") -> Rewritten:
    rewriting = source.store.rewriting(file or read_file(source))
    try:
        for parsed in parts:
            rewriting.write(parsed)
        return rewriting.commit(context)
    finally:
        rewriting.discard()


def position(source: Source) -> FilePosition:
    return source.store.find_files([source.file_id])[source.file_id]


def places(store: Store) -> Counter[tuple[int, int]]:
    """Return how often each place has a row."""
    found = [
        store.query(f"SELECT file_id, line_offset FROM puppylog.{table}").to_pylist()
        for table in ("log_records", "rejected_lines")
    ]
    return Counter((row["file_id"], row["line_offset"]) for rows in found for row in rows)


def create_metrics(store: Store) -> None:
    store.create_metric(Metric("hits", "count", "*", PERIOD_S, refresh_s=1))
    store.create_metric(Metric("by_severity", "count", "*", PERIOD_S, "severity", refresh_s=1))
    store.create_metric(Metric("bytes", "sum", "response_bytes", PERIOD_S, refresh_s=1))


def assert_metrics_are_right(server: StoreServer, store: Store) -> None:
    wait_until(lambda: server.is_settled(store), within_s=60, what="the correction")
    for name, (statistic, segment) in COUNTED.items():
        assert_same(points(store, name), raw(store, statistic, PERIOD_S, segment))


def test_the_rows_of_a_file_are_replaced_and_its_position_stays(store: Store) -> None:
    source, other = Source(store), Source(store, "file:///other.log")
    source.append(records(3, severity="info"), rejects(b"one", b"two", start=300))
    other.append(records(2))
    before = position(source)
    rewritten = rewrite(source, records(2, severity="error"), records(2, start=200), rejects(b"two", start=400))
    assert rewritten == Rewritten(removed_records=3, removed_rejects=2, records=4, rejects=1)
    assert (count(store, "log_records"), count(store, "rejected_lines")) == (6, 1)
    assert max(places(store).values()) == 1
    after = position(source)
    assert (after.byte_offset, after.fingerprint, after.finished) == (500, before.fingerprint, False)
    assert (before.context, after.context) == ("", "json\n")
    source.append(records(1, start=500))
    assert position(source).byte_offset == 600


def test_a_replacement_may_be_committed_again_and_stores_no_row_twice(store: Store) -> None:
    source = Source(store)
    source.append(records(3))
    rewriting = store.rewriting(read_file(source))
    rewriting.write(records(3, severity="error"))
    first = rewriting.commit("json\n")
    assert rewriting.commit("json\n") == first
    rewriting.discard()
    rewriting.discard()
    assert (count(store, "log_records"), max(places(store).values())) == (3, 1)


def test_a_replacement_is_refused_if_another_position_is_stored(store: Store) -> None:
    source = Source(store)
    source.append(records(3))
    stale = read_file(source)
    source.append(records(1, start=300))
    with pytest.raises(StreamBusy, match="read up to byte 300, and is stored up to byte 400"):
        rewrite(source, records(1), file=stale)
    with pytest.raises(StreamBusy, match="does not know the file"):
        rewrite(source, records(1), file=ReadFile(source.stream_id, source.file_id + 1000, 400, 0))
    assert count(store, "log_records") == 4


def test_a_replacement_is_refused_if_the_first_rows_were_dropped_meanwhile(store: Store) -> None:
    source = Source(store)
    source.append(records(3, start=100))
    with pytest.raises(StoreUnavailable, match="dropped while it was read"):
        rewrite(source, records(3), file=read_file(source, first=0))
    assert count(store, "log_records") == 3


def test_rows_that_the_store_cannot_hold_are_rejected_when_they_replace_others(
    server: StoreServer, store: Store
) -> None:
    source = Source(store)
    source.append(records(3))
    rewritten = rewrite(source, with_data(records(1)), with_data(records(2, start=100, host="a\0b"), start=100))
    refuses = server.name in NUL_IN_TEXT.stores
    expected = Rewritten(3, 0, 1, 2, refused=2) if refuses else Rewritten(3, 0, 3, 0)
    assert rewritten == expected
    if refuses:
        lines = store.query("SELECT line FROM puppylog.rejected_lines ORDER BY line_offset")["line"].to_pylist()
        assert [line.rstrip(b".") for line in lines] == [b"line at byte 100", b"line at byte 200"]


def test_metrics_are_right_after_as_many_records_have_replaced_others(server: StoreServer, store: Store) -> None:
    now = datetime.now(UTC)
    recent, old = (Source(store), now - timedelta(minutes=10)), (Source(store, "file:///old"), now - timedelta(days=20))
    for source, then in (recent, old):
        source.append(records(60, ts=then, step_s=5, severity="info", response_bytes=1))
    create_metrics(store)
    assert_metrics_are_right(server, store)
    for source, then in (recent, old):
        half = records(30, ts=then, step_s=5, severity="error", response_bytes=7)
        rewrite(source, half, records(30, start=3000, ts=then + timedelta(seconds=150), step_s=5, response_bytes=1))
        assert_metrics_are_right(server, store)


def test_columnar_records_are_replaced_and_deleted(server: StoreServer, store: Store) -> None:
    source = Source(store)
    then = datetime.now(UTC) - timedelta(days=20)
    source.append(records(300, ts=then, step_s=600, severity="info", response_bytes=1))
    create_metrics(store)
    assert_metrics_are_right(server, store)
    for again in (True, False):
        make_columnar(server)
        if again:
            new = records(300, ts=then, step_s=600, severity="error", response_bytes=2)
            assert rewrite(source, new) == Rewritten(300, 0, 300, 0)
        else:
            assert store.delete_stream(source.stream_id) == DeletedStream(300, 0, 1)
        assert_metrics_are_right(server, store)


def test_records_that_become_columnar_meanwhile_are_replaced_once(
    server: StoreServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, other = Source(store), Source(store, "file:///other.log")
    then = datetime.now(UTC) - timedelta(days=20)
    source.append(records(300, ts=then, step_s=600))
    other.append(records(20, ts=then, step_s=600))
    choose, chosen = LinkedRewriter._choose_rows, list[Any]()

    def choose_rows(rewriter: LinkedRewriter, *asked: Any) -> Any:
        rows = choose(rewriter, *asked)
        if not chosen:
            make_columnar(server)
        chosen.append(rows)
        return rows

    monkeypatch.setattr(LinkedRewriter, "_choose_rows", choose_rows)
    new = records(300, ts=then, step_s=600, severity="error")
    assert rewrite(source, new) == Rewritten(300, 0, 300, 0)
    assert count(store, "log_records") == 320
    assert max(places(store).values()) == 1
    if server.name in (CITUS, TIMESCALEDB_DISTRIBUTED):
        assert len(chosen) == 2


def test_rejected_lines_of_columnar_days_become_records(server: StoreServer, store: Store) -> None:
    source = Source(store)
    then = datetime.now(UTC) - timedelta(days=20)
    source.append(records(300, ts=then, step_s=600))
    reject(source, access_lines(20, since=then, step=timedelta(hours=2)))
    make_columnar(server)
    summary = replay(store, iter_rejects(store, RejectFilter()), find_format("combined"))
    assert (summary.records, summary.unchanged, summary.missed) == (20, 0, 0)
    assert (count(store, "log_records"), count(store, "rejected_lines")) == (320, 0)
    assert max(places(store).values()) == 1


def test_metrics_are_right_after_records_got_other_times(server: StoreServer, store: Store) -> None:
    source = Source(store)
    now = datetime.now(UTC)
    source.append(records(50, ts=now - timedelta(minutes=20), severity="info", response_bytes=2))
    create_metrics(store)
    assert_metrics_are_right(server, store)
    rewrite(source, records(50, ts=now - timedelta(days=9), step_s=3600, severity="info", response_bytes=2))
    assert_metrics_are_right(server, store)
    rewrite(source, rejects(b"no record at all"))
    assert_metrics_are_right(server, store)
    assert points(store, "hits") == {}


def test_a_deleted_stream_is_gone_with_its_rows_and_files(server: StoreServer, store: Store) -> None:
    source, other = Source(store), Source(store, "file:///other.log")
    source.append(records(3), rejects(b"one", start=300))
    other.append(records(2, ts=NOON + timedelta(days=1)), rejects(b"two", start=200))
    store.report([StreamReport(source.stream_id, 0, None, None, 0.0, records=3, rejects=1)])
    create_metrics(store)
    assert_metrics_are_right(server, store)
    assert [stream.source for stream in list_followed_streams(store)] == ["/var/log/test.log"]
    assert store.delete_stream(source.stream_id) == DeletedStream(records=3, rejects=1, files=1)
    assert list_followed_streams(store) == []
    assert set(places(store)) == {(other.file_id, 0), (other.file_id, LINE_BYTES), (other.file_id, 200)}
    assert store.query("SELECT source_uri FROM puppylog.log_streams")["source_uri"].to_pylist() == ["file:///other.log"]
    assert count(store, "log_files") == 1
    assert_metrics_are_right(server, store)
    assert store.delete_stream(source.stream_id) == DeletedStream(0, 0, 0)
    store.close_stream(source.stream_id)
    again = open_stream(store, URI)
    assert again.files == ()
    assert again.stream_id != source.stream_id
