from datetime import UTC

import pytest

from puppylog.cli.talk import show_caret, tell, warn
from puppylog.settings import Settings


@pytest.mark.parametrize(("quiet", "message"), [(False, "puppylog: done\n"), (True, "")])
def test_messages_go_to_stderr_unless_quiet(capsys: pytest.CaptureFixture[str], quiet: bool, message: str) -> None:
    tell(Settings(store="", color=None, output="table", zone=UTC, host="", quiet=quiet), "done")
    assert capsys.readouterr() == ("", message)


def test_messages_are_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    warn("cannot read '\x1b[2J'")
    assert capsys.readouterr().err == "puppylog: cannot read '\\x1b[2J'\n"


def test_the_caret_is_below_the_character(capsys: pytest.CaptureFixture[str]) -> None:
    show_caret("\t犬$host", 2)
    assert capsys.readouterr().err == "  \\t犬$host\n      ^\n"
