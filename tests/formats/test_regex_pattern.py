"""Which expressions are accepted, and why the others are refused."""

import pytest

from puppylog.errors import UsageError
from puppylog.formats.regex.pattern import is_pattern, parse_pattern
from puppylog.formats.registry import find_format


@pytest.mark.parametrize(
    ("written", "regex", "names"),
    [
        ("(?P<a>x)", "(?P<a>x)", ("a",)),
        ("(?<a>x)", "(?P<a>x)", ("a",)),
        ("(x|(?P<a>y))(z)", "(?:x|(?P<a>y))(?:z)", ("a",)),
        (r"\((?P<a>x)[(]\\(y)", r"\((?P<a>x)[(]\\(?:y)", ("a",)),
        (r"[](][^](][\](](?P<a>x)", r"[](][^](][\](](?P<a>x)", ("a",)),
        (r"\Q(\E(?P<a>x)\Q(", r"\Q(\E(?P<a>x)\Q(", ("a",)),
        ("(?i)(?P<b>x)(?:y)(?P<a>z)", "(?i)(?P<b>x)(?:y)(?P<a>z)", ("b", "a")),
    ],
)
def test_groups_without_a_name_do_not_capture(written: str, regex: str, names: tuple[str, ...]) -> None:
    pattern = parse_pattern(written)
    assert (pattern.regex, pattern.names) == (regex, names)


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ("(?P<a>x", "missing ): (?P<a>x, at character 1"),
        ("x(?P<a>[y)", "missing ]: [y), at character 8"),
        ("(?P<a>x)(?P<a>y)", "two groups have the name 'a', at character 9"),
        ("(?P<a>x)(?P<b>y)(?<a>z)", "two groups have the name 'a', at character 17"),
        ("(?P<a>x)(?<=y)", "invalid perl operator: (?<=, at character 9"),
        (r"(?P<a>x)\1", r"invalid escape sequence: \1, at character 9"),
        (r"(?P<a>\C)", r"\C would cut characters into bytes, at character 7"),
        ("(?P<a-b>x)", "invalid named capture group: (?P<a-b>, at character 1"),
        (r"\(?P<a", "it has no group with a name, such as (?P<host>[^ ]+)"),
    ],
)
def test_an_invalid_expression_is_refused_with_cause_and_position(written: str, cause: str) -> None:
    with pytest.raises(UsageError) as error:
        find_format(written)
    assert error.value.message == f"cannot use pattern {written!r}: {cause}"


@pytest.mark.parametrize("written", ["access", "auto", '$remote_addr "$request"', "%h %l", "(x)"])
def test_a_text_without_a_named_group_is_no_expression(written: str) -> None:
    assert not is_pattern(written)
