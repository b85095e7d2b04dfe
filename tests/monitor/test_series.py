from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from puppylog.monitor.series import _list_segments

ROWS = [("a", 1.0), ("b", 3.0), ("a", 2.5), ("c", None), (None, 3.0)]


def make_table(*, is_aligned: bool = True) -> pa.Table:
    first = datetime(2026, 3, 1, tzinfo=UTC)
    table = pa.table(
        {
            "bucket": [first + timedelta(minutes=number) for number in range(len(ROWS))],
            "segment": pa.array([segment for segment, _ in ROWS], pa.string()),
            "value": pa.array([value for _, value in ROWS], pa.float64()),
        }
    )
    return table if is_aligned else table.set_column(2, "value", misalign(table["value"].chunk(0)))


def misalign(array: pa.Array) -> pa.Array:
    """Return the same values in memory as a message may have them: not at a multiple of their size."""
    validity, values = array.buffers()
    assert values is not None
    moved = pa.py_buffer(b"\0" + values.to_pybytes()).slice(1)
    return pa.Array.from_buffers(array.type, len(array), [validity, moved])


def test_the_largest_segments_come_first_and_those_without_a_value_last() -> None:
    assert _list_segments(make_table(), is_additive=True) == ["a", "b", None, "c"]
    assert _list_segments(make_table(), is_additive=False) == ["b", None, "a", "c"]


def test_values_at_any_place_in_memory_write_no_warning(capfd: pytest.CaptureFixture[str]) -> None:
    assert _list_segments(make_table(is_aligned=False), is_additive=True) == ["a", "b", None, "c"]
    assert capfd.readouterr().err == ""
