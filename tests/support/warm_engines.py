"""Starts engines of embedded stores from a process that has imported their modules already.

Most of the time in which an engine starts goes into imports, and the tests start more than a thousand. A new store
begins with a copy of a database that has the schema. Engines of commands that tests start as users do are started as
users start them, too; see `warm_commands`.
"""

import ctypes
import errno
import gc
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn, Self

import pytest

from puppylog.stores.duckdb.client import launch
from puppylog.stores.duckdb.directory import StoreDirectory

if TYPE_CHECKING:  # an engine's modules are imported in the process of engines only
    from puppylog.stores.duckdb.engine.commits import CommitNumbers
    from puppylog.stores.duckdb.engine.damage import DamageNote
    from puppylog.stores.duckdb.engine.database import Engine

_MODULE: Final = "puppylog.stores.duckdb.engine"
_MODULES: Final = (
    f"{_MODULE}.__main__",
    # An engine imports these when it needs them. Most engines of tests need some, each of which would import them anew.
    f"{_MODULE}.levels",
    "puppylog.stores.aggregate",
    "puppylog.stores.samples",
    "pyarrow.compute",
    "pyarrow.parquet",
    "sqlglot.dialects.duckdb",
    "sqlglot.dialects.postgres",
)
# This module imports Arrow, which would import numpy.
_START: Final = f"""
from puppylog.stores.without_numpy import forbid_numpy
forbid_numpy()
from {__name__} import serve
serve()
"""
_EVIDENCE_S: Final = 60.0  # for the sample records of one evaluation
_MAX_BYTES: Final = 4096  # of a request, and of the words that a process was started with


class WarmEngine:
    """An engine that was started. Implements what ``launch`` needs of `subprocess.Popen`."""

    stdin = None  # it does not wait to be told

    def __init__(self, output: IO[bytes]) -> None:
        self.stdout = output

    @staticmethod
    def poll() -> int:
        """Return that the process need not be waited for: its parent is the process that it was forked from."""
        return 0


class WarmEngines:
    """Starts engines by forks of one process, which is started when it is first needed."""

    def __init__(self, requests: socket.socket, served: socket.socket | None) -> None:
        """Prepare.

        Args:
            requests: where the process is asked for engines.
            served: the other end, for the process; None if another process has started it.
        """
        self._requests = requests
        self._served = served
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def asked_through(cls, requests: socket.socket) -> Self:
        """Return engines that are forks of a process that another process has started."""
        return cls(requests, None)

    def open_requests(self) -> int:
        """Return the descriptor of the socket through which the process is asked. The process has started."""
        if self._served is not None:
            self._start(self._served)
        return self._requests.fileno()

    def spawn(self, directory: StoreDirectory, log: IO[bytes]) -> Any:
        """Start an engine, as `launch.spawn_engine` does."""
        self.open_requests()
        reading, writing = os.pipe()
        try:
            limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
            socket.send_fds(self._requests, [b"%d " % limit + os.fsencode(directory.path)], [writing, log.fileno()])
        finally:
            os.close(writing)
        return WarmEngine(os.fdopen(reading, "rb"))

    def wait(self) -> None:
        """Wait for the end of the process, which follows that of the last process that may ask it for an engine."""
        if self._process is not None:
            self._process.wait()

    def _start(self, served: socket.socket) -> None:
        words = [sys.executable, "-c", _START, str(served.fileno()), " " * _MAX_BYTES]
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        self._process = subprocess.Popen(
            words, pass_fds=[served.fileno()], stdin=subprocess.DEVNULL, cwd="/", env=environ
        )
        served.close()
        self._served = None


def refuse_to_wait(directory: StoreDirectory) -> NoReturn:
    """Start no engine that loads its modules: one that `WarmEngines` starts later has them already."""
    del directory
    raise OSError(errno.EAGAIN, "a warm engine needs no start before")


@contextmanager
def starting_engines_warm() -> Iterator[WarmEngines]:
    """Let this process start engines by forks of another one."""
    own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    engines = WarmEngines(own, other)
    with pytest.MonkeyPatch.context() as patch, own, other:
        patch.setattr(launch, "spawn_engine", engines.spawn)
        patch.setattr(launch, "spawn_waiting_engine", refuse_to_wait)
        yield engines
    engines.wait()


def serve() -> None:
    """Fork an engine for each request, until the tests end. The first word of the command is the socket's number."""
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        _serve(listening)


def _serve(requests: socket.socket) -> None:
    for module in _MODULES:
        import_module(module)
    from puppylog.stores.duckdb.engine import evidence  # noqa: PLC0415 - in this process only

    # On a busy machine the usual limits end searches whose result tests compare.
    pytest.MonkeyPatch().setattr(evidence, "MAX_S", _EVIDENCE_S)
    pytest.MonkeyPatch().setattr(evidence.Allowance, "_MAX_S", _EVIDENCE_S)
    _initialize_duckdb()
    with tempfile.TemporaryDirectory(prefix="puppylog-template-") as folder:
        _begin_with(_make_template(Path(folder) / "template.duckdb"))
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no zombie stays
        gc.freeze()
        _fork_engines(requests)


def _initialize_duckdb() -> None:
    """Let DuckDB build what all databases of a process share, such as its grammar, and end its threads."""
    import duckdb  # noqa: PLC0415 - in this process only

    before = _count_threads()
    with duckdb.connect(config={"threads": 1}) as database:
        database.sql("SELECT 1").to_arrow_table()
    assert _count_threads() == before, "a fork would lack a thread of DuckDB"


def _count_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _make_template(path: Path) -> Path:
    """Create a database with the schema, and return ``path``. Its threads are those of a process that ends."""
    from puppylog.stores.duckdb.engine.database import Engine  # noqa: PLC0415 - imported before the fork
    from puppylog.stores.duckdb.engine.schema import migrate  # noqa: PLC0415 - as above

    child = os.fork()
    if child == 0:
        status = 70
        try:
            with Engine(path) as engine:
                engine.write(migrate)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, "no template was made"
    return path


def _begin_with(template: Path) -> None:
    """Let engines copy the template if their store has no database yet."""
    from puppylog.stores.duckdb.engine import server  # noqa: PLC0415 - imported before the fork

    usual = server._open_database

    def open_database(
        path: Path, directory: StoreDirectory, commits: "CommitNumbers", damage: "DamageNote"
    ) -> "Engine":
        if commits.marked == 0 and not directory.database.exists() and not directory.write_ahead_log.exists():
            try:
                shutil.copyfile(template, directory.database)
            except OSError:  # the test leaves no room for it
                directory.database.unlink(missing_ok=True)
        return usual(path, directory, commits, damage)

    pytest.MonkeyPatch().setattr(server, "_open_database", open_database)


def _fork_engines(requests: socket.socket) -> None:
    while True:
        request, handles, _, _ = socket.recv_fds(requests, _MAX_BYTES, 2)
        if not request:
            return
        if os.fork() == 0:
            requests.close()
            limit, _, path = request.partition(b" ")
            _become_engine(path, *handles, file_size_limit=int(limit))
        for handle in handles:
            os.close(handle)


def _become_engine(path: bytes, output: int, log: int, *, file_size_limit: int) -> None:
    from puppylog.stores.duckdb.engine.server import main  # noqa: PLC0415 - imported before the fork

    status = 70
    try:
        os.setsid()
        # An engine inherits the limits of its client. Tests set this one, as a disk that is nearly full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        os.dup2(output, 1)
        os.dup2(log, 2)
        os.closerange(3, max(output, log) + 1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        rename_process([os.fsencode(sys.executable), b"-m", _MODULE.encode(), path])
        sys.argv = [_MODULE, os.fsdecode(path)]
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(status)


def rename_process(words: list[bytes]) -> None:
    """Replace the words of the command that the system shows for this process: tests find engines by them."""
    fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end: see proc(5)
    text = b"\0".join(words)
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
