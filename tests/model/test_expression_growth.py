"""The limit on how much `replace` may lengthen a text, in one call and in nested calls."""

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
def test_replacements_that_lengthen_a_text_too_much_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="more than 100 times as long"):
        parse_segment(text)


def test_replacements_that_lengthen_a_text_within_the_limit_are_allowed() -> None:
    assert parse_segment("replace(replace(replace(host, 'a', 'bb'), 'c', ''), 'd', 'ee')")


def test_a_replacement_must_be_a_literal() -> None:
    with pytest.raises(ExpressionError, match="literal text"):
        parse_segment("replace(host, 'a', message)")
