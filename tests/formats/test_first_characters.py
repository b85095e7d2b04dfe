"""The characters with which a match of an expression may begin."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.file.first_characters import find_first_characters

PIECES = st.sampled_from(
    [
        "a",
        "b",
        "^",
        "(?:",
        ")",
        "|",
        "?",
        "*",
        "+",
        "{2}",
        "{0,1}",
        r"\d",
        r"\S",
        r"\[",
        "[ab1-3]",
        "[^a]",
        ".",
        "(?s)",
        "(?P<x>",
        r"\x{62}",
        r"\pL",
        "$",
        r"\b",
    ]
)


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("^abc", "a"),
        ("(?s)^a", "a"),
        (r"^\[?x", "[x"),
        ("^(?P<x>ab|c)d", "ac"),
        ("^(?:a|b)?c", "abc"),
        ("^a|^b", "ab"),
        ("^[a-c_]x", "abc_"),
        (r"^ *\d", " 0123456789"),
        (r"^(?:x{0,2}|y)z", None),
        ("abc", None),
        ("^a|b", None),
        ("^.a", None),
        (r"^\Sa", None),
        ("^[^a]b", None),
        ("(?i)^a", None),
        (r"^\Qa\E", None),
        (r"^a\S[^\]]*\pL\x{202f}(?:b|)$", "a"),
    ],
)
def test_the_first_characters_of_an_expression_are_found(regex: str, expected: str | None) -> None:
    found = find_first_characters(regex)
    assert (None if found is None else sorted(found)) == (None if expected is None else sorted(expected))


@given(st.lists(PIECES, max_size=8).map("".join), st.lists(st.text("ab12[ \n", min_size=1, max_size=4), max_size=5))
def test_no_text_that_matches_begins_with_another_character(regex: str, texts: list[str]) -> None:
    try:
        matches = pc.match_substring_regex(pa.array(texts, pa.string()), regex).to_pylist()
    except pa.ArrowInvalid:
        return
    found = find_first_characters(regex)
    assert found is None or all(text[0] in found for text, is_match in zip(texts, matches, strict=True) if is_match)
