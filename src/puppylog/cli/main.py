"""The door: which commands there are, and the one place where an error becomes a line and an exit code.

Commands are imported when they run, so ``--help`` is quick. Exit codes: 0 ok, 1 a check says no, 2 usage, 69 the store
is unavailable, 70 a defect of Puppylog, 78 configuration, 130 interrupted, 141 the reader of the output has left.
"""

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click
from click.shell_completion import shell_complete

from puppylog import __version__
from puppylog.cli.lazy import LazyGroup, Table
from puppylog.cli.old_names import without_old_names
from puppylog.cli.options import examples, store_options
from puppylog.cli.standard_streams import (
    abandon,
    abandon_stderr_if_broken,
    never_fail_to_encode,
    open_missing_streams,
)
from puppylog.cli.talk import point, warn
from puppylog.errors import FormatError, PuppylogError

CANNOT_WRITE: Final = 1
NO_MEMORY: Final = 1
USAGE: Final = 2
DEFECT: Final = 70
INTERRUPTED: Final = 130
NO_READER: Final = 141  # 128 + SIGPIPE, as of any program in a pipe

# What the completion scripts ask with.
COMPLETE: Final = "_PUPPYLOG_COMPLETE"

# Stores say StoreFull; what comes up raw without a file's name is about stdout.
_UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})

COMMANDS: Final[Table] = {
    "collector": ("puppylog.cli.collector:collector", "Collect log files into the store."),
    "monitor": ("puppylog.cli.monitor:monitor", "View and define metrics and alerts."),
    "logs": ("puppylog.cli.logs:logs", "Search records, and follow new ones."),
    "rejects": ("puppylog.cli.rejects:rejects", "See the lines that fitted no format, and read them again."),
    "sql": ("puppylog.cli.sql:sql", "Ask the store in SQL (read-only)."),
    "groups": ("puppylog.cli.groups:groups", "Create, list and delete log groups."),
    "doctor": ("puppylog.cli.doctor:doctor", "Say how the store is, and what to do."),
    "bootstrap": ("puppylog.cli.bootstrap:bootstrap", "Install Puppylog in a PostgreSQL database, or upgrade it."),
    "formats": ("puppylog.cli.formats:formats", "List the formats that --format takes."),
    "up": ("puppylog.cli.up:up", "Keep the store's engine, and follow files."),
    "down": ("puppylog.cli.up:down", "Stop an engine that nobody holds."),
    "demo": ("puppylog.cli.demo.command:demo", "See all of it work on made-up traffic."),
    "completion": ("puppylog.cli.completion:completion", "Print a shell's completion script."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "puppylog collector -s access.log --watch",
        "puppylog monitor metrics create --default",
        "puppylog monitor alerts observe",
        "puppylog sql 'select count(*) from log_records'",
    ),
)
@click.version_option(__version__, prog_name="puppylog", message="%(prog)s %(version)s")
@store_options
def cli() -> None:
    """A tiny distributed log collector: every complete line is stored exactly once.

    Options may stand before or after the command; --help after a command explains it. Settings come from flags, then
    PUPPYLOG_* variables, then config.toml in $XDG_CONFIG_HOME/puppylog, then in /etc/puppylog.
    """


def main() -> None:
    """Run the command line of this process."""
    open_missing_streams()
    code = run(sys.argv[1:])
    abandon_stderr_if_broken()
    gc.freeze()  # what is left goes with the process; to look through it for cycles first takes a tenth of a second
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong is one line on stderr."""
    never_fail_to_encode(sys.stdout, sys.stderr)
    try:
        code = _run_command(arguments)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort: a defect is one line, too
        code = _explain(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _explain(error)
    return code


def _run_command(arguments: Sequence[str]) -> int:
    if instruction := os.environ.get(COMPLETE):
        return shell_complete(cli, {}, "puppylog", COMPLETE, instruction)
    # Not cli.main(): it has ways of its own to end a process, without a word when the output cannot be written.
    with cli.make_context("puppylog", list(arguments)) as ctx:
        cli.invoke(ctx)
    return 0


def _explain(error: BaseException) -> int:
    match error:
        case click.exceptions.Exit():
            code = error.exit_code
        case PuppylogError():
            warn(error.message)
            if isinstance(error, FormatError):
                point(error.written, error.at)
            code = error.exit_code
        case click.ClickException():
            code = _refuse(error)
        case click.Abort() | KeyboardInterrupt():
            code = INTERRUPTED
        case MemoryError():
            warn("cannot go on: there is not enough memory")
            code = NO_MEMORY
        case BrokenPipeError():
            abandon(sys.stdout)
            code = NO_READER
        case _:
            code = _confess(error)
    return code


def _refuse(error: click.ClickException) -> int:
    ctx = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return USAGE
    if isinstance(error, click.NoSuchOption):
        error = without_old_names(error)
    hint = f" (see '{ctx.command_path} --help')" if ctx is not None else ""
    warn(" ".join(error.format_message().split()).removesuffix(".") + hint)
    return USAGE


def _confess(error: BaseException) -> int:
    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
        abandon(sys.stdout)
        warn(f"cannot write the output: {error.strerror}")
        return CANNOT_WRITE
    if os.environ.get("PUPPYLOG_DEBUG"):
        traceback.print_exception(error)
    warn(
        f"internal error: {type(error).__name__}: {error}; "
        "please report it (run with PUPPYLOG_DEBUG=1 for the traceback)"
    )
    return DEFECT
