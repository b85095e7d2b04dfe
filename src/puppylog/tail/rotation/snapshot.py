"""Lists the candidates for the files of a path: rotated files in its directory, and files with a wanted inode."""

import os
import stat
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from puppylog.tail.handle import identity_of
from puppylog.tail.rotation.candidate import Candidate, DirectoryChanged
from puppylog.tail.rotation.content import FileContent
from puppylog.tail.rotation.names import parse_rotated_name
from puppylog.tail.rotation.position import Identity

_MAX_NEARBY = 200  # directories; each is listed twice in a search


def list_candidates(paths: Sequence[str], inodes: Collection[int]) -> list[Candidate]:
    """Return the rotated files of the paths, and files in the same directories that have one of the inodes.

    The file at the first path is left out. The order is that of `sort_candidates`.

    Args:
        paths: the path, and other paths that its file has or had, such as the target of a link.
        inodes: signed, as `identity_of` returns them.

    Raises:
        DirectoryChanged: files were renamed while a directory was listed, so the list may not be complete.
        OSError: a directory cannot be listed.
    """
    candidates: dict[Identity, Candidate] = {}
    for path in dict.fromkeys(paths):
        try:
            listed = _list_directory(Path(path), inodes)
        except PermissionError:
            continue  # the file may be read although its directory may not be listed
        except (FileNotFoundError, NotADirectoryError):
            if path == paths[0]:
                raise
            continue  # the directory that had a known file is gone
        for candidate in listed:
            if candidate.path != paths[0] and (candidate.identity not in candidates or candidate.is_rotated):
                candidates[candidate.identity] = candidate
    return sort_candidates(candidates.values())


def list_nearby(path: str, inodes: Collection[int], found: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates in the directories below the path's directory and next to it, without those in ``found``.

    Logrotate's `olddir` is usually one of these directories: ``old`` or ``../old``.

    Raises: as `list_candidates`.
    """
    seen = {candidate.identity for candidate in found}
    nearby = list_candidates([path, *_list_nearby_paths(path)], inodes)
    return [replace(candidate, is_nearby=True) for candidate in nearby if candidate.identity not in seen]


def sort_candidates(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates in the order of their last change, the newest last.

    Of two with the same time, the one with the lower number or the later date in its name is the newer one.
    """
    return sorted(candidates, key=lambda found: (found.mtime_ns, -(found.number or 0), found.date or "", found.path))


def _list_nearby_paths(path: str) -> list[str]:
    """Return the path's name in each nearby directory; of very many directories, only in some."""
    directory = Path(path).parent
    found: dict[str, None] = {}
    for parent in (directory, directory.parent):
        try:
            with os.scandir(parent) as entries:
                found.update((entry.path, None) for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            continue  # a directory that may not be listed cannot be searched
    found.pop(str(directory), None)
    return [f"{found_in}/{Path(path).name}" for found_in in islice(found, _MAX_NEARBY)]


def _list_directory(path: Path, inodes: Collection[int]) -> list[Candidate]:
    entries = _scan(path, inodes)
    candidates = [candidate for name, _ in entries if (candidate := _make_candidate(path, name)) is not None]
    if _scan(path, inodes) != entries:
        raise DirectoryChanged(f"{path.parent} has changed")
    return candidates


def _scan(path: Path, inodes: Collection[int]) -> set[tuple[str, int]]:
    # A directory with thousands of logs is scanned once for each log, so each entry must be fast.
    base, stem, wanted = path.name, path.stem, {inode % 2**64 for inode in inodes}
    with os.scandir(path.parent) as entries:
        return {
            (entry.name, entry.inode())
            for entry in entries
            if entry.inode() in wanted
            or (entry.name.startswith(stem) and parse_rotated_name(base, entry.name) is not None)
        }


def _make_candidate(path: Path, name: str) -> Candidate | None:
    found = path.parent / name
    try:
        status = found.stat()
    except OSError:
        return None  # the file is gone, or its status may not be read
    if not stat.S_ISREG(status.st_mode):
        return None
    rotated = parse_rotated_name(path.name, name)
    identity = identity_of(status)
    content = FileContent(str(found), identity)
    return Candidate(str(found), identity, status.st_size, status.st_mtime_ns, rotated, content)
