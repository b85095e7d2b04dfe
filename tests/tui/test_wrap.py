import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.tui.clean import clean, width_of
from puppylog.tui.wrap import cut_at_word, cut_path, longest_word, wrap

TEXTS = st.text(st.sampled_from("abc /?日\u0301é-…")).map(clean) | st.text(st.characters(codec=None)).map(clean)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("no space left", 20, ["no space left"]),
        ("no space left on device", 12, ["no space", "left on", "device"]),
        ("at 2015-05-17T10:05", 12, ["at 2015-05-", "17T10:05"]),
        ("/blog/2026/how-we-measure-latency", 28, ["/blog/2026/how-we-measure-", "latency"]),
        ("a/wordwithoutanend", 12, ["a/wordwithou", "tanend"]),
        ("seen 2015-05-17", 12, ["seen", "2015-05-17"]),
        ("日本 語", 4, ["日本", "語"]),
    ],
)
def test_text_is_wrapped_between_words(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("no space left", 13, "no space left"),
        ("no space left", 12, "no space…"),
        ("no space left", 9, "no space…"),
        ("no space left", 8, "no…"),
        ("a request/of/many/parts", 18, "a request/of/…"),
        ("a wordwithoutanend", 12, "a wordwitho…"),
        ("/shop/articles/1", 12, "/shop/…"),
        ("日本語 日本語", 10, "日本語…"),
        ("10.0.0.1 - - [17/May/2015", 12, "10.0.0.1 -…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_text_is_cut_where_a_word_ends(text: str, width: int, shown: str) -> None:
    assert cut_at_word(text, width) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("/var/log/a.log", 14, "/var/log/a.log"),
        ("/var/log/a.log", 12, "…/log/a.log"),
        ("/srv/production/shop/a.log", 14, "…/shop/a.log"),
        ("/srv/a_very_long_name.log", 12, "…ng_name.log"),
        ("/var/log", 0, ""),
    ],
)
def test_a_path_is_cut_before_a_directory(text: str, width: int, shown: str) -> None:
    assert cut_path(text, width) == shown


@given(TEXTS, st.integers(2, 40))
def test_no_line_is_wider_than_asked_and_no_word_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert lines
    assert all(width_of(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(TEXTS, st.integers(0, 40))
def test_cut_text_is_a_beginning_and_never_wider_than_asked(text: str, width: int) -> None:
    shown = cut_at_word(text, width)
    assert width_of(cut_path(text, width)) <= width
    assert width_of(shown) <= width
    assert shown == text or text.startswith(shown.removesuffix("…"))
    assert shown == text or not width or 3 * width_of(shown) >= width - 5


def test_the_longest_word_is_measured_in_cells() -> None:
    assert [longest_word(text) for text in ("", "a bcd ef", "日本 abc")] == [0, 3, 4]
