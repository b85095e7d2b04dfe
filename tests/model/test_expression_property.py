"""The properties of metrics: names of attributes, and attributes that are numbers."""

import pytest

from puppylog.errors import ExpressionError
from puppylog.model.expression import find_names, parse_filter, parse_value

ATTRIBUTES = {"duration_ms": "12", "http.code": "500", "reason": "x", "Time Taken": "4"}


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("response_bytes", "response_bytes"),
        ("duration_ms", "CAST(attributes ->> 'duration_ms' AS DOUBLE PRECISION)"),
        ("duration_ms / 1000", "CAST(attributes ->> 'duration_ms' AS DOUBLE PRECISION) / 1000"),
        ("attributes.a.b * 2", "CAST(attributes -> 'a' ->> 'b' AS DOUBLE PRECISION) * 2"),
        ("-duration_ms", "-CAST(attributes ->> 'duration_ms' AS DOUBLE PRECISION)"),
        ("duration_ms % 7", "CAST(attributes ->> 'duration_ms' AS BIGINT) % 7"),
        ("abs(duration_ms)", "ABS(CAST(attributes ->> 'duration_ms' AS DOUBLE PRECISION))"),
        ("round(duration_ms)", "ROUND(CAST(attributes ->> 'duration_ms' AS DOUBLE PRECISION))"),
        ('"Time Taken"', "CAST(attributes ->> 'Time Taken' AS DOUBLE PRECISION)"),
        ("reason", "CAST(attributes ->> 'reason' AS DOUBLE PRECISION)"),
        (
            "http.code",
            "CAST(COALESCE(attributes ->> 'http.code', attributes -> 'http' ->> 'code') AS DOUBLE PRECISION)",
        ),
        ("length(host)", "LENGTH(host)"),
    ],
)
def test_an_attribute_becomes_a_number_without_a_cast(text: str, canonical: str) -> None:
    assert parse_value(text, is_number=True, attributes=ATTRIBUTES) == canonical
    assert parse_value(canonical, is_number=True) == canonical


def test_a_property_of_which_no_number_is_needed_stays_text() -> None:
    assert parse_value("duration_ms", is_number=False, attributes=ATTRIBUTES) == "attributes ->> 'duration_ms'"
    assert parse_value("lower(host)", is_number=False) == "LOWER(host)"


@pytest.mark.parametrize(
    ("text", "cause", "at"),
    [
        ("1 + durtion_ms", "there is no column and no attribute 'durtion_ms'; the nearest is duration_ms", 4),
        ("duration_ms + host", "double precision is needed here, but this is text", 14),
        ("lower(duration_ms, 3)", "lower takes 1 argument, not 2", 0),
        ("host", "this statistic is taken of numbers, but this is text", 0),
        ("status_code > 5", "this statistic is taken of numbers, but this is boolean", 0),
        ("1 +", "it ends too early, after this", 2),
        ("line + 1", "there is no column and no attribute 'line'", 0),
    ],
)
def test_what_is_no_number_is_refused_at_its_place(text: str, cause: str, at: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_value(text, is_number=True, attributes=ATTRIBUTES)
    assert caught.value.cause.startswith(cause)
    assert (caught.value.written, caught.value.at) == (text, at)


def test_only_names_that_are_no_columns_are_looked_for_in_the_store() -> None:
    assert find_names("duration_ms / response_bytes + http.code * duration_ms - attributes.x") == [
        "duration_ms",
        "http.code",
    ]
    assert find_names("1 + (") == []


def test_a_filter_may_compute_with_an_attribute_but_names_it_in_full() -> None:
    assert parse_filter("attributes.x / 2 > 5") == "CAST(attributes ->> 'x' AS DOUBLE PRECISION) / 2 > 5"
    with pytest.raises(ExpressionError, match="there is no such column"):
        parse_filter("duration_ms / 2 > 5")
