"""The values of the shared options that were given, which `Settings` are made of."""

import os
from typing import Any, Final

import click

from puppylog.cli.surroundings import get_surroundings
from puppylog.settings import Settings, read_settings

_KEY: Final = "puppylog.given"


def given_options(ctx: click.Context) -> dict[str, Any]:
    """Return the values by the name of the option. The contexts of a command and its groups share the dictionary."""
    given: dict[str, Any] = ctx.meta.setdefault(_KEY, {})
    return given


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of a command, with the configuration files read again."""
    return read_settings(given_options(ctx), os.environ, get_surroundings().clock)
