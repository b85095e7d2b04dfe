"""What the read interface of a server asks, on every kind of store."""

from datetime import UTC, datetime

from puppylog.model.silence import Silence
from puppylog.monitor.collectors import list_streams
from puppylog.monitor.notifications import read_silences
from puppylog.monitor.reject_pages import SHOWN_BYTES, RejectedLine, count_reject_reasons, find_reject_page
from puppylog.monitor.rejects import RejectFilter
from puppylog.stores.base import Store
from support.lines import LINE_BYTES, Source, records, rejects


def test_all_streams_are_listed_with_what_is_stored_of_them(store: Store) -> None:
    source = Source(store, "file:///var/log/a.log", group="shop")
    source.append(records(2), rejects(b"one", b"two", start=200))
    store.open_streams(["file:///var/log/b.log"])
    first, second = list_streams(store)
    assert (first.source_uri, first.group, first.files, first.rejected_lines) == ("file:///var/log/a.log", "shop", 1, 2)
    assert (first.bytes, first.followed) == (4 * LINE_BYTES, None)
    assert first.stored_at is not None
    assert (second.source_uri, second.files, second.bytes, second.stored_at) == ("file:///var/log/b.log", 0, 0, None)
    assert [stream.stream_id for stream in list_streams(store, group="shop")] == [source.stream_id]


def test_silences_are_read_as_they_are_listed(store: Store) -> None:
    begin, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2999, 3, 1, tzinfo=UTC)
    for name in ("b", "a"):
        store.set_silence(Silence(name, "alert*", "*", begin, end, "ada", "a comment"))
    assert read_silences(store) == list(store.list_silences())


def test_rejected_lines_are_read_in_pages_and_counted_by_reason(store: Store) -> None:
    source = Source(store, "file:///var/log/a.log")
    source.append(rejects(*(b"line %d" % at for at in range(5)), start=0))
    source.append(rejects(b"x" * 100_000, start=source.offset))
    wanted = RejectFilter()
    seen: list[RejectedLine] = []
    after, has_more = None, True
    while has_more:
        lines, has_more = find_reject_page(store, wanted, lines=2, after=after)
        after = lines[-1].cursor
        seen += lines
    assert [line.line for line in seen[1:]] == [b"line %d" % at for at in reversed(range(5))]
    assert (seen[0].is_cut, len(seen[0].line)) == (True, SHOWN_BYTES)
    [count] = count_reject_reasons(store, wanted)
    assert (count.reason, count.lines, count.streams, count.example) == ("no reason", 6, 1, seen[0])
    assert count_reject_reasons(store, RejectFilter(reason="other")) == []
