"""Sizes as users write them."""

import pytest

from puppylog.errors import UsageError
from puppylog.model.size import parse_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("512", 512), ("200MB", 200_000_000), ("1.5 gb", 1_500_000_000), ("2GiB", 2 << 30), ("10 TB", 10**13)],
)
def test_sizes_are_read_in_decimal_and_binary_units(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "10 pounds", "1.GB", "99999999TB"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="size"):
        parse_size(text)
