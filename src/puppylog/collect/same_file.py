"""Tells whether an opened file is the file of a known position: by inode and fingerprint, or by content alone."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from puppylog.model.source import split_uri
from puppylog.model.stream import HEAD_BYTES, FilePosition, KnownFile, hash_bytes
from puppylog.tail.checkpoint import Checkpoint, confirm
from puppylog.tail.compression import SUFFIXES
from puppylog.tail.copies import is_beginning_of, is_copy_of_live
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile, identity_of
from puppylog.tail.rotation.names import find_extended_base, list_bases
from puppylog.tail.rotation.position import Identity, position_identity


def is_copy_path(path: str) -> bool:
    """Return whether the path is that of a copied or compressed file, which has an inode of its own."""
    return path.endswith(SUFFIXES) or bool(find_bases(path))


def find_heads(handle: OpenFile) -> Sequence[tuple[int, str]]:
    """Return the size in bytes and the hash of every head that a position in this file, or in its original, may have.

    A head ends after a line, or is as long as it may be.

    Raises:
        OSError: the file cannot be read now.
    """
    head = handle.read(HEAD_BYTES, 0)
    sizes = {at + 1 for at, byte in enumerate(head) if byte == 0x0A} | {len(head)}
    return [(size, hash_bytes(head[:size])) for size in sorted(sizes) if size > 0]


def find_match(file: KnownFile, handle: OpenFile) -> Checkpoint | None:
    """Return the checkpoint of the opened file at the known position; None if the opened file is another file.

    Two files that begin alike need not be copies. If the inode differs, the opened file must be compressed or have the
    name of a rotated file, and begin with all bytes that the store has. If these are less than a full head, the file
    must also end there, or have the name that rotation gives to the known file.

    Raises:
        OSError: the file cannot be read now.
    """
    position = file.position
    if position.fingerprint.head_size == 0:
        return None
    if position_identity(position) == handle.identity:
        return confirm(handle, position)
    bases, known = find_bases(handle.path), _known_paths(file)
    is_rotated = not bases.isdisjoint(known) or any(_has_identity(base, position) for base in bases)
    if not (handle.is_compressed or is_rotated or _names(bases) & _names(known)):
        return None
    checkpoint = confirm(handle, position)
    if checkpoint is None or _has_diverged(file, handle):
        return None
    if position.fingerprint.head_size == HEAD_BYTES or not handle.read(1, position.byte_offset):
        return checkpoint
    return checkpoint if is_rotated and not position.finished else None


@dataclass(frozen=True, slots=True)
class CopiedLog:
    """A log that copytruncate has copied and not emptied yet."""

    path: str
    identity: Identity


def find_copied_logs(handle: OpenFile) -> Sequence[CopiedLog]:
    """Return the logs of which the opened file is a complete or partial copy, by its name and content.

    Raises:
        OSError: the file cannot be read now.
    """
    copied = []
    for path in find_bases(handle.path):
        try:
            with contextlib.closing(open_log(path)) as log:
                if log.identity != handle.identity and is_copy_of_live(handle, log):
                    copied.append(CopiedLog(path, log.identity))
        except OSError:
            continue  # the log does not exist, or cannot be read
    return copied


def _has_identity(path: str, position: FilePosition) -> bool:
    """Return whether the file at the path has the inode of the position: the log was copied and then emptied."""
    try:
        return identity_of(Path(path).stat()) == position_identity(position)
    except OSError:
        return False


def _has_diverged(file: KnownFile, handle: OpenFile) -> bool:
    """Return whether the known file is still at its path, and differs from the opened one after the position."""
    position = file.position
    try:
        with contextlib.closing(open_log(os.path.realpath(split_uri(file.source_uri)[1]))) as original:
            if original.identity != position_identity(position) or confirm(original, position) is None:
                return False
            return not is_beginning_of(handle, original)
    except OSError:
        return False


def find_bases(path: str) -> set[str]:
    """Return the paths of the logs of which a file with this path is a rotated file, going by the name."""
    extended = find_extended_base(path)
    return {*list_bases(path), *([] if extended is None else [extended])}


def _known_paths(file: KnownFile) -> set[str]:
    paths = {split_uri(file.source_uri)[1], file.position.path}
    return paths.union(*(find_bases(path) for path in paths))


def _names(paths: set[str]) -> set[str]:
    return {PurePath(path).name for path in paths}
