import math

import pytest

from puppylog.model.number import format_bytes, format_duration, format_number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (1234567.0, "1,234,567"),
        (12.5, "12.5"),
        (0.000123456, "0.0001235"),
        (123456.78, "123,457"),
        (None, "-"),
        (math.nan, "-"),
        (math.inf, "∞"),
    ],
)
def test_numbers_are_written_for_people(value: float | None, shown: str) -> None:
    assert format_number(value) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (2_370_789, "2.4 MB"),
        (99_960_000, "100 MB"),
        (1.5e18, "1500 PB"),
    ],
)
def test_sizes_are_written_for_people(size: float, shown: str) -> None:
    assert format_bytes(size) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (41.2, "41 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (180000, "2 d 2 h"),
    ],
)
def test_durations_are_written_for_people(seconds: float, shown: str) -> None:
    assert format_duration(seconds) == shown
