import pytest

from puppylog.errors import UsageError
from puppylog.formats.file.folder import list_files
from puppylog.formats.listed import LISTED
from puppylog.formats.registry import FORMAT_NAMES, find_format


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_format_is_found_by_its_name(name: str) -> None:
    assert find_format(name).name == name


def test_an_unknown_format_is_refused_with_a_list_of_formats() -> None:
    with pytest.raises(UsageError) as error:
        find_format("combind")
    names = ", ".join(("auto", *FORMAT_NAMES, *list_files()))
    assert error.value.message == f"cannot use format 'combind': it must be one of {names}"


def test_the_formats_are_listed_in_the_order_in_which_auto_tries_them() -> None:
    assert tuple(LISTED) == FORMAT_NAMES
