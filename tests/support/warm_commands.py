"""Starts commands of Puppylog from a process that has imported their modules already.

A command spends up to 0.4 s of CPU time on imports, and the tests start hundreds. `start_command` starts one by a fork,
with the streams, the environment, the folder and the limits that it would have inherited. An engine that it starts is a
fork, too. Tests of the start itself, of the demo, and all tests in `make soak` start commands as users do.
"""

import atexit
import ctypes
import gc
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, NoReturn, Required, TextIO, TypedDict, Unpack

import puppylog
from puppylog.cli.main import COMMANDS
from puppylog.formats.registry import find_format
from puppylog.stores.duckdb.client import launch
from puppylog.stores.without_numpy import forbid_numpy
from support.examples import IS_SOAK
from support.warm_engines import WarmEngines, refuse_to_wait, rename_process

# This module imports Arrow, which would import numpy. In a fork, `serve` returns what the fork runs.
_START: Final = f"""
from puppylog.stores.without_numpy import forbid_numpy
forbid_numpy()
from {__name__} import run, serve
run(serve(), globals())
"""
_RUN_COMMAND: Final = "from puppylog.cli.main import main; main()"
_MODULES: Final = (
    *dict.fromkeys(place.partition(":")[0] for place, _ in COMMANDS.values()),
    "puppylog.collect.collector",
    "puppylog.serve.server",
    "puppylog.stores.duckdb.client.store",
    "puppylog.stores.postgres.store",
    "puppylog.stores.remote.store",
    "sqlglot.dialects.duckdb",
    "sqlglot.dialects.postgres",
)
_MAX_BYTES: Final = 1 << 17  # of a request
_MAX_WORDS_BYTES: Final = 4096
_LIMITS: Final = (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)
_SET_CHILD_SUBREAPER: Final = 36  # see prctl(2)
# Python reads these variables while it starts.
_OF_PYTHON: Final = ("PYTHON", "LC_", "LANG")

_starting: "list[_Commands]" = []


class Options(TypedDict, total=False):
    """What `subprocess.Popen` takes, too."""

    stdin: int | IO[bytes] | None
    stdout: int | IO[bytes] | None
    stderr: int | IO[bytes] | None
    env: Required[Mapping[str, str]]
    start_new_session: bool


def start_command(words: Sequence[str], **options: Unpack[Options]) -> "subprocess.Popen[bytes]":
    """Start ``puppylog`` with these words."""
    return _start(["-m", "puppylog", *words], _RUN_COMMAND, **options)


def start_program(text: str, *words: str, **options: Unpack[Options]) -> "subprocess.Popen[bytes]":
    """Start a program in Python with these words, as ``python -c`` does. It imports modules of Puppylog."""
    return _start(["-c", text, *words], text, **options)


def _start(arguments: Sequence[str], program: str, **options: Unpack[Options]) -> "subprocess.Popen[bytes]":
    if not _starting or _variables_of_python(options["env"]) != _variables_of_python(os.environ):
        return subprocess.Popen([sys.executable, *arguments], **options)
    return _ForkedCommand(_starting[0], arguments, program, **options)


def _variables_of_python(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_OF_PYTHON)}


@contextmanager
def starting_commands_warm(engines: WarmEngines) -> Iterator[None]:
    """Let `start_command` fork commands of one process, which is started when it is first needed."""
    if IS_SOAK:
        yield
        return
    commands = _Commands(engines)
    _starting.append(commands)
    try:
        yield
    finally:
        _starting.remove(commands)
        commands.close()


class _Commands:
    """The process that forks commands, and the socket through which it is asked."""

    def __init__(self, engines: WarmEngines) -> None:
        self._engines = engines
        self._process: subprocess.Popen[bytes] | None = None
        self._own, self._other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def fork(self, request: Mapping[str, object], streams: Sequence[int]) -> int:
        """Fork a command, and return its process id. It is a child of this process."""
        if self._process is None:
            self._start()
        socket.send_fds(self._own, [json.dumps(request).encode()], streams)
        return int(self._own.recv(_MAX_BYTES))

    def close(self) -> None:
        self._own.close()
        self._other.close()
        if self._process is not None:
            self._process.wait()

    def _start(self) -> None:
        # A process whose parent has ended becomes a child of this one, not of the system's first.
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        handles = [self._other.fileno(), self._engines.open_requests()]
        words = [sys.executable, "-c", _START, *map(str, handles), " " * _MAX_WORDS_BYTES]
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        self._process = subprocess.Popen(words, pass_fds=handles, stdin=subprocess.DEVNULL, env=environ)
        self._other.close()


class _ForkedCommand(subprocess.Popen[bytes]):
    """A command that was forked, as a `subprocess.Popen` whose child is made in another way."""

    def __init__(self, commands: _Commands, arguments: Sequence[str], program: str, **options: Unpack[Options]) -> None:
        self._commands = commands
        self._request = {
            "arguments": list(arguments),
            "program": program,
            "environment": dict(options["env"]),
            "folder": str(Path.cwd()),
            "limits": [resource.getrlimit(limit) for limit in _LIMITS],
            "starts_session": options.get("start_new_session", False),
        }
        super().__init__([sys.executable, *arguments], **options)

    def _execute_child(self, *arguments: Any) -> None:
        """Make the child, which `subprocess.Popen` has opened pipes for. The numbers are -1 for inherited streams."""
        pipes: tuple[int, ...] = arguments[10:16]
        ends = (pipes[0], pipes[3], pipes[5])
        self.pid = self._commands.fork(self._request, [own if own != -1 else at for at, own in enumerate(ends)])
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]  # not in typeshed, because it is private


def serve() -> str:
    """Fork a command for each request, until the tests end. Return in each fork what it runs."""
    requests, engines = (socket.socket(fileno=int(word)) for word in sys.argv[1:3])
    forbid_numpy()
    for module in _MODULES:
        import_module(module)
    find_format("auto").open().parse(b"2026-11-24 12:00:00 a line\n", 0, 0)  # reads the files of all formats
    launch.spawn_engine = WarmEngines.asked_through(engines).spawn
    launch.spawn_waiting_engine = refuse_to_wait
    gc.freeze()
    while True:
        request, streams, _, _ = socket.recv_fds(requests, _MAX_BYTES, 3)
        if not request:
            sys.exit()
        pid = _fork_orphan()
        if pid == 0:
            requests.close()
            return _prepare(json.loads(request), streams)
        requests.send(str(pid).encode())
        for stream in streams:
            os.close(stream)


def run(program: str, variables: dict[str, Any]) -> NoReturn:
    """Run a program and end the process as Python does, but without taking its modules apart.

    That would take 0.08 s of CPU time, because most memory of a fork is copied when it is first written. A program that
    ends by an exception ends in the usual way.
    """
    status = 0
    try:
        exec(program, variables)  # noqa: S102 - a program of a test
    except SystemExit as end:
        if end.code is not None and not isinstance(end.code, int):
            raise
        status = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]  # not in typeshed, because it is private
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody reads it any more, or the program has closed it
        sys.exit(status)
    os._exit(status)


def _fork_orphan() -> int:
    """Fork a process whose parent ends at once; return its id, and 0 in it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        pid = os.fork()
        if pid:
            os.write(writing, str(pid).encode())
            os._exit(0)
        os.close(reading)
        os.close(writing)
        return 0
    os.close(writing)
    os.waitpid(child, 0)  # from now on, the process is a child of the tests' one
    with os.fdopen(reading, "rb") as answer:
        return int(answer.read())


def _prepare(request: Mapping[str, Any], streams: Sequence[int]) -> str:
    """Become what the request says, and return the program to run."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = _open_stream(sys.stdin, "r")
    sys.stdout = _open_stream(sys.stdout, "w")
    sys.stderr = _open_stream(sys.stderr, "w", buffering=1)
    if request["starts_session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    for limit, (soft, hard) in zip(_LIMITS, request["limits"], strict=True):
        resource.setrlimit(limit, (soft, hard))
    arguments = request["arguments"]
    rename_process([os.fsencode(word) for word in (sys.executable, *arguments)])
    is_command = arguments[0] == "-m"
    sys.argv = [str(Path(puppylog.__file__).with_name("__main__.py")) if is_command else "-c", *arguments[2:]]
    return str(request["program"])


def _open_stream(inherited: TextIO, mode: str, buffering: int = -1) -> Any:
    """Return an object for a standard stream, as Python makes one when it starts."""
    number, encoding, errors = inherited.fileno(), inherited.encoding, inherited.errors
    return open(number, mode, buffering, encoding=encoding, errors=errors, closefd=False)
