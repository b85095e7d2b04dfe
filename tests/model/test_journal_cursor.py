from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.journal_cursor import JournalCursor

A, B = "a" * 32, "b" * 32


def cursor(*, s: str = A, i: int = 5, b: str = A, m: int = 5, t: int = 5, x: int = 5) -> JournalCursor:
    return JournalCursor.parse(f"s={s};i={i:x};b={b};m={m:x};t={t:x};x={x:x}")


def test_entries_with_numbers_of_one_kind_are_ordered_by_them_alone() -> None:
    assert cursor(i=6, m=1, t=1).is_after(cursor())
    assert not cursor(i=5, m=9, t=9).is_after(cursor())


def test_entries_of_one_boot_are_ordered_by_the_time_since_it_even_if_the_clock_was_set_back() -> None:
    assert cursor(s=B, i=1, m=6, t=1).is_after(cursor())
    assert not cursor(s=B, i=9, m=4, t=9).is_after(cursor())


def test_entries_of_other_boots_are_ordered_by_the_time_of_day() -> None:
    assert cursor(s=B, b=B, i=1, m=1, t=6).is_after(cursor())
    assert not cursor(s=B, b=B, i=9, m=9, t=4).is_after(cursor())


def test_entries_of_one_time_are_ordered_by_their_hashes() -> None:
    assert cursor(s=B, x=6).is_after(cursor())
    assert not cursor(s=B, x=5).is_after(cursor())


@given(st.lists(st.tuples(*[st.integers(0, 3)] * 4), min_size=2))
def test_of_two_entries_one_at_most_is_after_the_other(numbers: list[tuple[int, int, int, int]]) -> None:
    cursors = [cursor(s=A if i % 2 else B, b=A if m % 2 else B, i=i, m=m, t=t, x=x) for i, m, t, x in numbers]
    for first, second in pairwise(cursors):
        assert not (first.is_after(second) and second.is_after(first))


@pytest.mark.parametrize(
    "text", ["", "s=1", "number", f"s={A};i=5;b={A};m=5;t=5;x=5 ", f"s={A};i=-5;b={A};m=5;t=5;x=5"]
)
def test_another_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        JournalCursor.parse(text)
