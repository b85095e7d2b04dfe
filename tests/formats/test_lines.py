from collections.abc import Callable
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.integers import view_integers
from puppylog.formats.lines import Lines, check_utf8, slice_bytes
from puppylog.formats.plain import read_plain

lines_of_bytes = st.lists(st.binary(max_size=8).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=40)
texts = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=8)


@given(lines_of_bytes)
def test_a_text_is_split_at_its_newlines(lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    found = Lines.split(memoryview(text), pa.binary())
    assert found.texts.to_pylist() == lines
    bounds = zip(found.starts.to_pylist(), found.newlines.to_pylist(), strict=True)
    assert [text[start : newline + 1] for start, newline in bounds] == [line + b"\n" for line in lines]


@given(st.lists(texts, min_size=1))
def test_a_text_of_utf8_is_split_into_strings(lines: list[str]) -> None:
    found = Lines.split("".join(f"{line}\n" for line in lines).encode(), pa.string())
    assert found.texts.type == pa.string()
    assert found.texts.to_pylist() == lines


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=3)), max_size=40), st.integers(0, 3))
def test_slices_are_taken_between_gaps(parts: list[tuple[bytes, bytes]], skipped: int) -> None:
    text, starts, ends = b"", [], []
    for part, gap in parts:
        starts.append(len(text))
        text += part
        ends.append(len(text))
        text += gap
    # An array that is a slice of another array does not begin at the start of its buffer.
    taken = slice_bytes(text, pa.array(starts, pa.int64())[skipped:], pa.array(ends, pa.int64())[skipped:])
    taken.validate(full=True)
    assert taken.type == pa.binary()
    assert taken.to_pylist() == [part for part, _ in parts][skipped:]


def is_accepted(check: Callable[[bytes], object], data: bytes) -> bool:
    try:
        check(data)
    except UnicodeError:
        return False
    return True


def read_lines(data: bytes) -> None:
    """Check the bytes by a reader, in C if there was a compiler."""
    read_plain(data + b"\n")


@pytest.mark.parametrize("check", [check_utf8, read_lines])
@given(data=st.binary() | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode))
def test_bytes_are_utf8_if_python_decodes_them(check: Callable[[bytes], object], data: bytes) -> None:
    assert is_accepted(check, data) == is_accepted(bytes.decode, data)


@pytest.mark.parametrize("check", [check_utf8, read_lines])
def test_every_sequence_of_three_bytes_is_utf8_if_python_decodes_it(check: Callable[[bytes], object]) -> None:
    edges = bytes.fromhex("00 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff")
    for sequence in product(edges, repeat=3):
        for data in (bytes(sequence), bytes([*sequence, 0x80])):
            assert is_accepted(check, data) == is_accepted(bytes.decode, data), data


def test_integers_are_viewed_without_a_copy_from_the_first_value_of_a_slice() -> None:
    column = pa.array([3, 1, 4, 1, 5], pa.int64())
    assert view_integers(column[1:4]).tolist() == [1, 4, 1]
    assert view_integers(pa.array([], pa.int64())).tolist() == []
    assert view_integers(pa.nulls(0, pa.int64())).tolist() == []
