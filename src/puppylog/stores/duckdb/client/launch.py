"""Starts and stops the engine. The first client starts it, detached from the terminal, and waits until it answers.

A command that loads many modules begins with the engine, which starts while the modules are loaded.
"""

import contextlib
import select
import socket
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from puppylog.errors import PuppylogError, StoreUnavailable, UsageError
from puppylog.stores import messages
from puppylog.stores.duckdb.directory import StoreDirectory, open_private, translate_os_error
from puppylog.stores.duckdb.locks import FileLock

if TYPE_CHECKING:  # most commands find an engine that runs
    import subprocess

START_S = 60.0
"""How many seconds an engine may take to start: after a crash DuckDB first replays its write-ahead log."""

STOP_S = 20.0
"""How many seconds an engine may take to end: DuckDB first writes its write-ahead log into the database file."""

_ATTEMPTS = 3

# By the directory of its store, an engine that `begin_engine` has started and `start_engine` has not waited for.
_begun: "dict[Path, subprocess.Popen[bytes]]" = {}

# Engines that this process has started. The next start waits for those that have ended, so that no zombie stays.
_started: "list[subprocess.Popen[bytes]]" = []


def is_answering(directory: StoreDirectory) -> bool:
    """Return whether an engine accepts connections at the store's socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            with directory.reachable_socket() as path:
                probe.connect(path)
        except OSError:
            return False
    return True


def begin_engine(path: Path) -> None:
    """Begin to start the engine of the store at ``path``, if it has an engine that is not running, and return at once.

    `start_engine` waits for it. No error is raised here: `start_engine` meets it again. A store that does not exist yet
    is not created, because the command may still find a fault in its arguments: its engine loads its modules, and then
    waits until `start_engine` tells it that the store exists. It ends with this process, or by `dismiss_engine`.
    """
    directory = StoreDirectory(path)
    with contextlib.suppress(PuppylogError, OSError):
        if path in _begun:
            return
        if not directory.marker.exists():
            _begun[path] = spawn_waiting_engine(directory)
            return
        directory.check()
        if not is_running(directory):
            _begun[path] = _spawn(directory)


def dismiss_engine(path: Path) -> None:
    """End the engine that was begun for this store, if it waits: it owns nothing yet."""
    engine = _begun.get(path)
    if engine is None or engine.stdin is None:
        return
    del _begun[path]
    engine.kill()
    with engine:  # closes its pipes, and waits until it has ended
        pass


def has_begun(directory: StoreDirectory) -> bool:
    """Return whether `begin_engine` has started an engine that `start_engine` must wait for."""
    return directory.path in _begun


def start_engine(directory: StoreDirectory) -> None:
    """Start the engine, unless another client has, and return when it answers.

    Raises:
        StoreRefused: the store belongs to another user or to another version; the cause says which.
        StoreUnavailable: the engine does not answer within START_S.
    """
    deadline = time.monotonic() + START_S
    failures = 0
    with FileLock(directory.start_lock) as lock:
        lock.acquire(wait=True)
        if is_answering(directory):  # another client has created the store meanwhile
            dismiss_engine(directory.path)
        # If an engine holds its lock and does not answer, it is ending, or a client that has died started it just now.
        while has_begun(directory) or not is_answering(directory):
            if time.monotonic() > deadline:
                raise StoreUnavailable("open", f"store {directory.path}", "its engine does not answer")
            if not has_begun(directory) and is_running(directory):
                time.sleep(0.02)
                continue
            try:
                _start(directory, deadline)
            except StoreUnavailable:  # the engine died without a message, or another engine was faster
                failures += 1
                if failures == _ATTEMPTS:
                    raise


def is_running(directory: StoreDirectory) -> bool:
    """Return whether a process owns the store: an engine that runs, starts or ends."""
    with FileLock(directory.engine_lock) as owner:
        return not owner.acquire()


def spawn_engine(directory: StoreDirectory, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start the engine's process, whose standard output tells when it is ready."""
    import subprocess  # noqa: PLC0415 - see above

    return _popen([str(directory.path)], stdin=subprocess.DEVNULL, stderr=log)


def spawn_waiting_engine(directory: StoreDirectory) -> "subprocess.Popen[bytes]":
    """Start the process of an engine that touches no file before a byte arrives at its standard input."""
    import subprocess  # noqa: PLC0415 - see above

    return _popen([str(directory.path), "--wait"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _popen(arguments: list[str], *, stdin: int, stderr: int | IO[bytes]) -> "subprocess.Popen[bytes]":
    import subprocess  # noqa: PLC0415 - see above

    return subprocess.Popen(
        [sys.executable, "-m", "puppylog.stores.duckdb.engine", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd="/",
        start_new_session=True,  # an interrupt at the client's terminal is not for the engine
    )


def _spawn(directory: StoreDirectory) -> "subprocess.Popen[bytes]":
    with open(directory.log, "ab", opener=open_private) as log:
        return spawn_engine(directory, log)


def _start(directory: StoreDirectory, deadline: float) -> None:
    engine = _begun.pop(directory.path, None) or _spawn(directory)
    if engine.stdin is not None:
        with contextlib.suppress(BrokenPipeError), engine.stdin as told:  # if it has died, it prints no line below
            told.write(b"\n")
    assert engine.stdout is not None  # noqa: S101 - a pipe, as given above; tells the type checker
    with engine.stdout as output:
        is_readable = select.select([output], [], [], max(0.0, deadline - time.monotonic()))[0]
        line = output.readline().decode("utf-8", "replace").strip() if is_readable else ""
    _started[:] = [started for started in (*_started, engine) if started.poll() is None]
    if line == "ready":
        return
    raise _error_from(line, directory)


def _error_from(line: str, directory: StoreDirectory) -> PuppylogError:
    """Return the error that the engine printed instead of "ready"."""
    error = messages.unpack_error(line)
    if error is not None:
        return error
    return StoreUnavailable(
        "open", f"store {directory.path}", "its engine did not start", advice=f"see {directory.log}"
    )


def stop_engine(directory: StoreDirectory) -> bool:
    """Ask the engine to end and wait until its process has ended; return whether an engine was running.

    Raises:
        UsageError: a client uses the engine.
        StoreRefused: the lock files cannot be opened: the directory is read-only, or belongs to another user.
        StoreUnavailable: the engine does not end within STOP_S.
    """
    try:
        return _stop(directory)
    except OSError as error:
        raise translate_os_error(directory.path, error) from None


def _stop(directory: StoreDirectory) -> bool:
    if not directory.marker.exists():
        return False
    with FileLock(directory.clients_lock) as clients:
        if not clients.acquire():
            raise UsageError(
                "stop",
                f"the engine of store {directory.path}",
                "a collector, a monitor or `puppylog up` uses it",
                advice="end that first",
            )
    if not is_running(directory):
        return False
    import pyarrow as pa  # noqa: PLC0415 - a command that begins with the engine has no time for this
    from pyarrow import flight  # noqa: PLC0415 - likewise

    # If this call fails, the engine is ending already, or does not answer. The loop below finds out which.
    failures = contextlib.suppress(pa.ArrowException, OSError)
    with failures, directory.reachable_socket() as path, flight.connect(f"grpc+unix://{path}") as channel:
        list(channel.do_action(flight.Action("leave", messages.encode({}))))
    deadline = time.monotonic() + STOP_S
    while is_running(directory):
        if time.monotonic() > deadline:
            raise StoreUnavailable(
                "stop", f"the engine of store {directory.path}", f"it has not ended within {STOP_S:.0f} s"
            )
        time.sleep(0.02)
    return True
