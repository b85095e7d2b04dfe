from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import NotFound
from puppylog.monitor import search
from puppylog.monitor.range import Range
from puppylog.monitor.search import (
    Cursor,
    Search,
    find_records,
    get_group_id,
    plan_byte_ranges,
    read_cursor,
    read_new_records,
)
from support.memory import MemoryReader

NOON = datetime.fromisoformat("2015-05-17T12:00:00+00:00")


def add_file(reader: MemoryReader, file_id: int, *, stream_id: int = 1, offset: int = 0) -> None:
    reader.insert("log_files", id=file_id, stream_id=stream_id, byte_offset=offset)


def commit(reader: MemoryReader, file_id: int, *offsets: int, position: int, late_s: int = 0) -> None:
    """Put a line at each offset and move the file's position, as a collector's transaction does."""
    for offset in offsets:
        ts = NOON + timedelta(seconds=offset - late_s)
        reader.insert("log_records", stream_id=1, file_id=file_id, line_offset=offset, ts=ts, status_code=offset % 2)
    reader.connection.execute("UPDATE puppylog.log_files SET byte_offset = ? WHERE id = ?", [position, file_id])


def places(records: pa.Table) -> list[tuple[int, int]]:
    return [(row["file_id"], row["line_offset"]) for row in records.to_pylist()]


def test_the_newest_records_come_oldest_first(reader: MemoryReader) -> None:
    add_file(reader, 1)
    commit(reader, 1, 0, 10, 20, position=30)
    assert places(find_records(reader, Search(), records=2)) == [(1, 10), (1, 20)]


def test_a_search_is_limited_by_filter_range_and_group(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=7, name="shop")
    reader.insert("log_streams", id=1, group_id=7)
    reader.insert("log_streams", id=2)
    add_file(reader, 1)
    commit(reader, 1, 0, 3, 5, 8, position=10)
    reader.insert("log_records", stream_id=2, file_id=2, ts=NOON + timedelta(seconds=3), status_code=1)
    within = Range(NOON + timedelta(seconds=1), NOON + timedelta(seconds=8))
    wanted = Search("status_code = 1 OR false", within, get_group_id(reader, "shop"))
    assert places(find_records(reader, wanted, records=9)) == [(1, 3), (1, 5)]


def test_an_unknown_group_is_not_found(reader: MemoryReader) -> None:
    with pytest.raises(NotFound, match="cannot find group 'shed'"):
        get_group_id(reader, "shed")


def test_new_records_are_the_lines_committed_after_the_cursor_whatever_their_times(reader: MemoryReader) -> None:
    add_file(reader, 1)
    commit(reader, 1, 0, 10, position=20)
    cursor = read_cursor(reader)
    assert read_new_records(reader, Search(), cursor) is None
    commit(reader, 1, 20, 30, position=40, late_s=3600)
    add_file(reader, 2)
    commit(reader, 2, 0, position=5)
    new = read_new_records(reader, Search(), cursor)
    assert new is not None
    assert places(new.records) == [(1, 20), (1, 30), (2, 0)]
    assert (new.cursor, new.is_behind) == (Cursor({1: 40, 2: 5}), False)
    assert read_new_records(reader, Search(), new.cursor) is None


def test_new_records_that_the_filter_leaves_out_still_move_the_cursor(reader: MemoryReader) -> None:
    add_file(reader, 1)
    commit(reader, 1, 0, 2, position=4)
    new = read_new_records(reader, Search("status_code = 1"), Cursor({}))
    assert new is not None
    assert (places(new.records), new.cursor) == ([], Cursor({1: 4}))


def test_a_large_backlog_is_read_in_steps_that_leave_nothing_out(
    reader: MemoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STEP_BYTES", 25)
    add_file(reader, 1)
    add_file(reader, 2)
    commit(reader, 1, *range(0, 100, 10), position=100)
    commit(reader, 2, 0, 10, position=15)
    shown: list[tuple[int, int]] = []
    cursor, steps = Cursor({}), 0
    while (new := read_new_records(reader, Search(), cursor)) is not None:
        shown += places(new.records)
        cursor, steps = new.cursor, steps + 1
    assert shown == [(1, offset) for offset in range(0, 100, 10)] + [(2, 0), (2, 10)]
    assert steps == 5


OFFSETS = st.dictionaries(st.integers(1, 5), st.integers(0, 200))


@given(OFFSETS, OFFSETS, st.integers(1, 60))
def test_byte_ranges_cover_every_byte_between_two_cursors_once(
    start: dict[int, int], moved: dict[int, int], step_bytes: int
) -> None:
    end = {file_id: start.get(file_id, 0) + more for file_id, more in moved.items()}
    covered: dict[int, list[int]] = {}
    seen, is_behind = dict(start), True
    while is_behind:
        ranges, is_behind = plan_byte_ranges(Cursor(seen), Cursor(end), step_bytes)
        assert sum(lines.end - lines.start for lines in ranges) <= step_bytes
        for lines in ranges:
            covered.setdefault(lines.file_id, []).extend(range(lines.start, lines.end))
            seen[lines.file_id] = lines.end
    assert covered == {
        file_id: list(range(start.get(file_id, 0), last))
        for file_id, last in end.items()
        if last > start.get(file_id, 0)
    }
