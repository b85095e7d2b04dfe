import sys

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
    result = CliRunner().invoke(group, ["quack"])
    assert result.exit_code == 2
    assert "no command 'quack'; there are quick, wrong" in result.output


def test_a_table_entry_that_is_not_a_command_is_a_defect(group: LazyGroup) -> None:
    with pytest.raises(TypeError, match="click:Context is not a command"):
        group.get_command(click.Context(group), "wrong")


def test_options_are_completed_as_well_as_commands(group: LazyGroup) -> None:
    ctx = click.Context(group)
    assert [item.value for item in group.shell_complete(ctx, "q")] == ["quick"]
    assert [item.value for item in group.shell_complete(ctx, "--h")] == ["--help"]
