"""The tables of commands below ``monitor`` say what the commands say."""

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
def test_a_command_is_where_the_table_says_and_helps_as_it_says(group: LazyGroup, name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.get_short_help_str(200).startswith(group.table[name][1].removesuffix("."))
    assert name in (command.name, f"{command.name}_")
