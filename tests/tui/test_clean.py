import json
import sys
import unicodedata

import pytest
import wcwidth
from hypothesis import given
from hypothesis import strategies as st

from puppylog.tui.clean import clean, clean_json, cut, cut_start, is_narrow, width_of

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain", "plain"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("GET /\r\nHost", r"GET /\r\nHost"),
        ("a\tb", r"a\tb"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("pass\u200bword", r"pass\u200bword"),
        ("one\u2028two", r"one\u2028two"),
        ("\udc80", r"\x80"),  # a byte of a file's name that is not UTF-8
        ("\udcff", r"\xff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("Zoë 日本 e\u0301", "Zoë 日本 e\u0301"),
    ],
)
def test_a_character_that_a_terminal_obeys_is_shown_as_an_escape(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


@given(ANY_TEXT)
def test_cleaned_text_has_no_character_that_a_terminal_obeys(text: str) -> None:
    assert not {unicodedata.category(char) for char in clean(text)} & OBEYED


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.recursive(st.none() | st.booleans() | st.floats(allow_nan=False) | ANY_TEXT, st.lists))
def test_clean_json_has_the_same_value_and_no_character_that_a_terminal_obeys(value: object) -> None:
    document = clean_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert not {unicodedata.category(char) for char in document} & OBEYED


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("a\uff21", 3), ("👍🏽", 2), ("é…█", 3)]
)
def test_width_is_counted_in_cells(text: str, width: int) -> None:
    assert width_of(text) == width


def test_each_character_that_is_narrow_takes_one_cell() -> None:
    narrow = [chr(code) for code in range(sys.maxunicode + 1) if is_narrow(chr(code))]
    assert len(narrow) > 700
    assert [char for char in narrow if wcwidth.wcwidth(char) != 1] == []


@given(st.text(st.characters(codec=None)).map(clean), st.integers(0, 20))
def test_the_kept_end_of_a_text_is_never_wider_than_asked(text: str, width: int) -> None:
    assert width_of(cut_start(text, width)) <= width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_text_is_cut_with_an_ellipsis(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(st.text(st.characters(codec=None)).map(clean), st.integers(0, 20))
def test_cut_text_is_never_wider_than_asked(text: str, width: int) -> None:
    assert width_of(cut(text, width)) <= width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("/var/log/a.log", 14, "/var/log/a.log"),
        ("/var/log/a.log", 8, "…g/a.log"),
        ("/var/log/日本", 5, "…日本"),
        ("/var/log/日本", 4, "…本"),
        ("/var/log/e\u0301x", 3, "…e\u0301x"),
        ("/var/log/e\u0301x", 2, "…x"),
        ("/var", 1, "…"),
        ("/var", 0, ""),
    ],
)
def test_text_is_cut_at_its_start(text: str, width: int, shown: str) -> None:
    assert cut_start(text, width) == shown
