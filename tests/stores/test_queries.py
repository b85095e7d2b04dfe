import pytest

from puppylog.stores.queries import parameters_of, parse_queries

TEXT = """-- Reading.

-- name: first
-- What it answers.
SELECT $since, $until, $since;

-- name: second
SELECT 2
"""


def test_queries_are_found_by_name_with_their_description() -> None:
    queries = parse_queries(TEXT)
    assert queries == {"first": "-- What it answers.\nSELECT $since, $until, $since", "second": "SELECT 2"}


def test_two_queries_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two queries are named second"):
        parse_queries(TEXT + "\n-- name: second\nSELECT 3")


def test_the_parameters_of_a_query_are_its_dollar_names() -> None:
    assert parameters_of(parse_queries(TEXT)["first"]) == {"since", "until"}
