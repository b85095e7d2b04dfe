import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.monitor.counting.measure import choose_edges, compute

# An attribute has numbers of up to 15 digits and of at least 1e-114; a column has 64 bits.
NUMBERS = st.one_of(
    st.integers(0, 5).map(float),
    st.integers(-(2**63), 2**63 - 1).map(float),
    st.integers(0, 1000).map(lambda hundredths: hundredths / 100),
    st.floats(-1e15, 1e15).filter(lambda number: number == 0 or abs(number) > 1e-114),
)


@given(st.lists(NUMBERS, min_size=1, max_size=50), st.integers(1, 12))
def test_every_number_is_in_one_of_the_bins(numbers: list[float], bins: int) -> None:
    found = compute([{"number": number, "is_missing": False, "n": 2} for number in numbers], bins)
    assert [one.start for one in found.bins[1:]] == [one.end for one in found.bins[:-1]]
    assert all(one.start < one.end for one in found.bins)
    assert [one.count for one in found.bins] == [
        2 * sum(one.start <= number < one.end for number in numbers) for one in found.bins
    ]
    assert sum(one.count for one in found.bins) == found.count == 2 * len(numbers)
    assert len(found.bins) <= max(2 * bins + 1, 3)


@pytest.mark.parametrize(
    ("least", "middle", "greatest", "edges"),
    [
        (200, 200, 504, [200, 250, 300, 350, 400, 450, 500, 550]),
        (0.1, 0.2, 0.31, [0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32]),
        (-3, 0, 4, [-3, -2, -1, 0, 1, 2, 3, 4, 5]),
        (0, 3, 2000, [0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]),
    ],
)
def test_the_edges_of_bins_are_round(least: float, middle: float, greatest: float, edges: list[float]) -> None:
    assert choose_edges(least, middle, greatest, 12) == edges


def test_bins_have_equal_widths_unless_a_few_numbers_are_far_greater() -> None:
    rows = [{"number": number, "is_missing": False, "n": 1} for number in range(100)]
    assert {one.end - one.start for one in compute(rows, 12).bins} == {10.0}
    skewed = compute([*rows, {"number": 10_000, "is_missing": False, "n": 1}], 12).bins
    assert [one.end for one in skewed][-6:] == [500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0]
