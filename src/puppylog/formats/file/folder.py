"""Finds format files by the names of their formats: the file of the format ``redis`` is ``redis.toml``.

This module loads no Arrow and reads no TOML, so that a command can list the names at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

SUFFIX: Final = ".toml"


_LONGEST_NAME: Final = 60  # longer texts, such as the log format of a server, are no names of files


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A format file in a folder."""

    path: Path | Traversable
    is_own: bool  # whether it is the user's, and not one of Puppylog


def find_file(name: str, folder: Path | None) -> FoundFile | None:
    """Return the file of a format; None if there is none.

    Args:
        name: what the user writes after ``--format``.
        folder: the user's format files, which take precedence over those of Puppylog; None if there is no such folder.
    """
    if not 0 < len(name) <= _LONGEST_NAME or "/" in name or name.startswith("."):
        return None
    if folder is not None and (own := folder / f"{name}{SUFFIX}").is_file():
        return FoundFile(own, is_own=True)
    packaged = _packaged().joinpath(f"{name}{SUFFIX}")
    return FoundFile(packaged, is_own=False) if packaged.is_file() else None


def list_files(folder: Path | None) -> Mapping[str, FoundFile]:
    """Return the format files by name: first the user's, then those of Puppylog, each in the order of their names."""
    own = {} if folder is None else {name: FoundFile(path, True) for name, path in _list_folder(folder).items()}
    packaged = {
        file.name.removesuffix(SUFFIX): FoundFile(file, False)
        for file in sorted(_packaged().iterdir(), key=lambda file: file.name)
        if file.name.endswith(SUFFIX)
    }
    return own | {name: file for name, file in packaged.items() if name not in own}


def _list_folder(folder: Path) -> dict[str, Path]:
    try:
        files = sorted(folder.iterdir())
    except OSError:  # most users have no such folder
        return {}
    return {file.stem: file for file in files if file.suffix == SUFFIX and file.is_file()}


def _packaged() -> Traversable:
    return resources.files("puppylog.formats").joinpath("files")
