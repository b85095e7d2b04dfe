"""How long `replace` may make a text, alone and nested."""

import pytest

from puppylog.errors import ExpressionError
from puppylog.model.expression import parse_segment


@pytest.mark.parametrize(
    "text",
    [
        f"replace(host, 'a', '{'b' * 101}')",
        f"replace(replace(host, 'a', '{'b' * 11}'), 'b', '{'c' * 10}')",
        f"upper(replace(lower(replace(host, 'ab', '{'b' * 22}')), 'b', '{'c' * 10}'))",
        "replace(replace(replace(host, 'a', 'aaaaaaaaaa'), 'a', 'aaaaaaaaaa'), 'a', 'aaaaaaaaaa')",
    ],
)
def test_a_text_that_replacements_make_too_long_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="more than 100 times as long"):
        parse_segment(text)


def test_replacements_that_keep_a_text_in_bounds_are_allowed() -> None:
    assert parse_segment("replace(replace(replace(host, 'a', 'bb'), 'c', ''), 'd', 'ee')")


def test_the_length_of_a_replacement_must_be_known() -> None:
    with pytest.raises(ExpressionError, match="literal text"):
        parse_segment("replace(host, 'a', message)")
