from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.monitor import context as module
from puppylog.monitor.context import Extent, Group, find_context, find_rejected, read_records
from support.memory import MemoryReader


def fill(reader: MemoryReader, file_id: int, offsets: Sequence[int]) -> None:
    for offset in offsets:
        reader.insert("log_records", file_id=file_id, line_offset=offset, message=f"{file_id} {offset}")


def test_groups_that_touch_are_one_group_and_others_are_not(reader: MemoryReader) -> None:
    fill(reader, 1, range(0, 2000, 100))
    fill(reader, 2, [0, 50])
    found = find_context(reader, [(2, 0), (1, 1000), (1, 400), (1, 700)], Extent(1, 1), {1: 2000, 2: 60})
    assert found.groups == [
        Group([(2, 0), (2, 50)], None),
        Group([(1, at) for at in range(300, 1101, 100)], (1, 200)),
    ]
    assert find_context(reader, [(1, 400), (1, 800)], Extent(1, 1), {1: 2000}).groups == [
        Group([(1, 300), (1, 400), (1, 500)], (1, 200)),
        Group([(1, 700), (1, 800), (1, 900)], (1, 600)),
    ]


def test_a_match_is_incomplete_until_enough_records_follow_it(reader: MemoryReader) -> None:
    fill(reader, 1, [0, 100, 200])
    ends = {1: 300}
    assert find_context(reader, [(1, 0), (1, 100)], Extent(0, 2), ends).incomplete == [(1, 100)]
    assert find_context(reader, [(1, 200)], Extent(2, 0), ends).incomplete == []


def test_records_behind_the_end_are_no_context(reader: MemoryReader) -> None:
    fill(reader, 1, [0, 100, 200])
    assert find_context(reader, [(1, 0)], Extent(0, 2), {1: 200}).groups == [Group([(1, 0), (1, 100)], None)]
    assert find_context(reader, [], Extent(1, 1), {}).groups == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_the_context_is_the_neighbours_in_the_file_however_long_its_lines_are(
    reader: MemoryReader, data: st.DataObject
) -> None:
    lengths = data.draw(st.lists(st.sampled_from([1, 5, 40]), min_size=1, max_size=30))
    offsets = [sum(lengths[:at]) for at in range(len(lengths))]
    matches = data.draw(st.lists(st.sampled_from(offsets), unique=True, min_size=1, max_size=5))
    extent = Extent(data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4)))
    reader.connection.execute("DELETE FROM puppylog.log_records")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FIRST_BYTES", 4)
        patch.setattr(module, "_BYTES_PER_RECORD", 1)
        fill(reader, 7, offsets)
        groups = find_context(reader, [(7, offset) for offset in matches], extent, {7: sum(lengths)}).groups
    shown = {
        number
        for match in matches
        for number in range(offsets.index(match) - extent.before, offsets.index(match) + extent.after + 1)
        if 0 <= number < len(offsets)
    }
    found = sorted(offsets.index(offset) for group in groups for _, offset in group.locations)
    assert found == sorted(shown)
    starts = {offsets.index(group.locations[0][1]) for group in groups}
    assert starts == {number for number in shown if number - 1 not in shown}
    for group in groups:
        first = offsets.index(group.locations[0][1])
        assert group.previous is None or group.previous == (7, offsets[first - 1])
        assert group.previous is not None or first == 0


def test_rejected_lines_between_the_records_of_a_group_are_found(
    reader: MemoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [Group([(1, 100), (1, 200), (1, 300)], None), Group([(2, 0)], None), Group([(3, 50), (3, 90)], None)]
    for file_id, offset in [(1, 50), (1, 110), (1, 120), (1, 250), (1, 310), (2, 5), (3, 60)]:
        reader.insert("rejected_lines", file_id=file_id, line_offset=offset, line=b"%d" % offset)
    assert find_rejected(reader, groups) == {(1, 200): [b"110", b"120"], (1, 300): [b"250"], (3, 90): [b"60"]}
    assert find_rejected(reader, groups[1:2]) == {}
    monkeypatch.setattr(module, "_REJECTED", 1)
    assert find_rejected(reader, groups) == {(1, 200): [b"110"]}


def test_records_are_read_in_the_order_of_locations(reader: MemoryReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOCATIONS", 2)
    fill(reader, 1, [0, 10, 20])
    fill(reader, 2, [0])
    locations = [(1, 20), (2, 0), (1, 0), (1, 5)]
    assert read_records(reader, locations)["message"].to_pylist() == ["1 20", "2 0", "1 0"]
    assert read_records(reader, []).num_rows == 0
