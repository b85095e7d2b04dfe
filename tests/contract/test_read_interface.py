"""What the read interface of a server asks, on every kind of store."""

from datetime import UTC, datetime

from puppylog.model.silence import Silence
from puppylog.monitor.collectors import list_streams
from puppylog.monitor.notifications import read_silences
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
