"""Positions and new records as a live tail reads them, on every kind of store."""

import pytest

from puppylog.monitor.arrivals import plan_arrivals, read_arrivals, read_positions, read_store_id
from puppylog.monitor.search import Search
from puppylog.stores.base import NewFile, Store
from support.lines import LINE_BYTES, Source, records

pytestmark = pytest.mark.sampled


def offsets(store: Store) -> dict[int, int]:
    return {file_id: place.byte_offset for file_id, place in read_positions(store).positions.items()}


def test_what_was_stored_between_two_readings_is_found_once_and_counted(store: Store) -> None:
    old = Source(store, "file:///old")
    old.append(records(3))
    before = read_positions(store)
    assert offsets(store)[old.file_id] == 3 * LINE_BYTES
    new = Source(store, "file:///new")
    new.append(records(5))
    after = read_positions(store, since_us=before.read_us)
    assert after.read_us > before.read_us
    assert old.file_id not in after.positions
    assert after.positions[new.file_id].moved_us >= before.read_us
    ranges = plan_arrivals({file_id: place.byte_offset for file_id, place in before.positions.items()}, offsets(store))
    found = read_arrivals(store, Search(), ranges, records=2)
    assert [row["line_offset"] for row in found.records.to_pylist()] == [3 * LINE_BYTES, 4 * LINE_BYTES]
    assert found.left_out == 3
    assert read_arrivals(store, Search("status_code = 1"), ranges, records=2).records.num_rows == 0
    assert read_store_id(store) == read_store_id(store)


def test_the_moment_of_a_reading_is_known_although_no_file_has_moved(store: Store) -> None:
    first = read_positions(store)
    later = read_positions(store, since_us=first.read_us + 3_600_000_000)
    assert later.positions == {}
    assert later.read_us >= first.read_us > 0


def test_records_of_many_files_that_grow_at_different_places_are_found_once(store: Store) -> None:
    sources = [Source(store, f"file:///{at}") for at in range(20)]
    for at, source in enumerate(sources):
        source.offset = at * 3_000_000
        new = NewFile(source.stream_id, "/log", device=1, inode=at, byte_offset=source.offset)
        [file] = store.open_files([new])
        source.file_id = file.file_id
    before = offsets(store)
    for source in sources:
        source.append(records(2, start=source.offset))
    found = read_arrivals(store, Search(), plan_arrivals(before, offsets(store)), records=1000)
    places = [(row["file_id"], row["line_offset"]) for row in found.records.to_pylist()]
    assert sorted(places) == [
        (source.file_id, before[source.file_id] + at * LINE_BYTES) for source in sources for at in range(2)
    ]
