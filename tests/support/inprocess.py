"""Runs commands within the process of the test, which is faster than a process for each."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import pytest

from puppylog.cli.main import run
from puppylog.cli.surroundings import Surroundings
from support.commands import Ran


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
