"""The cheap checks whether a text may match an expression."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.test_first_characters import PIECES
from puppylog.formats.file.beginnings import Head, find_beginning


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        (r"^\d{4}-\d\d .*", r"^\d{4}-\d\d "),
        (r"^(?P<time>[A-Z][a-z]{2}|\d\d) (?P<message>.*)$", r"^(?P<time>[A-Z][a-z]{2}|\d\d) "),
        (r"^ab?", r"^ab?"),
        (r"^[a-z]+ [a-z]+", r"^[a-z]+ "),
        (r"^(?:a|b){2}c?d\pL", r"^(?:a|b){2}c?d"),
        ("^(a+)+b", None),
        ("^a.*|b", None),
        ("^a|^b.*", None),
        ("a", None),
        ("(?i)^a", None),
        (r"^a\Qb|c\E", None),
        ("^[a&&b]x", None),
    ],
)
def test_the_beginning_of_an_expression_ends_before_the_first_part_that_may_be_slow(
    regex: str, expected: str | None
) -> None:
    assert find_beginning(regex) == expected


@given(st.lists(PIECES, max_size=8).map("".join), st.lists(st.text("ab12[ \n", min_size=1, max_size=4), max_size=5))
def test_no_text_that_matches_is_refused(regex: str, texts: list[str]) -> None:
    try:
        matches = pc.match_substring_regex(pa.array(texts, pa.string()), f"^{regex}").to_pylist()
    except pa.ArrowInvalid:
        return
    head = Head.of(f"^{regex}")
    assert all(head.may_match([text]) for text, is_match in zip(texts, matches, strict=True) if is_match)
