"""Runs commands within the process of the test, which is faster than a process for each."""

from dataclasses import dataclass

import pytest

from puppylog.cli.main import run
from support.commands import Ran


@dataclass(frozen=True, slots=True)
class InProcess:
    """Runs commands with the environment of the test."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ran:
        self.capsys.readouterr()
        code = run(arguments)
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)
