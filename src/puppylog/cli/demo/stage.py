"""The environment of the demo: a temporary directory with a store, and real puppylog commands as processes in it."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from puppylog.cli.demo.screen import Screen
from puppylog.errors import PuppylogError, StoreError
from puppylog.stores.connect import stop

# A collector ends within 10 s of SIGINT.
_END_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Running:
    process: subprocess.Popen[str]
    arguments: tuple[str, ...]
    listener: threading.Thread


class Stage:
    """A context manager whose exit ends all its processes and deletes all its files.

    Every method but `end_all` raises KeyboardInterrupt once ``asked_to_end`` is set.
    """

    def __init__(self, screen: Screen, asked_to_end: threading.Event) -> None:
        self._screen = screen
        self._asked_to_end = asked_to_end
        self._stack = ExitStack()
        self.path = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="puppylog-demo-")))
        self.url = f"duckdb://{self.path / 'store'}"
        self._stack.callback(self._stop_engine)
        self._stack.callback(self.end_all)
        self._running: list[_Running] = []
        nowhere = str(self.path / "no-configuration")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPPYLOG_")}
        self._environ = {**kept, "PUPPYLOG_STORE": self.url, "XDG_CONFIG_HOME": nowhere, "PYTHONUNBUFFERED": "1"}

    def run(self, *arguments: str) -> None:
        """Show a command and run it to its end, with its output on stdout.

        Raises:
            StoreError: its exit code is not 0.
        """
        self._screen.hide()
        self._announce(arguments)
        sys.stdout.flush()
        command = self._command(arguments)
        done = subprocess.run(command, cwd=self.path, env=self._environ, check=False, stderr=subprocess.STDOUT)
        self._check_interrupt()  # an interrupt at the terminal has ended the command as well
        _require(done.returncode == 0, arguments, done.returncode)

    def read(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command that writes JSON, and return its rows.

        Raises:
            StoreError: its exit code is not 0.
        """
        command = self._command((*arguments, "-o", "json"))
        done = subprocess.run(command, cwd=self.path, env=self._environ, check=False, stdout=subprocess.PIPE)
        self._check_interrupt()  # an interrupt at the terminal has ended the command as well
        _require(done.returncode == 0, arguments, done.returncode)
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def start(self, *arguments: str, on_line: Callable[[str], None]) -> subprocess.Popen[str]:
        """Show a command and start it; ``on_line`` is called with every line of its output, in another thread."""
        self._announce((*arguments, "&"))
        process = subprocess.Popen(
            self._command(arguments),
            cwd=self.path,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C interrupts only the demo, which ends its processes in the right order
        )
        listener = threading.Thread(target=_listen, args=(process, on_line), name=f"demo-{arguments[0]}", daemon=True)
        listener.start()
        self._running.append(_Running(process, arguments, listener))
        return process

    def kill(self, process: subprocess.Popen[str]) -> None:
        """Kill a process with SIGKILL."""
        process.kill()
        self._running = [running for running in self._running if running.process is not process]
        process.wait()

    def end_all(self) -> None:
        """Interrupt all processes, and wait until they have ended and their output is read."""
        while self._running:
            running = self._running.pop()
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGINT)
            try:
                running.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()
            running.listener.join()

    def wait(self, seconds: float) -> None:
        """Wait, and then check that all started processes still run.

        Raises:
            StoreError: a process has ended by itself.
        """
        self._asked_to_end.wait(seconds)
        self._check_interrupt()
        for running in self._running:
            code = running.process.poll()
            _require(code is None, running.arguments, code)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _check_interrupt(self) -> None:
        if self._asked_to_end.is_set():
            raise KeyboardInterrupt

    def _stop_engine(self) -> None:
        try:
            stop(self.url)
        except PuppylogError as problem:
            self._screen.say(problem.message)

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "puppylog", *arguments]

    def _announce(self, arguments: tuple[str, ...]) -> None:
        self._check_interrupt()
        shown = shlex.join(arguments).replace("'&'", "&")
        self._screen.say(f"$ puppylog {shown}", bold=True)


def _require(is_well: bool, arguments: tuple[str, ...], code: int | None) -> None:
    if not is_well:
        raise StoreError("continue", "the demo", f"puppylog {arguments[0]} has exited with {code}")


def _listen(process: subprocess.Popen[str], on_line: Callable[[str], None]) -> None:
    assert process.stdout is not None  # noqa: S101 - start asks for a pipe, which the type checker does not know
    with process.stdout as lines:
        for line in lines:
            on_line(line.rstrip("\n"))
