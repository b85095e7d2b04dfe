"""The format ``auto`` with three candidates, whose lines begin with their letter, and a last resort for all lines."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.auto import Auto, AutoParser
from puppylog.formats.base import UTC, Format, find_kept, own_context
from puppylog.formats.line_format import LineFormat
from puppylog.formats.rows import Rows, RowsBuilder
from puppylog.model.record import Parsed


@dataclass(frozen=True)
class Letter:
    letter: bytes

    def __call__(self, text: bytes | memoryview) -> Rows:
        rows = RowsBuilder(bytes(text))
        at = 0
        for line in bytes(text).split(b"\n")[:-1]:
            if line.startswith(self.letter):
                rows.add(at, columns={"message": line.decode(), "severity": self.letter.decode() or "any"})
            else:
                rows.reject(at, "another letter")
            at += len(line) + 1
        return rows.build()


def letter_format(letter: str) -> Format:
    return LineFormat(letter or "any", Letter(letter.encode()), UTC)


AUTO = Auto([letter_format("a"), letter_format("b"), letter_format("c")], letter_format(""))


def read(parser: AutoParser, *chunks: str) -> list[str]:
    """Return the format that read each line, in the order of the lines; ``-`` for a rejected line."""
    rows: dict[int, str] = {}
    offset = 0
    for chunk in chunks:
        data = "".join(f"{letter}\n" for letter in chunk).encode()
        parsed = parser.parse(data, offset, 0)
        offset += len(data)
        rows |= readers(parsed)
    return [rows[at] for at in sorted(rows)]


def readers(parsed: Parsed) -> dict[int, str]:
    offsets = parsed.records["line_offset"].to_pylist()
    fits = dict(zip(offsets, parsed.records["severity"].to_pylist(), strict=True))
    return fits | dict.fromkeys(parsed.rejects["line_offset"].to_pylist(), "-")


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (["aaa"], "a a a"),
        (["bbxb"], "b b - b"),
        (["xab"], "any any any"),
        (["aaaa", "b", "aaa"], "a a a a - a a a"),
        (["aaaaaaaa" + "bbbbbbbb"], "a a a a a a a a b b b b b b b b"),
        (["aaaaaaaa", "bbbbbbbb"], "a a a a a a a a b b b b b b b b"),
        (["aaaaaaaa", *"bbbbbb"], "a a a a a a a a - - - - b b"),
        (["aaaaaaaa", "xxxxxxxxx", "a"], "a a a a a a a a - - - - - - - - - a"),
        (["aaaaaaaa" + "bbbbbb" + "aaaaaa" + "cccccc"], "a a a a a a a a b b b b b b a a a a a a c c c c c c"),
        (["x", "b", "b"], "any b b"),
        (["xy" * 20, "b", "b"], "any " * 40 + "any any"),
        (["xy" * 20, "bbbbbb"], "any " * 40 + "b b b b b b"),
    ],
)
def test_which_format_reads_which_lines(chunks: list[str], expected: str) -> None:
    assert read(AUTO.open(), *chunks) == expected.split()


def test_no_format_is_chosen_before_the_first_line() -> None:
    parser = AUTO.open()
    assert read(parser, "") == []
    assert (parser.name, parser.context) == ("", "")


def test_the_context_holds_the_chosen_format() -> None:
    first = AUTO.open()
    read(first, "bbbbbbbb")
    assert first.name == "b"
    again = AUTO.open(first.context)
    assert again.name == "b"
    assert read(again, "aaa") == ["-"] * 3


def test_a_context_that_is_not_understood_counts_as_none() -> None:
    assert read(AUTO.open("zz\n"), "aa") == ["a", "a"]


@given(st.text("abcx", max_size=60), st.data())
def test_no_line_is_lost_however_often_the_format_changes(letters: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(letters)), max_size=4)))
    chunks = [letters[start:end] for start, end in zip([0, *cuts], [*cuts, len(letters)], strict=True)]
    assert len(read(AUTO.open(), *chunks)) == len(letters)


def test_the_last_resort_tries_other_formats_seldom_and_still_notices_a_change() -> None:
    trials = 0

    @dataclass(frozen=True)
    class Counted:
        letter: Letter

        def __call__(self, text: bytes | memoryview) -> Rows:
            nonlocal trials
            trials += 1
            return self.letter(text)

    counted = LineFormat("a", Counted(Letter(b"a")), UTC)
    parser = Auto([counted], letter_format("")).open()
    chunks = ["x" * 20, *["x"] * 2100, *["a" * 5] * 205]

    assert set(read(parser, *chunks[:2101])) == {"any"}
    assert trials < 50
    assert read(parser, *chunks[2101:])[-1] == "a"


def test_a_change_in_many_lines_is_noticed_at_once() -> None:
    parser = AUTO.open()

    assert set(read(parser, "x" * 20, *["x"] * 2000)) == {"any"}
    assert set(read(parser, "a" * 1024)) == {"a"}


def test_a_format_that_the_user_has_chosen_for_the_stream_is_kept() -> None:
    parser = AUTO.open("=a\n")
    assert read(parser, "a", "bbbbbbbbbb" * 4, "a") == ["a", *"-" * 40, "a"]
    assert parser.context.startswith("=a\n")
    assert find_kept(["b\n", parser.context, ""]) == "=a\n"
    assert find_kept([parser.context, "b\n"]) == ""


def test_a_collector_with_a_format_of_its_own_reads_the_context_of_a_kept_format() -> None:
    assert own_context(letter_format("a"), "=a\nthe rest") == "the rest"
    assert own_context(letter_format("b"), "=a\nthe rest") == ""
    assert own_context(AUTO, "=a\nthe rest") == "=a\nthe rest"
