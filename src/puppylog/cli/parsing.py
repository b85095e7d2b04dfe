"""Options that say how lines are parsed, shared by whatever reads lines."""

import os
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from puppylog.cli.options import tz_option
from puppylog.errors import UsageError
from puppylog.formats.base import Format, Options
from puppylog.formats.registry import AUTO, find_format
from puppylog.settings import Settings

_LOCALTIME: Final = Path("/etc/localtime")


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-f/--format`` and ``--year``; ``--tz`` is an option of its own, because the output may have it."""
    command = click.option(
        "--year",
        type=click.IntRange(2, 9998),
        metavar="YYYY",
        help="The year of the first stamps that name none. "
        "Default: the one that brings them nearest to the file's last change.",
    )(command)
    return click.option(
        "-f",
        "--format",
        "format_",
        metavar="FORMAT",
        default=AUTO,
        show_default=True,
        envvar="PUPPYLOG_FORMAT",
        show_envvar=True,
        help="How lines are parsed: a name ('puppylog formats' lists them), a server's log_format or LogFormat as it "
        "stands in its configuration, or a regular expression with named groups.",
    )(command)


zone_option: Final = tz_option("Read stamps without an offset in this zone: UTC (default), local, or Area/City.")


def choose_format(settings: Settings, written: str, year: int | None) -> Format:
    """Return the format that the options ask for.

    Raises:
        UsageError: there is none such.
    """
    return find_format(written, Options(_zone_of(settings), year))


def _zone_of(settings: Settings) -> ZoneInfo:
    if settings.zone is None:
        return ZoneInfo(_local_zone())
    return ZoneInfo("UTC") if settings.zone is UTC else ZoneInfo(str(settings.zone))


def _local_zone() -> str:
    """Return the name of this machine's zone: stamps of other days need its rules, not only today's offset."""
    named = os.environ.get("TZ", "").lstrip(":") or str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(named).key
    except (OSError, ValueError, KeyError):
        raise UsageError("cannot use time zone local: this machine's zone has no name; write it as Area/City") from None
