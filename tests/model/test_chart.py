import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.chart import Number, bar, columns, resample, sparkline

NUMBERS = st.none() | st.floats()


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"


def test_a_gap_is_a_blank_and_zero_is_not() -> None:
    assert sparkline([0, None, 7, math.nan]) == "▁ █ "


def test_a_series_of_zeros_is_a_low_line() -> None:
    assert sparkline([0, 0]) == "▁▁"


def test_values_below_zero_are_drawn_below_zero() -> None:
    assert sparkline([-7, 0, 7]) == "▁▅█"


def test_columns_are_as_high_as_their_values() -> None:
    assert columns([0, 8, 15], 2) == [" ▁█", "▁██"]


@given(st.lists(NUMBERS, max_size=50), st.integers(1, 6))
def test_a_chart_has_the_size_that_was_asked_for(values: list[Number], height: int) -> None:
    assert len(sparkline(values)) == len(values)
    assert [len(line) for line in columns(values, height)] == [len(values)] * height


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=20))
def test_a_higher_value_is_never_drawn_lower(values: list[float]) -> None:
    drawn = [" ▁▂▃▄▅▆▇█".index(char) for char in sparkline(values)]
    in_order = [step for _, step in sorted(zip(values, drawn, strict=True))]
    assert in_order == sorted(in_order)


@pytest.mark.parametrize(
    ("value", "longest", "drawn"),
    [(8.0, 8.0, "████"), (4.0, 8.0, "██"), (0.0001, 8.0, "▏"), (0.0, 8.0, ""), (None, 8.0, ""), (9.0, 8.0, "████")],
)
def test_a_bar_is_in_proportion(value: Number, longest: float, drawn: str) -> None:
    assert bar(value, longest, 4) == drawn


@given(NUMBERS, st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 40))
def test_a_bar_is_never_longer_than_asked(value: Number, longest: float, width: int) -> None:
    assert len(bar(value, longest, width)) <= width


def test_a_short_series_is_not_stretched() -> None:
    assert resample([(0, 1.0), (2, 3.0)], 3, 10, missing=None) == [1.0, None, 3.0]


def test_a_long_series_is_reduced_to_the_means_of_its_parts() -> None:
    assert resample([(0, 2.0), (1, 4.0), (3, 8.0)], 4, 2, missing=None) == [3.0, 8.0]


def test_a_missing_point_counts_as_the_given_value() -> None:
    assert resample([(0, 2.0), (3, 8.0)], 4, 2, missing=0.0) == [1.0, 4.0]


@given(
    st.dictionaries(st.integers(0, 199), st.floats(-1e6, 1e6)),
    st.integers(1, 200),
    st.integers(1, 80),
)
def test_resampling_keeps_the_sum_of_a_series_in_which_missing_is_zero(
    points: dict[int, float], length: int, wanted: int
) -> None:
    inside = {position: value for position, value in points.items() if position < length}
    means = resample(points.items(), length, wanted, missing=0.0)
    edges = [length * column // len(means) for column in range(len(means) + 1)]
    total = sum((mean or 0.0) * (edges[at + 1] - edges[at]) for at, mean in enumerate(means))
    assert total == pytest.approx(sum(inside.values()), abs=1e-3)
    assert len(means) == min(length, wanted)
