import io
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from puppylog.cli.pager import PagedOutput, find_pager, page_output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_output_that_fits_on_the_screen_goes_to_the_terminal(tmp_path: Path) -> None:
    terminal = io.StringIO()
    paged = PagedOutput(terminal, f"cat > '{tmp_path}/paged'", 4, begins_at_end=False)
    paged.write("1\n2\n")
    paged.write("3\n")
    assert not terminal.getvalue()
    paged.finish()
    assert terminal.getvalue() == "1\n2\n3\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("begins_at_end", "options"), [(False, "-FRX"), (True, "-FRX +G")])
def test_longer_output_goes_to_the_pager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begins_at_end: bool, options: str
) -> None:
    monkeypatch.delenv("LESS", raising=False)
    terminal = io.StringIO()
    paged = PagedOutput(terminal, f'(echo "$LESS"; cat) > "{tmp_path}/paged"', 2, begins_at_end=begins_at_end)
    for number in range(5):
        paged.write(f"{number}\n")
        paged.flush()
    paged.finish()
    assert (tmp_path / "paged").read_text() == f"{options}\n0\n1\n2\n3\n4\n"
    assert not terminal.getvalue()


def test_a_reader_who_quits_the_pager_early_ends_the_output_without_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGER", "true")
    monkeypatch.setenv("TERM", "xterm")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Terminal())
        with page_output(begins_at_end=False):
            sys.stderr.write("a note\n")
            assert sys.stdout.isatty()
            while True:
                sys.stdout.write("line\n" * 10_000)
    assert capsys.readouterr().err == "a note\n"


def test_without_a_terminal_there_is_no_pager(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGER", "false")
    with page_output(begins_at_end=False):
        sys.stdout.write("line\n" * 1000)
    assert capsys.readouterr().out == "line\n" * 1000


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({"PAGER": "sh -c 'cat'"}, "sh -c 'cat'"),
        ({"PAGER": ""}, None),
        ({"PAGER": "cat"}, None),
        ({"PAGER": "sh 'x"}, None),
        ({"PAGER": "no-such-pager -x"}, None),
        ({"PAGER": "sh", "TERM": "dumb"}, None),
    ],
)
def test_the_pager_is_the_command_in_the_environment_if_it_exists(
    environ: Mapping[str, str], command: str | None
) -> None:
    assert find_pager(environ) == command
