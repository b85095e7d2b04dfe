"""Every command reports an error as one line, and exits with the designed code."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from puppylog import __version__
from puppylog.cli.lazy import LazyGroup
from puppylog.cli.main import COMMANDS, cli, run
from puppylog.errors import ConfigurationError, NotFound, StoreUnavailable

DEFECT = (
    "puppylog: internal error: ZeroDivisionError: by\\nzero; "
    "please report it (run with PUPPYLOG_DEBUG=1 for the traceback)\n"
)


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Run a command that raises."""

    def run_and_fail(error: BaseException) -> int:
        @click.command
        def failing() -> None:
            raise error

        monkeypatch.setattr(LazyGroup, "get_command", lambda *_: failing)
        return run(["sql"])

    return run_and_fail


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (NotFound("find", "metric 'x'", "none"), 2, "puppylog: cannot find metric 'x': none\n"),
        (StoreUnavailable("reach", "it"), 69, "puppylog: cannot reach it\n"),
        (ConfigurationError("use", "it"), 78, "puppylog: cannot use it\n"),
        (MemoryError(), 1, "puppylog: cannot continue: there is not enough memory\n"),
        (NotFound("find", "'\x1b[2J\n'"), 2, "puppylog: cannot find '\\x1b[2J\\n'\n"),
        (
            ZeroDivisionError("by\nzero"),
            70,
            DEFECT,
        ),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    fail_with: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
    text: str,
) -> None:
    assert fail_with(error) == code
    assert capsys.readouterr() == ("", text)


def test_a_defect_shows_its_traceback_on_request(
    fail_with: Callable[[BaseException], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUPPYLOG_DEBUG", "1")
    assert fail_with(ZeroDivisionError()) == 70
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_ends_quietly(
    fail_with: Callable[[BaseException], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail_with(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--nope"], "puppylog: No such option '--nope'. Did you mean '--store'? (see 'puppylog --help')\n"),
        (
            ["--color", "blue", "sql"],
            "puppylog: Invalid value for '--color' (env var: 'PUPPYLOG_COLOR'): 'blue' is not",
        ),
        (["colector"], "puppylog: no command 'colector'; did you mean collector?"),
        (["col\x1b[2J"], "puppylog: no command 'col\\x1b[2J'; there are"),
    ],
)
def test_a_usage_error_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert run(arguments) == 2
    result = capsys.readouterr()
    assert result.out == ""
    assert result.err.startswith(text)
    assert result.err.count("\n") == 1
    assert "\x1b" not in result.err


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"puppylog {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.split("Commands:\n")[1].split("\n\n")[0].splitlines()] == list(COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["collecto"]])
def test_the_entry_point_imports_nothing_that_only_commands_need(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom puppylog.cli.main import run\n"
        f"run({arguments!r})\n"
        "heavy = {'rich', 'pyarrow', 'duckdb', 'sqlglot'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_a_table_of_latin_letters_does_not_import_the_widths_of_all_characters() -> None:
    code = (
        "import sys\nfrom puppylog.cli.main import run\nfrom puppylog.cli.surroundings import Surroundings\n"
        "run(['formats'], Surroundings(columns=60))\n"
        "sys.exit('imported wcwidth' if 'wcwidth' in sys.modules else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout[:6]) == (0, "format"), answer.stderr


def test_completing_a_command_name_imports_no_command() -> None:
    code = (
        "import sys\nfrom puppylog.cli.main import cli\n"
        "ctx = cli.make_context('puppylog', [], resilient_parsing=True)\n"
        "names = [item.value for item in cli.shell_complete(ctx, 'co')]\n"
        "assert names == ['collector', 'config', 'contacts', 'completion']\n"
        "heavy = {'rich', 'pyarrow', 'duckdb', 'sqlglot'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_the_table_of_commands_has_the_first_line_of_each_help(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.get_short_help_str(100) == COMMANDS[name][1]


def test_a_closed_pipe_ends_a_command_silently() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed_pipe:
        left = subprocess.run(
            [sys.executable, "-m", "puppylog", "completion", "zsh"],
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (left.returncode, left.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_output_to_a_full_disk_is_an_error_of_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [sys.executable, "-m", "puppylog", "completion", "zsh"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (result.returncode, result.stderr) == (1, b"puppylog: cannot write the output: No space left on device\n")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["completion", "zsh"], 1, "puppylog: cannot write the output: Bad file descriptor\n"),
        (["formats", "-o", "csv"], 1, "puppylog: cannot write the output: Bad file descriptor\n"),
        (["--version"], 1, "puppylog: cannot write the output: Bad file descriptor\n"),
        (["sql", ""], 2, "puppylog: cannot query the store: the query is empty\n"),
    ],
)
def test_a_closed_stdout_is_an_error_only_for_a_command_that_writes_to_it(
    arguments: list[str], code: int, text: str
) -> None:
    assert run_without("1", arguments, stderr=subprocess.PIPE) == (code, text)


@pytest.mark.parametrize("closed", ["2", "0"])
def test_a_closed_stderr_or_stdin_changes_no_exit_code(closed: str) -> None:
    assert run_without(closed, ["completion", "zsh"])[0] == 0
    assert run_without(closed, ["no such command"])[0] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_messages_that_a_full_disk_loses_change_no_exit_code() -> None:
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run([sys.executable, "-m", "puppylog", "colector"], stderr=full, check=False)
    assert result.returncode == 2


def run_without(closed: str, arguments: list[str], stderr: int = subprocess.DEVNULL) -> tuple[int, str]:
    """Run the command line as a process that is started without one of its standard streams."""
    shell = f'exec "$0" -m puppylog "$@" {closed}>&-'
    result = subprocess.run(
        ["/bin/sh", "-c", shell, sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
        check=False,
    )
    return result.returncode, result.stderr or ""
