"""Lines that do not begin a record are joined to the record before, by the builder in C and by the one in Python."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.paths import PATHS, reading
from puppylog.formats.calendar import Calendar
from puppylog.formats.rows import MAX_RECORD_BYTES, MAX_RECORD_LINES, Rows
from puppylog.formats.syslog.syslog import read_syslog

HEAD = b"Nov 24 10:00:00 h app: "
REJECT = b"<999>x"


def read(text: bytes, path: str, *, joins: bool = True) -> Rows:
    with reading(path):
        return read_syslog(text, Calendar(2026, 11), joins=joins)


def messages(rows: Rows) -> list[str | None]:
    return rows.columns["message"].to_pylist()


def rejected(rows: Rows, text: bytes) -> list[bytes]:
    bounds = zip(rows.rejected_starts.to_pylist(), rows.rejected_ends.to_pylist(), strict=True)
    return [text[start:end] for start, end in bounds]


def counts(rows: Rows) -> tuple[int, int, int]:
    return rows.continued, rows.orphans, rows.rowless


@pytest.mark.parametrize("path", PATHS)
class TestContinuationLines:
    def test_they_extend_the_message_before(self, path: str) -> None:
        rows = read(HEAD + b"one\n at x\r\nat y\n" + HEAD + b"two\n", path)
        assert messages(rows) == ["one\n at x\nat y", "two"]
        assert counts(rows) == (2, 0, 0)

    def test_they_become_the_message_of_a_record_without_one(self, path: str) -> None:
        assert messages(read(HEAD + b"\n\nmore\nand more\n", path)) == ["more\nand more"]

    def test_they_extend_a_rejected_line_that_was_later(self, path: str) -> None:
        text = HEAD + b"one\n" + REJECT + b"\r\n\n at x\r\n" + HEAD + b"two\n"
        rows = read(text, path)
        assert rejected(rows, text) == [REJECT + b"\r\n\n at x\r"]
        assert messages(rows) == ["one", "two"]
        assert counts(rows) == (2, 0, 0)

    def test_blank_lines_between_them_are_kept_and_others_are_counted(self, path: str) -> None:
        rows = read(b"\n" + HEAD + b"one\n\n \t\n at x\n\n\n" + HEAD + b"two\n\n", path)
        assert messages(rows) == ["one\n\n\n at x", "two"]
        assert counts(rows) == (3, 0, 4)

    def test_a_text_that_begins_with_one_has_a_record_of_its_own(self, path: str) -> None:
        rows = read(b" at x\n at y\n" + HEAD + b"one\n", path)
        assert messages(rows) == [" at x\n at y", "one"]
        assert counts(rows) == (1, 1, 0)

    def test_a_record_with_the_most_lines_ends(self, path: str) -> None:
        rows = read(HEAD + b"one\n" + b"x\n" * (2 * MAX_RECORD_LINES), path)
        assert [message.count("\n") + 1 for message in messages(rows) if message] == [1000, 1000, 1]
        assert counts(rows) == (2 * MAX_RECORD_LINES - 2, 2, 0)

    def test_a_record_with_the_most_bytes_ends(self, path: str) -> None:
        line = b"x" * (MAX_RECORD_BYTES // 4 - 1) + b"\n"
        rows = read(HEAD + b"one\n" + line * 8, path)
        assert [message.count("x") // (len(line) - 1) for message in messages(rows) if message] == [4, 4]
        assert counts(rows) == (7, 1, 0)

    def test_a_rejected_line_with_the_most_lines_ends(self, path: str) -> None:
        text = REJECT + b"\n" + b"x\n" * MAX_RECORD_LINES
        rows = read(text, path)
        assert [line.count(b"\n") + 1 for line in rejected(rows, text)] == [MAX_RECORD_LINES]
        assert messages(rows) == ["x"]

    def test_long_runs_of_them_are_listed(self, path: str) -> None:
        long, short = b" at x\n\n" * 5, b" at x\n" * 4
        text = HEAD + b"one\n" + long + HEAD + b"two\n" + short + REJECT + b"\n" + long
        assert read(text, path).joined_runs == [(len(HEAD) + 4, 5), (text.rindex(long), 5)]
        assert len(read((HEAD + b"one\n" + long) * 20, path).joined_runs) == 16

    def test_without_joining_they_are_rejected(self, path: str) -> None:
        rows = read(HEAD + b"one\n at x\n\n", path, joins=False)
        assert rows.reasons.to_pylist() == ["no priority and no time at the start"]
        assert counts(rows) == (0, 0, 1)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([HEAD + b"one", HEAD, HEAD + "\u00e9".encode(), REJECT, b" at x", b"x", b"", b" ", b"\r"]))
)
def test_both_builders_give_the_same_rows(lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    native, python = (read(text, path) for path in ("native", "python"))
    assert messages(native) == messages(python)
    assert native.starts.equals(python.starts)
    assert rejected(native, text) == rejected(python, text)
    assert (counts(native), list(native.joined_runs)) == (counts(python), list(python.joined_runs))


def test_each_line_is_a_row_or_joined_or_rowless() -> None:
    for lines in product([HEAD + b"one", REJECT, b"x", b""], repeat=5):
        text = b"".join(line + b"\n" for line in lines)
        rows = read(text, "native")
        assert len(rows.starts) + len(rows.rejected_starts) + rows.continued + rows.rowless == len(lines)
