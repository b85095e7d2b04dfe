"""Telling a file from another that has its inode, or its copy from a stranger: by what it holds, not by its name.

A checkpoint is what one must remember of the bytes read so far. It follows the reading without going back to the file.
"""

from dataclasses import dataclass
from typing import Protocol

from puppylog.model.stream import HEAD_BYTES, MARKER_BYTES, Fingerprint, hash_bytes
from puppylog.tail.handle import OpenFile


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first bytes of a file, and the last ones before an offset; both shorter only where the file is."""

    offset: int
    head: bytes
    marker: bytes

    def after(self, block: bytes, size: int) -> "Checkpoint":
        """Return the checkpoint as of ``size`` bytes into ``block``, which stands at the offset of this one."""
        head = self.head
        if len(head) < HEAD_BYTES:
            head += block[: min(size, HEAD_BYTES - len(head))]
        from_block = block[max(0, size - MARKER_BYTES) : size]
        marker = self.marker[max(0, len(self.marker) + len(from_block) - MARKER_BYTES) :] + from_block
        return Checkpoint(self.offset + size, head, marker)

    def fingerprint(self) -> Fingerprint:
        return Fingerprint(len(self.head), hash_bytes(self.head), len(self.marker), hash_bytes(self.marker))

    def is_of(self, handle: OpenFile) -> bool:
        """Whether the file still holds these bytes before the offset. Another content has other ones there."""
        return handle.read(len(self.marker), self.offset - len(self.marker)) == self.marker


START_OF_FILE = Checkpoint(0, b"", b"")
"""Of any file, before its first byte."""


def read_checkpoint(handle: OpenFile, offset: int) -> Checkpoint | None:
    """Return the checkpoint of the file as of ``offset``; None if it is not that long."""
    head_size, marker_size = min(offset, HEAD_BYTES), min(offset, MARKER_BYTES)
    head = handle.read(head_size, 0)
    if len(head) < head_size:
        return None
    marker = handle.read(marker_size, offset - marker_size)
    return Checkpoint(offset, head, marker) if len(marker) == marker_size else None


def has_head(handle: OpenFile, fingerprint: Fingerprint) -> bool:
    """Whether the file begins as the fingerprint says."""
    head = handle.read(fingerprint.head_size, 0)
    return len(head) == fingerprint.head_size and hash_bytes(head) == fingerprint.head_hash


class Recorded(Protocol):
    """An offset in a file, and what the file held when it was read up to there."""

    @property
    def fingerprint(self) -> Fingerprint: ...

    @property
    def byte_offset(self) -> int: ...


def confirm(handle: OpenFile, recorded: Recorded) -> Checkpoint | None:
    """Return the file's checkpoint at the offset if it still holds what was recorded, else None."""
    fingerprint = recorded.fingerprint
    if not has_head(handle, fingerprint):  # asked first: to get to the offset, a compressed file is read up to there
        return None
    checkpoint = read_checkpoint(handle, recorded.byte_offset)
    if checkpoint is None:
        return None
    marker = checkpoint.marker[len(checkpoint.marker) - fingerprint.marker_size :]
    return checkpoint if hash_bytes(marker) == fingerprint.marker_hash else None
