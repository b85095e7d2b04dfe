"""A file of the configuration, written by a test."""

from pathlib import Path

import pytest

from support.configuration_files import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return write_file
