"""Telling a file from another that has its inode, or its copy from a stranger: by what it holds, not by its name.

An imprint is what one must remember of the bytes read so far. It follows the reading without going back to the file.
"""

from dataclasses import dataclass
from typing import Protocol

from puppylog.model.stream import HEAD_BYTES, MARKER_BYTES, Fingerprint, hash_bytes
from puppylog.tail.handle import OpenFile


@dataclass(frozen=True, slots=True)
class Imprint:
    """The first bytes of a file, and the last ones before an offset; both shorter only where the file is."""

    offset: int
    head: bytes
    edge: bytes

    def after(self, block: bytes, size: int) -> "Imprint":
        """Return the imprint as of ``size`` bytes into ``block``, which stands at the offset of this one."""
        head = self.head
        if len(head) < HEAD_BYTES:
            head += block[: min(size, HEAD_BYTES - len(head))]
        from_block = block[max(0, size - MARKER_BYTES) : size]
        edge = self.edge[max(0, len(self.edge) + len(from_block) - MARKER_BYTES) :] + from_block
        return Imprint(self.offset + size, head, edge)

    def fingerprint(self) -> Fingerprint:
        return Fingerprint(len(self.head), hash_bytes(self.head), len(self.edge), hash_bytes(self.edge))

    def is_of(self, handle: OpenFile) -> bool:
        """Whether the file still holds these bytes before the offset. Another content has other ones there."""
        return handle.read(len(self.edge), self.offset - len(self.edge)) == self.edge


BLANK = Imprint(0, b"", b"")
"""Of any file, before its first byte."""


def read_imprint(handle: OpenFile, offset: int) -> Imprint | None:
    """Return the imprint of the file as of ``offset``; None if it is not that long."""
    head_size, edge_size = min(offset, HEAD_BYTES), min(offset, MARKER_BYTES)
    head = handle.read(head_size, 0)
    if len(head) < head_size:
        return None
    edge = handle.read(edge_size, offset - edge_size)
    return Imprint(offset, head, edge) if len(edge) == edge_size else None


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


def confirm(handle: OpenFile, recorded: Recorded) -> Imprint | None:
    """Return the file's imprint at the offset if it still holds what was recorded, else None."""
    fingerprint = recorded.fingerprint
    if not has_head(handle, fingerprint):  # asked first: to get to the offset, a compressed file is read up to there
        return None
    imprint = read_imprint(handle, recorded.byte_offset)
    if imprint is None:
        return None
    marker = imprint.edge[len(imprint.edge) - fingerprint.marker_size :]
    return imprint if hash_bytes(marker) == fingerprint.marker_hash else None
