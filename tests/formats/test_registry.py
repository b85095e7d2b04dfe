import pytest

from puppylog.errors import UsageError
from puppylog.formats.listed_formats import LISTED
from puppylog.formats.registry import FORMAT_NAMES, find_format


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_format_is_found_by_its_name(name: str) -> None:
    assert find_format(name).name == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [("combind", " (did you mean 'combined'?)"), ("Xq", ""), ("pgbuncer", " (did you mean 'pgbouncer'?)")],
)
def test_an_unknown_format_is_refused_with_the_names_that_are_like_it(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        find_format(name)
    advice = "'puppylog formats' lists them"
    assert error.value.message == f"cannot use format {name!r}: there is no such format{hint}; {advice}"


def test_the_formats_are_listed_in_the_order_in_which_auto_tries_them() -> None:
    assert tuple(LISTED) == FORMAT_NAMES
