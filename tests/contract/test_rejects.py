"""Rejected lines are read, counted, and read again: each is once in the store, as a record or as a rejected line."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from contract.differences import NUL_IN_TEXT, Difference
from puppylog.collect.replay import Summary, replay
from puppylog.formats.registry import find_format
from puppylog.model.metric import Metric
from puppylog.monitor import rejects
from puppylog.monitor.range import Range
from puppylog.monitor.rejects import RejectFilter, count_reasons, get_file_ids, iter_newest, iter_rejects, read_files
from puppylog.monitor.search import get_group_id
from puppylog.stores.base import Replayed, Reread, Store
from support.embedded import wait_until
from support.lines import Source, records
from support.observations import SECTION, STATISTICS, assert_same, points, raw
from support.rejected import MISFIT, REASON, access_line, access_lines, assert_places, reject
from support.server import StoreServer

pytestmark = pytest.mark.sampled

COMBINED = find_format("combined")


def read_again(store: Store, batches: Iterable[pa.RecordBatch] | None = None) -> Summary:
    return replay(store, iter_rejects(store, RejectFilter()) if batches is None else batches, COMBINED)


@pytest.fixture
def in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "_PAGE_LINES", 7)
    monkeypatch.setattr(rejects, "_BATCH_LINES", 3)


def test_a_replay_turns_lines_that_fit_into_records_and_keeps_the_others_rejected(store: Store) -> None:
    source = Source(store)
    source.append(records(1))
    first, misfit, second = reject(source, [access_line(1), MISFIT, access_line(2)])
    before = store.query("SELECT * FROM puppylog.rejected_lines WHERE line_offset = $at", {"at": misfit}).to_pylist()
    summary = read_again(store)
    assert (summary.read, summary.records, summary.unchanged, summary.missed) == (3, 2, 1, 0)
    assert_places(store, "log_records", [(source.file_id, at) for at in (0, first, second)])
    assert store.query("SELECT * FROM puppylog.rejected_lines").to_pylist() == before
    (row,) = store.query(
        "SELECT stream_id, ts, response_bytes, user_agent FROM puppylog.log_records WHERE line_offset = $at",
        {"at": second},
    ).to_pylist()
    assert row["ts"] == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (row["stream_id"], row["response_bytes"], row["user_agent"]) == (source.stream_id, 2, "test")


def test_a_second_replay_finds_nothing_more_to_do(store: Store) -> None:
    source = Source(store)
    fits, misfit = reject(source, [access_line(1), MISFIT])
    read_again(store)
    summary = read_again(store)
    assert (summary.read, summary.records, summary.unchanged) == (1, 0, 1)
    assert_places(store, "log_records", [(source.file_id, fits)])
    assert_places(store, "rejected_lines", [(source.file_id, misfit)])


def test_lines_of_several_files_go_into_one_transaction(store: Store, in_small_batches: None) -> None:
    del in_small_batches
    sources = [Source(store, f"file:///{number}") for number in range(4)]
    expected = [
        (source.file_id, at)
        for source in sources
        for at in reject(source, [access_line(number) for number in range(5)])
    ]
    batches = list(iter_rejects(store, RejectFilter()))
    assert any(len(set(batch["file_id"].to_pylist())) > 1 for batch in batches)
    assert read_again(store, batches).records == 20
    assert_places(store, "log_records", expected)
    assert_places(store, "rejected_lines", [])


def test_a_replay_ignores_a_line_that_is_no_longer_rejected(store: Store) -> None:
    source = Source(store)
    offsets = reject(source, [access_line(number) for number in range(5)])
    batches = list(iter_rejects(store, RejectFilter()))
    assert read_again(store, [batch.slice(1, 2) for batch in batches]).records == 2
    summary = read_again(store, batches)  # as after another replay, or after a lost answer
    assert (summary.read, summary.records, summary.missed, summary.unchanged) == (5, 3, 2, 0)
    summary = read_again(store, batches)
    assert (summary.read, summary.records, summary.missed, summary.unchanged) == (5, 0, 5, 0)
    assert_places(store, "log_records", [(source.file_id, at) for at in offsets])


def test_a_replay_of_no_lines_is_no_error(store: Store) -> None:
    assert store.replay([]) == Replayed(lines=0, missed=0, refused={})


def test_a_line_with_several_records_becomes_all_of_them_or_none(store: Store) -> None:
    source = Source(store)
    (at,) = reject(source, [b"two of them"])
    two = records(2, start=at).records
    both = Reread(source.stream_id, source.file_id, two, pa.array([at, at], pa.int64()))
    assert store.replay([both]) == Replayed(lines=1, missed=0, refused={})
    assert store.replay([both]) == Replayed(lines=0, missed=1, refused={})
    assert_places(store, "log_records", [(source.file_id, at) for at in two["line_offset"].to_pylist()])


def test_two_replays_at_once_leave_each_line_once(server: StoreServer, store: Store, in_small_batches: None) -> None:
    del in_small_batches
    lines = [MISFIT if line % 5 == 0 else access_line(line) for line in range(15)]
    sources = [Source(store, f"file:///{number}") for number in range(2)]
    offsets = {source.file_id: reject(source, lines) for source in sources}
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(read_again, [store, server.connect()])
    assert first.records + second.records == 2 * 12
    fits = [
        (file, at) for file, starts in offsets.items() for at, line in zip(starts, lines, strict=True) if line != MISFIT
    ]
    assert_places(store, "log_records", fits)
    assert_places(store, "rejected_lines", [(file, at) for file, starts in offsets.items() for at in starts[::5]])


def test_a_line_that_the_store_cannot_hold_stays_rejected_with_the_cause(
    store: Store, differs: Callable[[Difference], bool]
) -> None:
    source = Source(store)
    lines = [access_line(number, agent=b"a\0b" if number in {3, 7} else b"test") for number in range(12)]
    offsets = reject(source, lines)
    summary = read_again(store)
    left = store.query("SELECT line_offset, reason, line FROM puppylog.rejected_lines ORDER BY 1").to_pylist()
    if differs(NUL_IN_TEXT):
        assert (summary.records, summary.unchanged) == (10, 2)
        assert [row["line_offset"] for row in left] == [offsets[3], offsets[7]]
        assert [row["line"] for row in left] == [lines[3], lines[7]]
        assert all(row["reason"].startswith(NUL_IN_TEXT.expected) for row in left)
        assert sorted(summary.reasons) == sorted({row["reason"] for row in left})
    else:
        assert (summary.records, left) == (12, [])
    kept = {row["line_offset"] for row in left}
    assert_places(store, "log_records", [(source.file_id, at) for at in offsets if at not in kept])


def test_replayed_records_are_in_the_metrics(server: StoreServer, store: Store) -> None:
    now = datetime.now(UTC)
    source = Source(store)
    source.append(records(60, ts=now - timedelta(minutes=20), response_bytes=5, request_route="/section1/"))
    reject(source, access_lines(40, since=now - timedelta(minutes=15), step=timedelta(seconds=10)))
    reject(source, access_lines(40, since=now - timedelta(days=3), step=timedelta(minutes=30)))
    for statistic in ("count", "avg"):
        store.create_metric(Metric(f"{statistic}_now", statistic, "response_bytes", 60, SECTION, refresh_s=1))
    assert read_again(store).records == 80
    wait_until(lambda: server.is_settled(store), within_s=60, what="the correction")
    for statistic in ("count", "avg"):
        assert_same(points(store, f"{statistic}_now"), raw(store, STATISTICS[statistic], 60, SECTION))


def lines_of(batches: Iterable[pa.RecordBatch]) -> list[bytes]:
    return [line for batch in batches for line in batch["line"].to_pylist()]


def test_rejected_lines_are_read_with_all_bytes_file_by_file_in_order(store: Store, in_small_batches: None) -> None:
    del in_small_batches
    odd = [b"", b"\0\xff\x1b[2J", b"\r", "ü".encode(), b"x" * 3_000_000, *(b"%d" % number for number in range(20))]
    first, second = Source(store, "file:///1"), Source(store, "file:///2")
    for source in (first, second, first):
        reject(source, odd)
    assert lines_of(iter_rejects(store, RejectFilter())) == odd * 3
    assert lines_of(iter_newest(store, RejectFilter(), lines=21)) == odd[-21:]


def test_lines_are_chosen_by_reason_time_group_and_source(store: Store) -> None:
    shop, other = Source(store, "file:///shop.log", group="shop"), Source(store, "file:///other.log")
    reject(shop, [b"shop 1"], reason="no Time in it")
    reject(shop, [b"shop 2"], reason="an unclosed quote")
    reject(other, [b"other"], reason="an unclosed quote")
    files = read_files(store)

    def chosen(wanted: RejectFilter) -> list[bytes]:
        return lines_of(iter_rejects(store, wanted))

    assert chosen(RejectFilter(reason="TIME")) == [b"shop 1"]
    assert chosen(RejectFilter(reason="quote' OR true --")) == []
    assert chosen(RejectFilter(group_id=get_group_id(store, "shop"))) == [b"shop 1", b"shop 2"]
    assert chosen(RejectFilter(file_ids=get_file_ids(files, ["file:///o*"]))) == [b"other"]
    assert chosen(RejectFilter(within=Range(until=datetime.now(UTC) - timedelta(hours=1)))) == []
    assert len(chosen(RejectFilter(within=Range(since=datetime.now(UTC) - timedelta(hours=1))))) == 3


def test_reasons_are_counted_by_stream_most_frequent_first(store: Store) -> None:
    first, second = Source(store, "file:///1"), Source(store, "file:///2")
    reject(first, [b"a", b"b"])
    reject(second, [b"c", b"d", b"e"])
    reject(second, [b"f"], reason="another")
    counted = count_reasons(store, RejectFilter()).to_pylist()
    assert [(row["lines"], row["reason"], row["stream_id"]) for row in counted] == [
        (3, REASON, second.stream_id),
        (2, REASON, first.stream_id),
        (1, "another", second.stream_id),
    ]
