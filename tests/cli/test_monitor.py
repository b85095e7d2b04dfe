"""The tables of commands below ``monitor`` agree with the commands."""

import click
import pytest

from puppylog.cli.lazy import LazyGroup
from puppylog.cli.monitor import ALERTS, FAMILIES, METRICS, alerts, metrics, monitor


@pytest.mark.parametrize(
    ("group", "name"),
    [
        *((monitor, name) for name in FAMILIES),
        *((metrics, name) for name in METRICS),
        *((alerts, name) for name in ALERTS),
    ],
)
def test_the_tables_of_commands_have_their_modules_and_help(group: LazyGroup, name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.get_short_help_str(200).startswith(group.table[name][1].removesuffix("."))
    assert name in (command.name, f"{command.name}_")
