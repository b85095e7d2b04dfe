"""Options that many commands share, and the `Settings` that their values become.

A shared option such as ``--store`` may come before or after a subcommand. If it stands at both, the value after the
subcommand counts. A flag takes precedence over an environment variable, wherever it is given.
"""

import functools
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar
from urllib.parse import unquote

import click
from click.core import ParameterSource

from puppylog.cli.complete import complete_files, complete_groups
from puppylog.cli.given_options import given_options, note_origin, settings_of
from puppylog.cli.messages import warn
from puppylog.errors import ConfigurationError
from puppylog.settings import COLORS, OUTPUTS, TIMEOUT_S, Settings, find_zone

P = ParamSpec("P")
R = TypeVar("R")
Callback: TypeAlias = Callable[..., Any]
Decorator: TypeAlias = Callable[[Callback], Callback]

REPORT_OUTPUTS: Final = ("table", "json", "html")

_USER_AND_PASSWORD: Final = re.compile(r"://[^@/:]*:.*@")
_SECRET_PARAMETER: Final = re.compile(r"(password|oauth_client_secret|scram_(client|server)_key)\s*=")


def store_options(command: Callback) -> Callback:
    """Add ``-c/--config``, ``--store``, ``--color`` and ``-q/--quiet``."""
    command = _option("-q", "--quiet", is_flag=True, default=None, help="Print only data and errors.")(command)
    command = _option("--color", type=click.Choice(COLORS), help="Colour the output. Default: auto, on a terminal.")(
        command
    )
    help_ = (
        "The store: duckdb:///directory, postgresql://host/database or https://host:7380. Default: duckdb:// in the "
        "user's data directory. In a directory's name, % and two hexadecimal digits are a byte: %25 is a percent sign."
    )
    command = _option("--store", metavar="URL", callback=_refuse_password, help=help_)(command)
    help_ = (
        "The configuration file. Default: config.toml in $XDG_CONFIG_HOME/puppylog and in /etc/puppylog, the former "
        "first."
    )
    return _option("-c", "--config", metavar="FILE", shell_complete=complete_files, help=help_)(command)


def output_options(command: Callback) -> Callback:
    """Add ``-o/--output`` and ``--tz``."""
    return add_output_options()(command)


def add_output_options(more: Mapping[str, str] = MappingProxyType({})) -> Decorator:
    """Add ``--tz`` and ``-o/--output``, which also takes the keys of ``more``; their values are sentences of help."""
    return lambda command: _add_output_options(command, more)


def _add_output_options(command: Callback, more: Mapping[str, str]) -> Callback:
    command = tz_option(
        "The time zone of times shown, and of times given without an offset: local (default), UTC, or Area/City. "
        "Times in json, jsonl and csv are UTC by default."
    )(command)
    return _option(
        "-o",
        "--output",
        type=click.Choice([*OUTPUTS, *more]),
        help=(
            "The format of the data. Default: table. CSV has an apostrophe before text that a spreadsheet would run. "
            "Parquet and Arrow's IPC stream keep the types of columns; write them into a file or a pipe."
            + "".join(f" {text}" for text in more.values())
        ),
    )(command)


class _ReportOutput(click.Choice[str]):
    """The formats of a report. A format of rows in the environment means that a program reads, or a person."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        is_flag = (
            ctx is None or param is None or ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        )
        if not is_flag and value in OUTPUTS:
            return "json" if str(value).startswith("json") else "table"
        return super().convert(value, param, ctx)


def report_output_options(command: Callback) -> Callback:
    """Add ``-o/--output`` with the formats of a report, and ``--tz``."""
    command = tz_option(
        "The time zone of times shown and given (default: local), and of log lines without an offset and of times in "
        "json (default: UTC): UTC, local, or Area/City."
    )(command)
    return _option(
        "-o",
        "--output",
        type=_ReportOutput(REPORT_OUTPUTS),
        help="The format of the report: table (default, for people), json, or html, a page that needs no other file.",
    )(command)


def is_flag_given(name: str) -> bool:
    """Return whether a shared option of the running command, or of a group above it, was given on the command line."""
    ctx: click.Context | None = click.get_current_context()
    while ctx is not None:
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            return True
        ctx = ctx.parent
    return False


def tz_option(help_: str) -> Decorator:
    """Add ``--tz``."""
    return _option("--tz", metavar="ZONE", callback=_check_zone, help=help_)


def host_option(command: Callback) -> Callback:
    """Add ``--host``."""
    help_ = "The name of this machine in a store that several machines share. Default: its host name."
    return _option("--host", metavar="NAME", help=help_)(command)


def timeout_option(command: Callback) -> Callback:
    """Add ``--timeout``."""
    help_ = f"Cancel a query that takes longer than this. Default: {TIMEOUT_S:g}."
    return _option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0, min_open=True), help=help_)(command)


def within_option(command: Callback) -> Callback:
    """Add ``--within``, which the command gets as ``budget_s``."""
    help_ = (
        "Answer within about this many seconds: if there are too many records, count the newest of them and say since "
        "when. Default: count all."
    )
    return click.option(
        "--within", "budget_s", metavar="SECONDS", type=click.FloatRange(min=0, min_open=True), help=help_
    )(command)


def range_options(command: Callback) -> Callback:
    """Add ``--since``, ``--from`` and ``--to``."""
    command = click.option("--to", metavar="TIME", help="Up to this time, which is excluded.")(command)
    command = click.option("--from", "from_", metavar="TIME", help="From this time on, which is included.")(command)
    return click.option(
        "--since",
        metavar="TIME",
        help="Like --from. A TIME is 2h (ago), 1h30m, 02:30 (the latest), today, yesterday, a weekday, a date, a date "
        "and time such as 2015-05-17T10:05:00Z, or now.",
    )(command)


def limit_option(what: str, default: int) -> Decorator:
    """Add ``-l/--limit``."""
    return click.option(
        "-l",
        "--limit",
        type=click.IntRange(min=0),
        default=default,
        show_default=True,
        help=f"At most this many {what}.",
    )


def group_option(help_: str) -> Decorator:
    """Add ``--group``."""
    return click.option("--group", metavar="NAME", shell_complete=complete_groups, help=help_)


def pass_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Call ``command`` with the settings: from its shared options and those of the groups above it."""

    @functools.wraps(command)
    def with_settings(*args: P.args, **kwargs: P.kwargs) -> R:
        settings = reread_settings()
        if settings.store.is_readable_on_the_way:
            warn("the connection to the store is not encrypted: others can read the token; use https://")
        return command(settings, *args, **kwargs)

    return with_settings


def reread_settings() -> Settings:
    """Return the settings of the running command, with the configuration files read again."""
    return settings_of(click.get_current_context())


def examples(*lines: str) -> str:
    """Return an epilog with a section of examples, which click does not wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _option(*names: str, callback: Callable[..., object] | None = None, **attributes: object) -> Decorator:
    """Return an option that is also read from ``PUPPYLOG_<FLAG>``, and whose value becomes part of the settings."""
    flag = names[-1].removeprefix("--").upper()

    def remember(ctx: click.Context, option: click.Parameter, value: object) -> None:
        if value is None or option.name is None:
            return
        is_flag = ctx.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        if callback is not None:
            callback(value, is_flag=is_flag)
        given = given_options(ctx)
        if is_flag or option.name not in given:
            given[option.name] = value
            note_origin(ctx, option.name, "flag" if is_flag else "environment")

    return click.option(
        *names,
        callback=remember,
        envvar=f"PUPPYLOG_{flag}",
        show_envvar=True,
        expose_value=False,
        **attributes,  # type: ignore[arg-type]  # click's attributes are of many types
    )


def _refuse_password(url: str, *, is_flag: bool) -> None:
    """Refuse a URL with a password on the command line, which every user of the machine can read."""
    if not is_flag or url.startswith("duckdb:///"):  # the rest is a path
        return
    if _USER_AND_PASSWORD.search(url.partition("?")[0]) or _SECRET_PARAMETER.search(unquote(url)):
        raise click.BadParameter(
            "a password does not belong on the command line; use PGPASSWORD, ~/.pgpass, a service, or PUPPYLOG_STORE"
        )


def _check_zone(name: str, *, is_flag: bool) -> None:
    del is_flag  # flags and variables are checked alike
    try:
        find_zone(name)
    except ConfigurationError as error:
        raise click.BadParameter(error.message) from error
