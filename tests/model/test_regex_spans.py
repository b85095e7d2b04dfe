import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.regex import parse_regex
from puppylog.model.regex.spans import SpanFinder

# Parts for which Python's greedy choice is the longest one, so that both find the same spans.
PARTS = st.sampled_from(
    ["a", "b", "[ab]", "[^a]", ".", r"\w", r"\b", r"\B", "^", "$", r"\s", "a{2,3}", "b?", "c*", "a+"]
)


@given(st.lists(PARTS, min_size=1, max_size=4).map("".join), st.text("abc \n-", max_size=20))
def test_the_first_span_begins_where_pythons_begins_and_is_not_shorter(pattern: str, text: str) -> None:
    found = SpanFinder(parse_regex(pattern)).find(text)
    expected = [match.span() for match in re.finditer(pattern.replace("$", r"\Z"), text, re.ASCII) if match[0]]
    assert bool(found) == bool(expected)
    if expected:
        assert found[0][0] == expected[0][0]
        assert found[0][1] >= expected[0][1]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a|ab|abc", "xabcx", ["abc"]),
        ("(?i)ERR(or)?", "error err", ["error", "err"]),
        (r"\d+", "a1b23", ["1", "23"]),
        ("(?m)^x", "x\nx", ["x", "x"]),
        ("x*", "", []),
        ("x*", "axx", ["xx"]),
        ("(a|b)*c", "ababc c", ["ababc", "c"]),
        ("[^\\x01-\\x{10ffff}]", "abc", []),
        ("(?:)", "abc", []),
    ],
)
def test_the_longest_match_is_found_from_left_to_right(pattern: str, text: str, found: list[str]) -> None:
    finder = SpanFinder(parse_regex(pattern))
    assert [text[start:end] for start, end in finder.find(text)] == found


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+$b", "a*a*a*a*a*b", "(x+x+)+y", "(.*)(.*)(.*)[0-9]!"])
def test_a_hostile_line_takes_a_limited_number_of_steps(pattern: str) -> None:
    finder = SpanFinder(parse_regex(pattern))
    text = "ax" * 5000
    finder.find(text)
    assert finder.steps_taken <= 17 * len(text) + 2000


def test_many_different_characters_do_not_fill_the_memory() -> None:
    finder = SpanFinder(parse_regex("a.b"))
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 5000)))
    for _ in range(3):
        assert finder.find(f"{text}a世b") == [(5000, 5003)]
    assert finder.kept_steps <= 20_000
