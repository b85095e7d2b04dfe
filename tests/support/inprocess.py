"""Commands within the test's own process: quick, and as their callers see them."""

from dataclasses import dataclass

import pytest

from puppylog.cli.main import run
from support.commands import Ran


@dataclass(frozen=True, slots=True)
class InProcess:
    """Runs commands with the environment there is."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Ran:
        self.capsys.readouterr()
        code = run(arguments)
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)
