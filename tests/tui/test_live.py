import io

from puppylog.tui.live import Line, Live


def live(columns: int = 20, rows: int = 5, *, has_color: bool = False) -> tuple[Live, io.StringIO]:
    out = io.StringIO()
    return Live(out, has_color, lambda: (columns, rows)), out


def taken(out: io.StringIO) -> str:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text


def test_lines_are_drawn_and_then_drawn_over() -> None:
    screen, out = live()
    screen.show([Line("one"), Line("two")])
    assert taken(out) == "one\x1b[K\ntwo\x1b[K\n\x1b[J"
    screen.show([Line("three")])
    assert taken(out) == "\r\x1b[2Athree\x1b[K\n\x1b[J"
    screen.show([])
    assert taken(out) == "\r\x1b[1A\x1b[J"


def test_lines_that_do_not_fit_the_terminal_are_left_out_and_counted() -> None:
    screen, out = live(columns=6, rows=3)
    screen.show([Line("long line"), Line("2")])
    assert taken(out) == "long…\x1b[K\n2\x1b[K\n\x1b[J"
    screen, out = live(columns=80, rows=3)
    screen.show([Line("1"), Line("2"), Line("3")])
    assert taken(out) == "1\x1b[K\nand 2 more lines, which do not fit the terminal\x1b[K\n\x1b[J"


def test_a_line_has_one_color_and_its_text_is_clean() -> None:
    screen, out = live(has_color=True)
    screen.show([Line("a\x1b[2J", "red"), Line("b", "mauve"), Line("c")])
    assert taken(out) == "\x1b[31ma\\x1b[2J\x1b[0m\x1b[K\nb\x1b[K\nc\x1b[K\n\x1b[J"


def test_lines_are_erased_once() -> None:
    screen, out = live()
    screen.show([Line("one")])
    taken(out)
    screen.clear()
    assert taken(out) == "\r\x1b[1A\x1b[J"
    screen.clear()
    assert taken(out) == ""
