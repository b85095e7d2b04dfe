import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import UsageError
from puppylog.model.period import MAX_PERIOD_S, format_period, parse_period


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("10s", 10), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1w", 604800), (" 7 d ", 604800), ("007s", 7)],
)
def test_a_length_of_time_is_read_in_seconds(text: str, seconds: int) -> None:
    assert parse_period(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-5s", "1.5h", "5 minutes", "1h30m", "5M", "٣s", "1e3", "s5", "10\n0"])
def test_a_text_that_is_not_a_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"cannot read window {re.escape(repr(text))}: write seconds, or a number"):
        parse_period(text, "window")


def test_zero_is_refused_unless_it_is_allowed() -> None:
    with pytest.raises(UsageError, match=r"^cannot use period '0': it must be at least 1s$"):
        parse_period("0")
    assert parse_period("0", min_s=0) == 0


def test_a_length_of_time_beyond_32_bits_is_refused() -> None:
    assert parse_period(str(MAX_PERIOD_S)) == MAX_PERIOD_S < 2**31
    with pytest.raises(UsageError, match=r"^cannot use period '9999w': it must be at most 24855d$"):
        parse_period("9999w")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (1, "1s"), (90, "90s"), (120, "2m"), (5400, "90m"), (86400, "1d"), (1209600, "2w")]
)
def test_a_length_of_time_is_written_in_the_largest_unit_that_divides_it(seconds: int, text: str) -> None:
    assert format_period(seconds) == text


@given(st.integers(0, MAX_PERIOD_S))
def test_a_formatted_length_of_time_is_parsed_to_the_same_seconds(seconds: int) -> None:
    assert parse_period(format_period(seconds), min_s=0) == seconds
