"""Fixtures for collectors over a directory of logs."""

from functools import partial
from pathlib import Path

import pytest

from puppylog.collect import collector as collector_module
from puppylog.collect import source_opener as opening_module
from puppylog.tail.tailer import Tailer
from support.numbered_logs import Logs


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Logs:
    monkeypatch.setattr(opening_module, "Tailer", partial(Tailer, rotate_wait_s=0.3))
    monkeypatch.setattr(collector_module, "_EXPAND_S", 0.05)
    directory = tmp_path / "logs"
    directory.mkdir()
    return Logs(directory)
