"""An embedded store for one test, which a test can damage on purpose."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from puppylog.stores.base import Store
from puppylog.stores.duckdb.client.store import DuckdbStore
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.locks import FileLock

_MIN_PAUSE_S: Final = 0.02
_MAX_PAUSE_S: Final = 0.5


def wait_until(is_so: Callable[[], bool], *, within_s: float = 60.0, what: str = "it") -> None:
    """Return as soon as ``is_so`` returns true.

    A call of ``is_so`` may query a store or start a process. The pause after a call is at least twice as long as the
    call, and grows to a sixth of the time waited so far. Calls so use little of the processor, and a test waits about
    a tenth longer than it has to.

    The time limit is long because only a failing test waits for it, and a busy machine may need more than 20 seconds
    for the first round of alerts.

    Raises:
        AssertionError: ``is_so`` has not returned true within ``within_s`` seconds.
    """
    started = called = time.monotonic()
    while not is_so():
        now = time.monotonic()
        assert now < started + within_s, f"{what} did not happen within {within_s} s"
        time.sleep(min(_MAX_PAUSE_S, max(_MIN_PAUSE_S, 2 * (now - called), (now - started) / 6)))
        called = time.monotonic()


class EmbeddedStore:
    """A store in a directory, with its engine. Usable with ``with``: afterwards the engine has ended."""

    name = "duckdb"

    def __init__(self, path: Path) -> None:
        self.directory = StoreDirectory(path)
        self.url = self.database_url = f"duckdb://{path}"
        self._clients: list[DuckdbStore] = []

    def connect(self) -> DuckdbStore:
        client = DuckdbStore(self.directory.path)
        self._clients.append(client)
        return client

    def engine_pids(self) -> list[int]:
        """Return the process ids of this store's engines. There should be at most one."""
        found = []
        path = os.fsencode(self.directory.path)
        for name in os.listdir("/proc"):  # noqa: PTH208 - this and `open` are faster than `Path`, and called often
            if name.isdecimal():
                command_line = f"/proc/{name}/cmdline"
                with contextlib.suppress(OSError), open(command_line, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                    words = file.read().split(b"\0")
                    if b"puppylog.stores.duckdb.engine" in words and path in words:
                        found.append(int(name))
        return found

    def kill_engine(self) -> None:
        """Kill the engine, and wait until the system has released its locks, or a client has started the next one."""
        pids = self.engine_pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.is_unowned() or not set(self.engine_pids()) <= set(pids), what="the engine's end")

    def is_unowned(self) -> bool:
        if not self.directory.path.exists():
            return True
        with FileLock(self.directory.engine_lock) as owner:
            return owner.acquire()

    def is_settled(self, store: Store) -> bool:
        return not store.query("SELECT seq FROM puppylog.invalidations LIMIT 1")

    def pretend_last_evaluation(self, evaluated_at: datetime) -> None:
        import duckdb  # noqa: PLC0415 - only a test without an engine opens the database

        self.kill_engine()
        with duckdb.connect(str(self.directory.database)) as database:
            database.execute("UPDATE puppylog.alerts SET evaluated_at = $at", {"at": evaluated_at})
        self._clients[-1].keep_alive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients:
            client.close()
        self.kill_engine()
