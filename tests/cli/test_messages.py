from datetime import UTC

import pytest

from puppylog.cli.messages import show_caret, tell, warn
from puppylog.settings import Settings
from puppylog.stores.address import StoreAddress
from puppylog.tui.clean import width_of


@pytest.mark.parametrize(("quiet", "message"), [(False, "puppylog: done\n"), (True, "")])
def test_messages_go_to_stderr_unless_quiet(capsys: pytest.CaptureFixture[str], quiet: bool, message: str) -> None:
    tell(Settings(store=StoreAddress(""), color=None, output="table", zone=UTC, host="", quiet=quiet), "done")
    assert capsys.readouterr() == ("", message)


def test_messages_are_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    warn("cannot read '\x1b[2J'")
    assert capsys.readouterr().err == "puppylog: cannot read '\\x1b[2J'\n"


def test_the_caret_is_below_the_character(capsys: pytest.CaptureFixture[str]) -> None:
    show_caret("\t犬$host", 2)
    assert capsys.readouterr().err == "  \\t犬$host\n      ^\n"


@pytest.mark.parametrize("width", [10, 24, 40, 80])
def test_on_a_narrow_terminal_the_part_of_the_text_around_the_caret_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr("puppylog.cli.messages._width_of_stderr", lambda: width)
    text = "".join(chr(0x4E00 + number) if number % 7 == 0 else "abcdef"[number % 6] for number in range(90))
    for at in range(len(text) + 1):
        show_caret(text, at)
        shown, caret = capsys.readouterr().err.splitlines()
        cells = [char for char in shown for _ in range(width_of(char))]
        assert len(cells) <= max(width, 18)
        assert len(caret) <= max(width, 18)
        assert cells[len(caret) - 1 : len(caret)] == ([text[at]] if at < len(text) else [])


def test_a_text_that_fits_the_terminal_is_shown_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("puppylog.cli.messages._width_of_stderr", lambda: 12)
    show_caret("0123456789", 9)
    assert capsys.readouterr().err == "  0123456789\n           ^\n"
