from puppylog.monitor.context import Extent, find_context, find_rejected, read_records
from puppylog.monitor.origins import Origin, has_stream, read_origins
from puppylog.monitor.search import read_cursor
from puppylog.monitor.source_text import SourceText, read_source_texts
from puppylog.stores.base import Store
from support.lines import Source, records, rejects


def test_the_context_of_a_record_is_its_neighbours_in_its_file(store: Store) -> None:
    first, second = Source(store, "file:///var/log/a.log"), Source(store, "file:///var/log/b.log")
    for source in (first, second, first):
        source.append(records(300, start=source.offset, message="m"))
    matches = [(second.file_id, 15_000), (first.file_id, 100), (first.file_id, 30_000), (first.file_id, 59_900)]
    found = find_context(store, matches, Extent(2, 1), read_cursor(store).offsets)
    assert [[offset for _, offset in group.locations] for group in found.groups] == [
        [14_800, 14_900, 15_000, 15_100],
        [0, 100, 200],
        [29_800, 29_900, 30_000, 30_100],
        [59_700, 59_800, 59_900],
    ]
    assert list(found.incomplete) == [(first.file_id, 59_900)]
    locations = [place for group in found.groups for place in group.locations]
    read = read_records(store, locations)
    assert list(zip(read["file_id"].to_pylist(), read["line_offset"].to_pylist(), strict=True)) == locations
    first.append(rejects(b"no\xff record", start=30_050))
    assert find_rejected(store, found.groups) == {(first.file_id, 30_100): [b"no\xff record"]}
    assert set(read.column_names) > {"ts", "stream_id", "message", "attributes"}


def test_the_origin_and_the_text_of_a_record_are_found_by_its_file(store: Store) -> None:
    source = Source(store, "file:///var/log/a.log", group="shop")
    source.append(records(1, message="m"))
    assert read_origins(store) == {
        source.file_id: Origin(source.stream_id, "/var/log/test.log", "file:///var/log/a.log", "shop")
    }
    assert has_stream(store, f"stream_id = {source.stream_id}")
    assert not has_stream(store, f"stream_id <> {source.stream_id}")
    rows = read_records(store, [(source.file_id, 0)]).to_pylist()
    assert read_source_texts(store, rows, "here") == [SourceText(b"2026-03-01T12:00:00+00:00 h m", False)]
