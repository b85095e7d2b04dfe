"""The values of the shared options that were given, which `Settings` are made of, and the configuration files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from puppylog.cli.surroundings import get_surroundings
from puppylog.settings import Settings, find_files, read_settings

_KEY: Final = "puppylog.given"
_ORIGINS: Final = "puppylog.origins"


def given_options(ctx: click.Context) -> dict[str, Any]:
    """Return the values by the name of the option. The contexts of a command and its groups share the dictionary."""
    given: dict[str, Any] = ctx.meta.setdefault(_KEY, {})
    return given


def note_origin(ctx: click.Context, name: str, origin: str) -> None:
    """Note whether the value of a shared option is from a flag or from the environment."""
    ctx.meta.setdefault(_ORIGINS, {})[name] = origin


def origins_of(ctx: click.Context) -> Mapping[str, str]:
    """Return by the name of a shared option that was given: "flag" or "environment"."""
    origins: dict[str, str] = ctx.meta.get(_ORIGINS, {})
    return origins


def find_config_files(ctx: click.Context) -> list[Path]:
    """Return the configuration files of a command: the one that it was given, or else those in their places."""
    return find_files(given_options(ctx), os.environ)


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of a command, with the configuration files read again."""
    return read_settings(given_options(ctx), os.environ, get_surroundings().clock)
