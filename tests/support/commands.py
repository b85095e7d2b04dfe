"""Runs Puppylog's commands as processes, as a user does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


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
        done = subprocess.run(
            [sys.executable, "-m", "puppylog", *arguments],
            input=stdin.encode(),
            capture_output=True,
            env={**self.environment, **(environment or {})},
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command that runs until the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "puppylog", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
