"""The entry point: the table of commands, and the one place where an error becomes a line and an exit code.

Commands are imported when they run, so ``--help`` is quick. Exit codes: 0 ok, 1 a check says no, 2 usage, 69 the store
is unavailable, 70 a defect of Puppylog, 78 configuration, 130 interrupted, 141 the reader of the output has closed it.
"""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

import click
from click.shell_completion import shell_complete

from puppylog import __version__
from puppylog.cli.lazy import LazyGroup, Table
from puppylog.cli.messages import show_caret, warn
from puppylog.cli.old_names import without_old_names
from puppylog.cli.options import examples, store_options
from puppylog.cli.standard_streams import (
    discard_output,
    discard_stderr_if_broken,
    never_fail_to_encode,
    open_missing_streams,
)
from puppylog.cli.surroundings import Surroundings
from puppylog.errors import ExpressionError, FormatError, PuppylogError, SearchError
from puppylog.formats.file.search_path import set_own_folder
from puppylog.settings import find_format_folder
from puppylog.stores.without_numpy import forbid_numpy

CANNOT_WRITE: Final = 1
NO_MEMORY: Final = 1
USAGE: Final = 2
DEFECT: Final = 70
INTERRUPTED: Final = 130
NO_READER: Final = 141  # 128 + SIGPIPE, as for any program in a pipe

# After how many objects the garbage collector runs. Python's default, 700, makes it run a hundred times while modules
# are loaded, which takes 10 ms of CPU and finds nothing.
_GARBAGE: Final = 20_000

# The environment variable with which a completion script asks for completions.
COMPLETE: Final = "_PUPPYLOG_COMPLETE"

# Errors of writing to stdout. They name no file; a store that cannot write raises StoreFull.
_UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})

COMMANDS: Final[Table] = {
    "collector": ("puppylog.cli.collector:collector", "Collect log files into the store."),
    "monitor": ("puppylog.cli.monitor:monitor", "View and define metrics and alerts."),
    "logs": ("puppylog.cli.logs.command:logs", "Search records, and follow new ones."),
    "top": ("puppylog.cli.counting:top", "Count the records of each value of a field."),
    "hist": ("puppylog.cli.counting:hist", "Count records over time."),
    "stats": ("puppylog.cli.counting:stats", "Show the statistics of a field that is a number."),
    "patterns": ("puppylog.cli.counting:patterns", "Group messages by their pattern, and find new ones."),
    "rejects": ("puppylog.cli.rejects:rejects", "Show rejected lines, and parse them again."),
    "sql": ("puppylog.cli.sql:sql", "Query the store in SQL (read-only)."),
    "groups": ("puppylog.cli.groups:groups", "Create, list and delete log groups."),
    "streams": ("puppylog.cli.streams:streams", "List the streams, and forget those that are gone."),
    "tokens": ("puppylog.cli.tokens:tokens", "Create, list and revoke tokens of the server's clients."),
    "retention": ("puppylog.cli.retention:retention", "Show and set which records the store keeps."),
    "doctor": ("puppylog.cli.doctor:doctor", "Check the store, and say what to do."),
    "bootstrap": ("puppylog.cli.bootstrap:bootstrap", "Install Puppylog in a PostgreSQL database, or upgrade it."),
    "formats": ("puppylog.cli.formats:formats", "List formats; check and show format files."),
    "up": ("puppylog.cli.up:up", "Keep the store running, as the configuration file declares."),
    "apply": ("puppylog.cli.apply:apply", "Apply the configuration file to the store."),
    "export": ("puppylog.cli.apply:export", "Print the store's definitions as a configuration file."),
    "config": ("puppylog.cli.config:config", "Check and show the configuration file."),
    "contacts": ("puppylog.cli.contacts:contacts", "List the contacts of the configuration file, and try one."),
    "down": ("puppylog.cli.up:down", "Stop the engine of an embedded store."),
    "backup": ("puppylog.cli.backup:backup", "Copy an embedded store while it is used."),
    "restore": ("puppylog.cli.backup:restore", "Make an embedded store from a backup."),
    "service": ("puppylog.cli.service:service", "Run Puppylog as a service of systemd."),
    "open": ("puppylog.cli.open:open_", "Show what is in log files, or in a store, at a glance."),
    "demo": ("puppylog.cli.demo.command:demo", "Watch Puppylog work on made-up traffic."),
    "completion": ("puppylog.cli.completion:completion", "Print a shell's completion script."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    path_command="open",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "puppylog access.log",
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

    The options below may come before or after the command. Add --help to a command for its own help. Settings come
    from flags, then PUPPYLOG_* variables, then the configuration file.
    """


def main() -> None:
    """Run the command line of this process, and exit with its code."""
    open_missing_streams()
    forbid_numpy()
    gc.set_threshold(_GARBAGE)
    code = run(sys.argv[1:])
    if COMPLETE in os.environ:
        os._exit(code)  # a thread may still wait for a store that does not answer
    discard_stderr_if_broken()
    gc.freeze()  # the process ends, and a last collection of garbage would take a tenth of a second
    sys.exit(code)


def run(arguments: Sequence[str], surroundings: Surroundings | None = None) -> int:
    """Run one command and return its exit code. Any error is reported as one line on stderr.

    Args:
        arguments: those of the command line, without the name of the program.
        surroundings: the clock and the terminal; None: those of the process.
    """
    never_fail_to_encode(sys.stdout, sys.stderr)
    set_own_folder(find_format_folder(os.environ))
    try:
        code = _run_command(arguments, surroundings)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort: a defect is reported as one line, too
        code = _report_error(error)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _report_error(error)
    return code


def _run_command(arguments: Sequence[str], surroundings: Surroundings | None) -> int:
    if instruction := os.environ.get(COMPLETE):
        return shell_complete(cli, {}, "puppylog", COMPLETE, instruction)
    # Not cli.main(): it ends the process by itself, and reports nothing when the output cannot be written.
    with cli.make_context("puppylog", list(arguments), obj=surroundings) as ctx:
        cli.invoke(ctx)
    return 0


def _report_error(error: BaseException) -> int:
    match error:
        case click.exceptions.Exit():
            code = error.exit_code
        case PuppylogError():
            warn(error.message)
            if isinstance(error, FormatError | SearchError | ExpressionError) and error.written:
                show_caret(error.written, error.at)
            code = error.exit_code
        case click.ClickException():
            code = _report_usage_error(error)
        case click.Abort() | KeyboardInterrupt():
            code = INTERRUPTED
        case MemoryError():
            warn("cannot continue: there is not enough memory")
            code = NO_MEMORY
        case BrokenPipeError():
            discard_output(sys.stdout)
            code = NO_READER
        case _:
            code = _report_defect(error)
    return code


def _report_usage_error(error: click.ClickException) -> int:
    ctx = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return USAGE
    if isinstance(error, click.NoSuchOption):
        error = without_old_names(error)
    hint = f" (see '{ctx.command_path} --help')" if ctx is not None else ""
    if isinstance(error, click.NoSuchOption) and ctx is not None and _takes_query(ctx.command):
        hint = f"; in a query, write not instead of a - at its beginning{hint}"
    warn(" ".join(error.format_message().split()).removesuffix(".") + hint)
    return USAGE


def _takes_query(command: click.Command) -> bool:
    return any(parameter.name == "query" and parameter.nargs == -1 for parameter in command.params)


def _report_defect(error: BaseException) -> int:
    if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
        discard_output(sys.stdout)
        warn(f"cannot write the output: {error.strerror}")
        return CANNOT_WRITE
    if os.environ.get("PUPPYLOG_DEBUG"):
        import traceback  # noqa: PLC0415 - only a defect needs it

        traceback.print_exception(error)
    warn(
        f"internal error: {type(error).__name__}: {error}; "
        "please report it (run with PUPPYLOG_DEBUG=1 for the traceback)"
    )
    return DEFECT
