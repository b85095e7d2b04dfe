import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import UsageError
from puppylog.model.identifier import MAX_LENGTH, parse_identifier


@pytest.mark.parametrize("text", ["a", "_", "total_traffic", "p99_2", "select", "a" * MAX_LENGTH])
def test_lower_case_words_are_valid_names(text: str) -> None:
    assert parse_identifier(text, "metric") == text


@pytest.mark.parametrize(
    "text", ["", "1a", "A", "a-b", "a b", "a.b", "a\n", "é", "a;drop", 'a"', "a$", "٣", " a", "total__traffic\0"]
)
def test_an_invalid_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"^cannot name metric {re.escape(repr(text))}: a name has lower-case letters"):
        parse_identifier(text, "metric")


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a name has at most 48 characters$"):
        parse_identifier("a" * (MAX_LENGTH + 1), "alert")


@given(st.text(max_size=60))
def test_a_valid_name_needs_no_quotes_in_sql(text: str) -> None:
    try:
        name = parse_identifier(text, "group")
    except UsageError:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert not name[0].isdigit()
    assert len(name) <= MAX_LENGTH
