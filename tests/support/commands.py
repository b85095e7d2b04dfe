"""Runs Puppylog's commands as processes, as a user does."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.warm_commands import start_command


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


class Puppylog:
    """Runs commands against one store. The settings of the user who runs the tests have no effect."""

    def __init__(self, url: str, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PUPPYLOG_", "XDG_", "PG"))}
        self.environment = {**kept, "PUPPYLOG_STORE": url, "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "120"}

    def __call__(self, *arguments: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> Ran:
        """Run a command and wait until it ends."""
        pipe = subprocess.PIPE
        environment = {**self.environment, **(environment or {})}
        with start_command(arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
            try:
                out, err = process.communicate(stdin.encode(), timeout=120)
            except BaseException:
                process.kill()
                raise
        return Ran(process.returncode, out.decode(), err.decode())

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command that runs until the caller ends it."""
        return start_command(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
