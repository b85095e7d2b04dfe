from hypothesis import given
from hypothesis import strategies as st

from puppylog.tui.clean import clean, width_of
from puppylog.tui.runs import Run, paint, wrap

TEXTS = st.text(st.sampled_from("ab  -世é\u0301"), max_size=60)


@given(
    st.lists(st.builds(Run, TEXTS.map(clean), st.sampled_from(["", "1", "2"])), max_size=5),
    st.integers(8, 30),
    st.integers(8, 30),
)
def test_wrapped_lines_fit_and_lose_only_blanks(runs: list[Run], first: int, rest: int) -> None:
    lines = wrap(runs, first, rest)
    assert all(width_of(paint(line, color=False)) <= (rest if at else first) for at, line in enumerate(lines))
    text, shown = paint(runs, color=False), "".join(paint(line, color=False) for line in lines)
    assert shown.replace(" ", "") == text.replace(" ", "")


def test_a_word_moves_to_the_next_line_if_it_fits_there_and_is_broken_otherwise() -> None:
    def lines(text: str) -> list[str]:
        return [paint(line, color=False) for line in wrap([Run(text)], 10, 12)]

    assert lines("one two three four") == ["one two", "three four"]
    assert lines("one two  three four") == ["one two", "three four"]
    assert lines("see /a/very/long/path/name") == ["see /a/ver", "y/long/path/", "name"]


def test_each_run_keeps_its_style_on_every_line() -> None:
    lines = wrap([Run("one two ", "1"), Run("three four", "2")], 10, 10)
    assert [paint(line, color=True) for line in lines] == ["\x1b[1mone two\x1b[0m", "\x1b[2mthree four\x1b[0m"]
