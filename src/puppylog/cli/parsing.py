"""Options that say how lines are parsed, for all commands that parse lines."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from puppylog.cli.complete import complete_formats
from puppylog.cli.messages import tell
from puppylog.cli.options import tz_option
from puppylog.formats.file.folder import find_file, is_packaged
from puppylog.formats.listed_formats import AUTO
from puppylog.settings import Settings
from puppylog.tail.limits import RECORD_WAIT_S

if TYPE_CHECKING:  # the formats take 0.25 s of CPU, in which an engine can start
    from puppylog.formats.base import Format


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-f/--format``, ``--format-from`` and ``--year``; ``--tz`` may come from `output_options` already."""
    command = click.option(
        "--format-from",
        type=click.Path(path_type=Path),
        metavar="FILE",
        envvar="PUPPYLOG_FORMAT_FROM",
        show_envvar=True,
        help="Take the format from an nginx.conf or httpd.conf: the log_format or LogFormat that --format names, "
        "or else the one that fits.",
    )(command)
    command = click.option(
        "--year",
        type=click.IntRange(2, 9998),
        metavar="YYYY",
        help="The year of the first time stamps without a year. "
        "Default: the latest year in which they are not after the file's last change.",
    )(command)
    return click.option(
        "-f",
        "--format",
        "format_",
        metavar="FORMAT",
        shell_complete=complete_formats,
        default=AUTO,
        show_default=True,
        envvar="PUPPYLOG_FORMAT",
        show_envvar=True,
        help="How lines are parsed: a name ('puppylog formats' lists them), @FILE for a format file, a log_format or "
        "LogFormat copied from a server's configuration, or a regular expression with named groups.",
    )(command)


def multiline_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--multiline`` and ``--multiline-timeout``."""
    return multiline_option(_timeout_option(command))


def _timeout_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--multiline-timeout",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        default=RECORD_WAIT_S,
        show_default=True,
        help="A record of several lines is complete after this time without a new line.",
    )(command)


def multiline_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--multiline``."""
    return click.option(
        "--multiline",
        metavar="auto|none|indent|PATTERN",
        envvar="PUPPYLOG_MULTILINE",
        default="auto",
        show_default=True,
        show_envvar=True,
        help="Which lines continue the record before them: those that do not begin a record of their format (auto), "
        "none, those that are indented, or those that do not match this regular expression.",
    )(command)


zone_option: Final = tz_option("The zone of time stamps without an offset: UTC (default), local, or Area/City.")


def choose_format(
    settings: Settings, written: str, configuration: Path | None, year: int | None, *, joins_lines: bool
) -> "Format":
    """Return the format that the options ask for, and say if it is a file of the user in place of Puppylog's.

    Args:
        settings: of the command.
        written: see `puppylog.collect.format_choice.choose_format`.
        configuration: see there.
        year: the year of the first stamp without a year.
        joins_lines: see `puppylog.formats.base.Options`.

    Raises:
        UsageError: no such format exists, or the server's configuration cannot be read.
        ConfigurationError: the format file has a fault.
    """
    from puppylog.collect import format_choice  # noqa: PLC0415 - see above
    from puppylog.formats.base import Options  # noqa: PLC0415 - see above

    found = find_file(written)
    if configuration is None and found is not None and found.is_own and is_packaged(written):
        tell(settings, f"the format {written} is that of {found.path}, not that of Puppylog")
    return format_choice.choose_format(
        written, configuration, Options(format_choice.find_log_zone(settings.data_zone, os.environ), year, joins_lines)
    )
