"""Runs commands within the process of the test, which is faster than a process for each."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from unittest import mock

import pytest

from puppylog.cli.main import run
from puppylog.cli.surroundings import Surroundings
from support.commands import Puppylog, Ran


@dataclass(frozen=True, slots=True)
class InProcess:
    """Runs commands with the environment of the test."""

    capsys: pytest.CaptureFixture[str]
    surroundings: Surroundings | None = None

    def at(self, now: datetime) -> Self:
        """Return a runner of commands for which it is ``now``."""
        return replace(self, surroundings=replace(self.surroundings or Surroundings(), clock=lambda: now))

    def wide(self, columns: int) -> Self:
        """Return a runner of commands that write for a terminal of so many cells, without colours."""
        return replace(self, surroundings=replace(self.surroundings or Surroundings(), columns=columns))

    def __call__(self, *arguments: str) -> Ran:
        self.capsys.readouterr()
        code = run(arguments, self.surroundings)
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)


@dataclass(frozen=True, slots=True)
class InProcessPuppylog:
    """Runs commands as `Puppylog` does, with the same environment, but within the process of the test."""

    puppylog: Puppylog
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Ran:
        with mock.patch.dict(os.environ, {**self.puppylog.environment, **(environment or {})}, clear=True):
            return InProcess(self.capsys)(*arguments)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command in a process of its own, which runs until the caller ends it."""
        return self.puppylog.start(*arguments)
