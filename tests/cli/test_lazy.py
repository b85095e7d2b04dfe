import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from puppylog.cli.lazy import LazyGroup


@pytest.fixture
def group() -> LazyGroup:
    table = {"quick": ("this.module.is.not:there", "Never loaded."), "wrong": ("click:Context", "No command.")}
    return LazyGroup("outer", table=table)


def test_help_imports_no_command(group: LazyGroup) -> None:
    shown = CliRunner().invoke(group, ["--help"])
    assert shown.exit_code == 0
    assert "  quick  Never loaded.\n" in shown.output
    assert "this" not in sys.modules


def test_an_unknown_command_imports_none_and_the_error_lists_the_known_ones(group: LazyGroup) -> None:
    result = CliRunner().invoke(group, ["dance"])
    assert result.exit_code == 2
    assert "no command 'dance'; there are quick, wrong" in result.output


def test_a_table_entry_that_is_not_a_command_is_a_defect(group: LazyGroup) -> None:
    with pytest.raises(TypeError, match="click:Context is not a command"):
        group.get_command(click.Context(group), "wrong")


def test_options_are_completed_as_well_as_commands(group: LazyGroup) -> None:
    ctx = click.Context(group)
    assert [item.value for item in group.shell_complete(ctx, "q")] == ["quick"]
    assert [item.value for item in group.shell_complete(ctx, "--h")] == ["--help"]


@pytest.fixture
def opener() -> LazyGroup:
    table = {"open": ("puppylog.cli.open:open_", "Open files."), "collector": ("nowhere:x", "Collect.")}
    return LazyGroup("outer", table=table, path_command="open")


@pytest.mark.parametrize("word", ["access.log", "/var/log/syslog", "logs/*", "-"])
def test_a_first_word_that_is_a_path_is_an_argument_of_the_command_for_paths(opener: LazyGroup, word: str) -> None:
    name, command, rest = opener.resolve_command(click.Context(opener), [word, "-q"])
    assert (name, command is not None, rest) == ("open", True, [word, "-q"])


def test_a_file_without_a_dot_is_a_path_if_it_exists(
    opener: LazyGroup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(click.UsageError, match="no command 'messages'; there are open, collector, or give a file"):
        opener.resolve_command(click.Context(opener), ["messages"])
    (tmp_path / "messages").touch()
    assert opener.resolve_command(click.Context(opener), ["messages"])[0] == "open"


def test_a_command_is_never_taken_for_a_file(
    opener: LazyGroup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open").touch()
    assert opener.resolve_command(click.Context(opener), ["open", "a.log"])[2] == ["a.log"]


def test_the_error_about_an_unknown_command_names_the_nearest_one(opener: LazyGroup) -> None:
    with pytest.raises(click.UsageError, match=r"no command 'colector'; did you mean collector\?"):
        opener.resolve_command(click.Context(opener), ["colector"])


def test_files_are_completed_where_a_path_may_stand_and_no_command_begins_so(
    group: LazyGroup, opener: LazyGroup
) -> None:
    assert [(item.value, item.type) for item in opener.shell_complete(click.Context(opener), "acc")] == [
        ("acc", "file")
    ]
    assert [item.value for item in opener.shell_complete(click.Context(opener), "col")] == ["collector"]
    assert group.shell_complete(click.Context(group), "acc") == []


@pytest.mark.parametrize("before", [["-o", "html"], ["--output=html"], ["-ohtml"], ["--since", "2h", "-q"]])
def test_options_of_the_command_for_paths_may_stand_before_the_path(opener: LazyGroup, before: list[str]) -> None:
    ctx = opener.make_context("outer", [*before, "access.log"])
    assert [*ctx._protected_args, *ctx.args] == ["open", *before, "access.log"]


def test_an_unknown_option_without_a_path_or_before_a_command_is_refused(opener: LazyGroup) -> None:
    for arguments in (["--nope"], ["-o", "html", "collector", "a.log"]):
        with pytest.raises(click.NoSuchOption):
            opener.make_context("outer", arguments)
