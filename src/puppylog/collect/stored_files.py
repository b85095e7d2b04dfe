"""Finds the files of a stream on disk by their content. Rotation may have moved and compressed them."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from puppylog.collect.same_file import find_match
from puppylog.model.source import split_uri
from puppylog.model.stream import FilePosition, KnownFile, Stream
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import identity_of
from puppylog.tail.rotation.candidate import DirectoryChanged
from puppylog.tail.rotation.position import Identity, position_identity
from puppylog.tail.rotation.snapshot import list_candidates, list_nearby

_TRIES: Final = 20
"""A directory that changes during this many searches changes for another reason than a rotation."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that a stream has read, and where it is now."""

    position: FilePosition
    path: str | None  # None: no file with the content is found
    problem: str = ""  # why a file that may be it cannot be read; empty if there is none


def find_stored_files(stream: Stream) -> list[StoredFile]:
    """Return the files of a stream of which bytes are stored, in the order in which they were registered."""
    positions = [position for position in stream.files if position.byte_offset > 0]
    path = split_uri(stream.source_uri)[1]
    for _ in range(_TRIES - 1):
        with contextlib.suppress(DirectoryChanged):
            return _find(stream, positions, _list_paths(path, positions))
    try:
        return _find(stream, positions, _list_paths(path, positions))
    except DirectoryChanged as error:
        return [StoredFile(position, None, str(error)) for position in positions]


def _list_paths(path: str, positions: Sequence[FilePosition]) -> dict[str, Identity]:
    """Return the files that may be those of the positions: those with their inodes first, then copies of them.

    Raises:
        DirectoryChanged: files were renamed while a directory was listed.
    """
    found: dict[str, Identity] = {}
    with contextlib.suppress(OSError):
        found[path] = identity_of(Path(path).stat())
    inodes = {position.inode for position in positions}
    paths = [path, os.path.realpath(path), *dict.fromkeys(position.path for position in positions)]
    with contextlib.suppress(OSError):
        candidates = list_candidates(paths, inodes)
        candidates += list_nearby(path, inodes, candidates)
        found.update({candidate.path: candidate.identity for candidate in candidates})
    return found


def _find(stream: Stream, positions: Sequence[FilePosition], paths: dict[str, Identity]) -> list[StoredFile]:
    return [_find_one(stream, position, paths) for position in positions]


def _find_one(stream: Stream, position: FilePosition, paths: dict[str, Identity]) -> StoredFile:
    known = KnownFile(stream.stream_id, stream.source_uri, position)
    own = position_identity(position)
    problem = ""
    for path in sorted(paths, key=lambda path: paths[path] != own):
        try:
            with contextlib.closing(open_log(path)) as handle:
                if handle.identity != paths[path]:
                    raise DirectoryChanged(f"{path} is another file now")
                if find_match(known, handle) is not None:
                    return StoredFile(position, path)
        except FileNotFoundError:
            raise DirectoryChanged(f"{path} is gone") from None
        except OSError as error:
            if paths[path] == own:
                problem = (error.strerror or str(error)).lower()
    return StoredFile(position, None, problem)
