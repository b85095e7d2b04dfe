import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.words import (
    Bytes,
    are_capitals,
    find_byte,
    find_in_word,
    over_nine,
    parse_digits,
    view_words,
    word,
)


def padded(text: bytes) -> Bytes:
    return np.frombuffer(text + b"\0" * 8, np.uint8)


@given(st.binary(max_size=30))
def test_each_position_has_the_word_that_starts_there(text: bytes) -> None:
    words = view_words(padded(text))
    assert [int(word).to_bytes(8, "little") for word in words] == [
        (text + b"\0" * 8)[at : at + 8] for at in range(len(text) + 1)
    ]


@given(st.lists(st.binary(min_size=8, max_size=8), min_size=1), st.integers(0, 255))
def test_a_byte_is_found_in_a_word_as_bytes_find_it(texts: list[bytes], byte: int) -> None:
    words = np.frombuffer(b"".join(texts), "<u8")
    assert find_in_word(words, byte).tolist() == [(text + bytes([byte])).index(byte) for text in texts]


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.integers(0, 10)), min_size=1, max_size=20))
def test_a_byte_is_found_within_its_limits_however_far_it_is(texts: list[tuple[int, bool, int]]) -> None:
    text, since, until, expected = b"", [], [], []
    for distance, is_there, rest in texts:
        since.append(len(text))
        text += b"a" * distance + (b"" if is_there else b"a")
        expected.append(len(text))
        text += b" " * rest if is_there else b""
        until.append(len(text))
        text += b" " * (distance % 3)
    found = find_byte(padded(text), view_words(padded(text)), ord(" "), np.array(since), np.array(until))
    assert found.tolist() == expected


@given(st.lists(st.tuples(st.binary(min_size=8, max_size=8), st.integers(0, 99_999_999).map(str)), min_size=1))
def test_digits_at_the_end_of_a_word_become_a_number(pairs: list[tuple[bytes, str]]) -> None:
    texts = [(before + digits.encode())[-8:] for before, digits in pairs]
    sizes = np.array([len(digits) for _, digits in pairs])
    numbers, is_number = parse_digits(np.frombuffer(b"".join(texts), "<u8"), sizes)
    assert is_number.all()
    assert numbers.tolist() == [int(digits) for _, digits in pairs]


@given(st.lists(st.binary(min_size=8, max_size=8), min_size=1), st.integers(-1, 9))
def test_only_one_to_eight_ascii_digits_are_a_number(texts: list[bytes], size: int) -> None:
    _, is_number = parse_digits(np.frombuffer(b"".join(texts), "<u8"), np.full(len(texts), size))
    assert is_number.tolist() == [1 <= size <= 8 and text[8 - size :].isdigit() for text in texts]


@given(st.lists(st.binary(min_size=8, max_size=8), min_size=1))
def test_a_word_is_over_nine_when_one_of_its_bytes_is(texts: list[bytes]) -> None:
    over = over_nine(np.frombuffer(b"".join(texts), "<u8"))
    assert (over != 0).tolist() == [max(text) > 9 for text in texts]


@given(st.lists(st.one_of(st.binary(min_size=8, max_size=8), st.text("@AZ[a", min_size=8, max_size=8).map(str.encode))))
def test_capitals_are_from_a_to_z(texts: list[bytes]) -> None:
    words = np.frombuffer(b"".join(texts), "<u8")
    for size in range(9):
        expected = [size > 0 and all(ord("A") <= byte <= ord("Z") for byte in text[:size]) for text in texts]
        assert are_capitals(words, np.full(len(texts), size, np.uint8)).tolist() == expected


def test_a_word_is_written_as_text() -> None:
    assert word("HTTP/1.1") == np.frombuffer(b"HTTP/1.1", "<u8")[0]
    assert word("-") == ord("-")
