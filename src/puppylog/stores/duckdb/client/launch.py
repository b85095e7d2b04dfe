"""Starting the engine: the first client does it, detached from its terminal, and waits until the engine answers."""

import contextlib
import select
import socket
import subprocess
import sys
import time

import pyarrow as pa
from pyarrow import flight

from puppylog.errors import PuppylogError, StoreUnavailable, UsageError
from puppylog.stores.duckdb import wire
from puppylog.stores.duckdb.directory import StoreDirectory, open_private, refuse
from puppylog.stores.duckdb.locks import FileLock

START_S = 60.0
"""How long an engine may take to be ready: after a crash it first replays what was in its log."""

STOP_S = 20.0
"""How long it may take to leave: it folds its log into the file first."""

_ATTEMPTS = 3

# Engines that this process has started and that have not ended yet: those that have are waited for at the next start.
_started: list[subprocess.Popen[bytes]] = []


def is_answering(directory: StoreDirectory) -> bool:
    """Return whether an engine accepts connections at the store's socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            with directory.reachable_socket() as path:
                probe.connect(path)
        except OSError:
            return False
    return True


def start_engine(directory: StoreDirectory) -> None:
    """Return when an engine answers, started by this client or by another.

    Raises:
        StoreRefused: the store is another user's or another version's; the engine says which.
        StoreUnavailable: it did not get ready in START_S.
    """
    deadline = time.monotonic() + START_S
    failures = 0
    with FileLock(directory.start_lock) as lock:
        lock.acquire(wait=True)
        # A store whose lock is held, and whose engine does not answer: the engine is ending, or it is starting for a
        # client that has died.
        while not is_answering(directory):
            if time.monotonic() > deadline:
                raise StoreUnavailable("open", f"store {directory.path}", "its engine does not answer")
            if _is_owned(directory):
                time.sleep(0.02)
                continue
            try:
                _start(directory, deadline)
            except StoreUnavailable:  # it died without a word, or another one was faster
                failures += 1
                if failures == _ATTEMPTS:
                    raise


def _is_owned(directory: StoreDirectory) -> bool:
    with FileLock(directory.engine_lock) as owner:
        return not owner.acquire()


def _start(directory: StoreDirectory, deadline: float) -> None:
    with open(directory.log, "ab", opener=open_private) as log:
        engine = subprocess.Popen(
            [sys.executable, "-m", "puppylog.stores.duckdb.engine.server", str(directory.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            start_new_session=True,  # an interrupt at the client's terminal is not for the engine
        )
    assert engine.stdout is not None  # noqa: S101 - asked for above; tells the type checker
    with engine.stdout as says:
        is_heard = select.select([says], [], [], max(0.0, deadline - time.monotonic()))[0]
        said = says.readline().decode("utf-8", "replace").strip() if is_heard else ""
    _started[:] = [started for started in (*_started, engine) if started.poll() is None]
    if said == "ready":
        return
    raise _error_from(said, directory)


def _error_from(said: str, directory: StoreDirectory) -> PuppylogError:
    told = wire.unpack_error(said)
    if told is not None:
        return told
    return StoreUnavailable(
        "open", f"store {directory.path}", "its engine did not start", advice=f"see {directory.log}"
    )


def stop_engine(directory: StoreDirectory) -> bool:
    """Ask the engine to end and wait until its process has ended; return whether an engine was running.

    Raises:
        UsageError: a client uses the engine.
        StoreRefused: the locks cannot be opened: the directory is read-only, or another user's.
        StoreUnavailable: the engine has not ended in STOP_S.
    """
    try:
        return _stop(directory)
    except OSError as error:
        raise refuse(directory.path, error) from None


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
    if not _is_owned(directory):
        return False
    # A failure means that the engine is ending already, or does not answer. The loop below finds out which.
    failures = contextlib.suppress(pa.ArrowException, OSError)
    with failures, directory.reachable_socket() as path, flight.connect(f"grpc+unix://{path}") as channel:
        list(channel.do_action(flight.Action("leave", wire.encode({}))))
    deadline = time.monotonic() + STOP_S
    while _is_owned(directory):
        if time.monotonic() > deadline:
            raise StoreUnavailable(
                "stop", f"the engine of store {directory.path}", f"it has not gone in {STOP_S:.0f} s"
            )
        time.sleep(0.02)
    return True
