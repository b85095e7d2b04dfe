"""Configuration files of tests: what they say, and their faults."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from puppylog.config.reading import check_configuration, read_configuration
from puppylog.config.values import Configuration

Write: TypeAlias = Callable[[str], Path]


def read(path: Path) -> Configuration:
    return read_configuration([path])


def list_faults(path: Path) -> list[str]:
    """Return the faults of a file, without the part of the messages that names the file."""
    _, faults = check_configuration([path])
    prefix = f"cannot use {path}: "
    assert [fault.message for fault in faults if not fault.message.startswith(prefix)] == []
    return [fault.message.removeprefix(prefix) for fault in faults]
