"""Expressions that match regular expressions."""

import pytest

from puppylog.errors import ExpressionError
from puppylog.model.expression import parse_filter, parse_search, render
from support.memory import MemoryReader


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("regexp_like(host, '^a{2}')", "REGEXP_LIKE(host, '^a{2}')"),
        (r"any_regexp_like('(?i)it''s \d')", r"ANY_REGEXP_LIKE('(?i)it''s \d')"),
        ("not regexp_like(lower(message), 'x')", "NOT REGEXP_LIKE(LOWER(message), 'x')"),
    ],
)
def test_a_filter_may_match_regular_expressions(text: str, canonical: str) -> None:
    assert parse_filter(text) == canonical
    assert parse_filter(canonical) == canonical


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("regexp_like(host, ident)", "a regular expression must be a string literal (at column 19: ident)"),
        ("regexp_like(host, '[a')", "in the regular expression, a bracket is not closed (at column 19: '[a')"),
        ("regexp_like(ts, 'a')", "text is needed here, but this is timestamptz; cast it (at column 13: ts)"),
        ("reason = 'a'", "there is no such column; the nearest known one is response_bytes (at column 1: reason)"),
        (
            "source_like('a')",
            "source_like is for searches only; a metric can be limited to a group (at column 1: source_like('a'))",
        ),
    ],
)
def test_a_filter_that_cannot_match_is_refused_with_its_place(text: str, cause: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse_filter(text)
    assert refusal.value.cause == cause


def test_a_search_may_look_at_where_a_record_is_from() -> None:
    assert parse_search("source_like('a') or file_like('b') or group_like('c')")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("deep", True), (r"b\d", True), ("é", True), ('say "hi"', True), ("KEY", False), ("^7$", False), (r"a\\b", True)],
)
def test_texts_are_found_in_attributes_at_any_depth(pattern: str, found: bool) -> None:
    with MemoryReader() as reader:
        attributes = r'{"key": 7, "a": {"b": ["deep", {"c": "b1"}]}, "e": "\u00e9", "q": "say \"hi\"", "p": "a\\b"}'
        reader.insert("log_records", attributes=attributes)
        condition = render(parse_search(f"any_regexp_like('{pattern}')"), "duckdb")
        [row] = reader.query(f"SELECT coalesce({condition}, false) AS found FROM puppylog.log_records").to_pylist()
    assert row["found"] is found


@pytest.mark.parametrize(
    ("pattern", "message", "found"),
    [
        ("(?i)100%_done", "now 100%_DONE", True),
        ("(?i)100%_done", "now 100xydone", False),
        ("(?i)kelvin", "273 \u212aelvin", True),
        ("(?i)no space", "NO SPACE left", True),
        ("no space", "NO SPACE left", False),
    ],
)
def test_a_word_that_the_pattern_needs_is_looked_for_first(pattern: str, message: str, found: bool) -> None:
    with MemoryReader() as reader:
        reader.insert("log_records", message=message)
        condition = render(parse_search(f"regexp_like(message, '{pattern}')"), "duckdb")
        [row] = reader.query(f"SELECT {condition} AS found FROM puppylog.log_records").to_pylist()
    assert row["found"] is found
