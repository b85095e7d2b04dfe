"""Where the demo plays: a temporary directory with a store of its own, and the real commands as processes in it."""

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
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from puppylog.cli.demo.screen import Screen
from puppylog.errors import PuppylogError, StoreError
from puppylog.stores.connect import stop

# A collector commits within 10 s after it was asked to end.
_END_S: Final = 15.0


class Stage:
    """Usable with ``with``: at its end there is no process of it any more, and no file."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._stack = ExitStack()
        self.path = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="puppylog-demo-")))
        self.url = f"duckdb://{self.path / 'store'}"
        self._stack.callback(self._stop_engine)
        nowhere = str(self.path / "no-configuration")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPPYLOG_")}
        self._environ = {**kept, "PUPPYLOG_STORE": self.url, "XDG_CONFIG_HOME": nowhere, "PYTHONUNBUFFERED": "1"}

    def run(self, *arguments: str) -> None:
        """Show a command and run it to its end; its output goes where ours goes.

        Raises:
            StoreError: it did not end with 0.
        """
        self._screen.hide()
        self._announce(arguments)
        sys.stdout.flush()
        done = subprocess.run(self._command(arguments), cwd=self.path, env=self._environ, check=False)
        if done.returncode != 0:
            raise StoreError(f"cannot go on with the demo: puppylog {arguments[0]} ended with {done.returncode}")

    def read(self, *arguments: str) -> list[dict[str, Any]]:
        """Run a command that answers in JSON and return its rows.

        Raises:
            StoreError: it did not end with 0.
        """
        command = self._command([*arguments, "-o", "json"])
        done = subprocess.run(command, cwd=self.path, env=self._environ, check=False, stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise StoreError(f"cannot go on with the demo: puppylog {arguments[0]} ended with {done.returncode}")
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def start(self, *arguments: str, hear: Callable[[str], None]) -> subprocess.Popen[str]:
        """Show a command and leave it running; ``hear`` is called with every line it says, in a thread of its own."""
        self._announce([*arguments, "&"])
        process = subprocess.Popen(
            self._command(arguments),
            cwd=self.path,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # an interrupt at our terminal is for us: we end it in the right order
        )
        listener = threading.Thread(target=_listen, args=(process, hear), name=f"demo-{arguments[0]}", daemon=True)
        listener.start()
        self._stack.callback(listener.join)
        self._stack.callback(self.end, process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """Ask a process to end and wait until it has. It is OK if it has ended before."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # One who presses Ctrl-C twice must not keep us from cleaning up.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._stack.close()
        finally:
            signal.signal(signal.SIGINT, before)

    def _stop_engine(self) -> None:
        try:
            stop(self.url)
        except PuppylogError as problem:
            self._screen.say(problem.message)

    def _command(self, arguments: list[str] | tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "puppylog", *arguments]

    def _announce(self, arguments: list[str] | tuple[str, ...]) -> None:
        shown = shlex.join(arguments).replace("'&'", "&")
        self._screen.say(f"$ puppylog {shown}", bold=True)


def _listen(process: subprocess.Popen[str], hear: Callable[[str], None]) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for in start; tells the type checker
    with process.stdout as lines:
        for line in lines:
            hear(line.rstrip("\n"))
