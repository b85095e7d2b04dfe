from hypothesis import given
from hypothesis import strategies as st

from puppylog.stores.slices import slice_starts


def test_a_slice_ends_before_the_day_that_would_make_it_too_large() -> None:
    assert slice_starts([("mon", 2), ("tue", 3), ("wed", 1), ("thu", 5)], max_records=5) == ["mon", "wed", "thu"]


def test_a_day_with_more_records_than_a_slice_is_a_slice() -> None:
    assert slice_starts([("mon", 9), ("tue", 9)], max_records=5) == ["mon", "tue"]


def test_no_days_make_no_slices() -> None:
    assert slice_starts([]) == []


@given(st.lists(st.integers(1, 9), min_size=1), st.integers(1, 20))
def test_slices_of_several_days_are_as_large_as_the_limit_allows(counts: list[int], most: int) -> None:
    days = list(enumerate(counts))
    starts = slice_starts(days, most)
    assert starts[0] == 0
    for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
        assert end - start == 1 or sum(counts[start:end]) <= most
        assert end == len(days) or sum(counts[start : end + 1]) > most
