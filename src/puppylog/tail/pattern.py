"""Expands patterns of paths like a shell, with ``**`` for any depth. A loop of links is walked once only.

`glob` of the standard library follows a loop of links below ``**`` until the system refuses the path.
"""

import fnmatch
import glob
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from puppylog.tail.rotation.names import find_extended_base, list_bases

_ANY_DEPTH = "**"

OnListed: TypeAlias = Callable[[str], None]
"""Called with each directory before it is listed, and with a directory that is missing on the way to the others."""


def is_pattern(path: str) -> bool:
    """Return whether the path is a pattern. The name of an existing file is not, even if it looks like a pattern."""
    return glob.has_magic(path) and not os.path.lexists(path)


def iter_matches(pattern: str, on_listed: OnListed = lambda _: None) -> Iterator[str]:
    """Yield the absolute paths that match. Names that begin with a dot match only patterns that begin with a dot."""
    parts = Path(pattern).absolute().parts
    yield from dict.fromkeys(_iter_below(parts[0], parts[1:], on_listed))


def find_renamed(pattern: str) -> dict[str, list[str]]:
    """Return the missing paths that would match, each with the files that rotation has renamed from it.

    When ``app.log`` was renamed to ``app.log.1`` and no new ``app.log`` is there yet, no name matches ``*.log``. A file
    that matches the pattern by its own name is left out.
    """
    path = Path(pattern).absolute()
    if path.name == _ANY_DEPTH:
        return {}
    matches = _compile(path.name)
    directories = iter_matches(str(path.parent)) if glob.has_magic(str(path.parent)) else [str(path.parent)]
    renamed: dict[str, list[str]] = {}
    for directory in directories:
        names = list_names(directory)
        present = set(names)
        for name in names:
            if matches(name):
                continue
            file = f"{directory.rstrip('/')}/{name}"
            for base in (*list_bases(file), *filter(None, [find_extended_base(file)])):
                base_name = base.rpartition("/")[2]
                if base_name not in present and matches(base_name):
                    renamed.setdefault(base, []).append(file)
    return renamed


def list_names(directory: str) -> list[str]:
    """Return the sorted names in a directory; none if it is not a directory or may not be listed."""
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - faster, for thousands of names every few seconds
    except OSError:
        return []


def _compile(part: str) -> Callable[[str], object]:
    """Return the test of a name by one part of a pattern, compiled once for thousands of names."""
    return re.compile(fnmatch.translate(part)).match


def _iter_below(directory: str, parts: tuple[str, ...], on_listed: OnListed) -> Iterator[str]:
    part, rest = parts[0], parts[1:]
    if part == _ANY_DEPTH:
        for deeper in _walk(directory, on_listed):
            yield from _iter_below(deeper, rest or ("*",), on_listed)
        return
    if glob.has_magic(part) or not rest:
        on_listed(directory)
    elif not os.path.lexists(path := f"{directory.rstrip('/')}/{part}"):
        on_listed(path)  # not `directory`, which may be /tmp, where names come and go all the time
    for path in _iter_matching(directory, part):
        if not rest:
            yield path
        elif Path(path).is_dir():
            yield from _iter_below(path, rest, on_listed)


def _iter_matching(directory: str, part: str) -> Iterator[str]:
    if not glob.has_magic(part):
        path = str(Path(directory, part))
        if os.path.lexists(path):
            yield path
        return
    matches = _compile(part)
    below = directory.rstrip("/")
    for name in list_names(directory):
        if matches(name) and (not name.startswith(".") or part.startswith(".")):
            yield f"{below}/{name}"  # faster than Path, for a thousand idle files every few seconds


def _walk(directory: str, on_listed: OnListed) -> Iterator[str]:
    """Yield the directory and all below it, each once. Links are followed last, so real paths are preferred."""
    seen: set[tuple[int, int]] = set()
    waiting, links = deque([directory]), deque[str]()
    while waiting or links:
        path = waiting.popleft() if waiting else links.popleft()
        on_listed(path)
        try:
            status = Path(path).stat()
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        yield path
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                links.append(entry.path)
            elif entry.is_dir():
                waiting.append(entry.path)
