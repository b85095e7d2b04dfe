"""A format whose file is read when the first lines are read with it."""

from pathlib import Path

import pytest

from puppylog.formats.file.folder import FoundFile
from puppylog.formats.file.lazy import LazyFormat

PATTERN = "pattern = '^(?P<severity>INFO|ERROR) (?P<message>.*)$'"
LAYOUT = "log_format = '$remote_addr $status'"


@pytest.mark.parametrize(
    ("keys", "sample", "is_tried"),
    [
        (PATTERN, b"INFO started\n", True),
        (PATTERN, b"started\n", False),
        (f"{PATTERN}\nauto = false", b"INFO started\n", False),
        (f"begins = '^ER'\n{PATTERN}", b"INFO started\n", False),
        (LAYOUT, b"started\n", True),
        (f"{LAYOUT}\nauto = false", b"192.0.2.1 200\n", False),
        ("pattern = '('", b"INFO started\n", False),
    ],
)
def test_auto_tries_a_format_of_the_user_if_a_line_may_begin_a_record(
    keys: str, sample: bytes, is_tried: bool, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'name = "mine"\ntitle = "Mine"\n{keys}\n')
    assert LazyFormat("mine", FoundFile(file, is_own=True)).may_fit(sample) is is_tried
