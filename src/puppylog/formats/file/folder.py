"""Finds format files by the names of their formats: the file of the format ``redis`` is ``redis.toml``.

This module loads no Arrow and parses no TOML, so that a command can list all formats at once.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from puppylog.formats.file.search_path import get_own_folder
from puppylog.formats.listed_formats import AUTO, FILE_MARK, LISTED

SUFFIX: Final = ".toml"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_TITLE: Final = re.compile(r"^title *= *(\"(?:[^\"\\]|\\.)*\"|'[^']*')", re.MULTILINE)
_LINE: Final = re.compile(
    r"^\[\[samples\]\][^\[]*?^line *= *"
    r"(?:'''\n?([^\n]+?)(?:'''|$)|\"\"\"\n?([^\n]+?)(?:\"\"\"|$)|(\"(?:[^\"\\]|\\.)*\"|'[^'\n]*'))",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A format file in a folder."""

    path: Path | Traversable
    is_own: bool  # whether it is the user's, and not one of Puppylog

    @property
    def origin(self) -> str:
        """Where the file is, for people: its path, or ``puppylog``."""
        return str(self.path) if self.is_own else "puppylog"


def find_file(name: str) -> FoundFile | None:
    """Return the file of a format; None if there is none. The user's file takes precedence over that of Puppylog."""
    if _NAME.fullmatch(name) is None:  # a log format of a server, which the system takes for no name of a file
        return None
    folder = get_own_folder()
    own = None if folder is None else folder / f"{name}{SUFFIX}"
    if own is not None and own.is_file():
        return FoundFile(own, is_own=True)
    packaged = _packaged().joinpath(f"{name}{SUFFIX}")
    return FoundFile(packaged, is_own=False) if packaged.is_file() else None


def find_versions(written: str) -> tuple[str, ...]:
    """Return a text for each file of the user that decides how lines are read; it differs when the file has changed.

    Args:
        written: what the user writes after ``--format``.
    """
    if written.startswith(FILE_MARK):
        paths: list[Path | Traversable] = [Path(written[1:]).expanduser()]
    else:
        wanted = list_files() if written == AUTO else {written: find_file(written)}
        paths = [file.path for file in wanted.values() if file is not None and file.is_own]
    return tuple(_find_version(path) for path in paths if isinstance(path, Path))


def _find_version(path: Path) -> str:
    try:
        state = path.stat()
    except OSError:  # reading the file says why it cannot be read
        return str(path)
    return f"{path.absolute()} {state.st_mtime_ns} {state.st_size}"


def is_packaged(name: str) -> bool:
    """Return whether Puppylog itself has a format of this name."""
    return name in LISTED or _packaged().joinpath(f"{name}{SUFFIX}").is_file()


def list_files() -> Mapping[str, FoundFile]:
    """Return the format files by name: first the user's, then those of Puppylog, each in the order of their names."""
    folder = get_own_folder()
    own = {} if folder is None else {name: FoundFile(path, True) for name, path in _list_folder(folder).items()}
    packaged = {
        file.name.removesuffix(SUFFIX): FoundFile(file, False)
        for file in sorted(_packaged().iterdir(), key=lambda file: file.name)
        if file.name.endswith(SUFFIX)
    }
    return own | {name: file for name, file in packaged.items() if name not in own}


def find_title_and_line(file: FoundFile) -> tuple[str, str]:
    """Return the title of a format file, and the first line of its first sample; both are empty if not found.

    The text is searched and not parsed: parsing fifty files would take a tenth of a second.
    """
    try:
        text = file.path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return "", ""
    title, line = _TITLE.search(text), _LINE.search(text)
    found = next((group for group in line.groups() if group is not None), "") if line is not None else ""
    return _read_string(title[1]) if title is not None else "", _read_string(found).splitlines()[0] if found else ""


def _read_string(written: str) -> str:
    if written.startswith("'"):
        return written[1:-1]
    try:
        return str(json.loads(written)) if written.startswith('"') else written
    except ValueError:  # an escape that TOML has and JSON has not
        return written[1:-1]


def _list_folder(folder: Path) -> dict[str, Path]:
    try:
        files = sorted(folder.iterdir())
    except OSError:  # most users have no such folder
        return {}
    return {file.stem: file for file in files if file.suffix == SUFFIX and file.is_file()}


def _packaged() -> Traversable:
    return resources.files("puppylog.formats").joinpath("files")
