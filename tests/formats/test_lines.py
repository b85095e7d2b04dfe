import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.integers import view_integers
from puppylog.formats.lines import Lines, is_utf8, slice_bytes

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


@given(st.binary() | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode))
def test_bytes_are_utf8_if_python_decodes_them(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not is_utf8(data)
    else:
        assert is_utf8(memoryview(data))


@pytest.mark.parametrize("data", [b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"])
def test_encoded_surrogates_and_invalid_sequences_are_not_utf8(data: bytes) -> None:
    assert not is_utf8(data)


def test_integers_are_viewed_without_a_copy_from_the_first_value_of_a_slice() -> None:
    column = pa.array([3, 1, 4, 1, 5], pa.int64())
    assert view_integers(column[1:4]).tolist() == [1, 4, 1]
    assert view_integers(pa.array([], pa.int64())).tolist() == []
    assert view_integers(pa.nulls(0, pa.int64())).tolist() == []
