"""What is written to a stream whose encoding is small, and to a pipe that nobody reads any more."""

import io
import os
import sys
import time

import pytest

from puppylog.cli.standard_streams import never_fail_to_encode, sleep_while_read


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", rb"##- |-+ \xe9# \u20ac 5. \U0001f600"),
        ("latin-1", b"##- |-+ \xe9# \\u20ac 5. \\U0001f600"),
        ("utf-8", "█▄▎ │─└ é█ € 5… 😀".encode()),
    ],
)
def test_charts_are_drawn_with_the_characters_of_the_terminal(encoding: str, written: bytes) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    never_fail_to_encode(stream)
    stream.write("█▄▎ │─└ é█ € 5… 😀")
    stream.flush()
    assert raw.getvalue() == written


def test_a_pause_ends_as_soon_as_nobody_reads_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        sleep_while_read(0.01)
        os.close(reader)
        started = time.monotonic()
        with pytest.raises(BrokenPipeError):
            sleep_while_read(30)
        assert time.monotonic() - started < 10


def test_a_pause_works_with_a_file_as_output(monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]) -> None:
    with open(os.path.join(tmp_path, "out"), "w", encoding="utf-8") as output:  # noqa: PTH118, PTH123 - plain enough
        monkeypatch.setattr(sys, "stdout", output)
        started = time.monotonic()
        sleep_while_read(0.05)
        assert time.monotonic() - started >= 0.04
