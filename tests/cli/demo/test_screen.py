import io

from puppylog.cli.demo.screen import Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_there_is_no_status_line() -> None:
    out = io.StringIO()
    screen = Screen(out, color=None, width=80)
    screen.show("changing")
    screen.say("first", bold=True)
    screen.hide()
    screen.say("second")
    assert out.getvalue() == "first\nsecond\n"


def test_on_a_terminal_lines_are_written_above_the_status_line() -> None:
    out = Terminal()
    screen = Screen(out, color=False, width=80)
    screen.show("1")
    screen.show("2")
    screen.say("line")
    screen.hide()
    assert out.getvalue() == "\r\x1b[K1\r\x1b[K2\r\x1b[Kline\n2\r\x1b[K"


def test_the_status_line_never_wraps() -> None:
    out = Terminal()
    Screen(out, color=False, width=10).show("0123456789abc")
    assert out.getvalue() == "\r\x1b[K01234567…"


def test_color_is_used_on_terminals_or_on_request() -> None:
    for out, color, expected in (
        (Terminal(), None, "\x1b[1mloud\x1b[0m\n"),
        (Terminal(), False, "loud\n"),
        (io.StringIO(), None, "loud\n"),
        (io.StringIO(), True, "\x1b[1mloud\x1b[0m\n"),
    ):
        Screen(out, color=color, width=80).say("loud", bold=True)
        assert out.getvalue() == expected


def test_control_sequences_are_shown_as_escapes() -> None:
    out = Terminal()
    screen = Screen(out, color=False, width=80)
    screen.say("\x1b[2J")
    screen.show("\x07")
    assert out.getvalue() == "\\x1b[2J\n\r\x1b[K\\x07"
