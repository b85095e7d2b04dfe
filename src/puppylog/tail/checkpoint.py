"""Recognizes a file by the bytes that were read from it: names change, and inodes are reused for other files.

A checkpoint is kept in memory and advanced with every block, so no byte is read twice for it. The store keeps its
fingerprint.
"""

from dataclasses import dataclass
from typing import Protocol

from puppylog.model.stream import HEAD_BYTES, MARKER_BYTES, Fingerprint, hash_bytes
from puppylog.tail.handle import OpenFile


@dataclass(frozen=True, slots=True)
class Checkpoint:
    r"""An offset in a file, the first bytes of the file, and the last bytes before the offset.

    Example:
        >>> checkpoint = START_OF_FILE.after(b"one\ntwo\n", 4)
        >>> checkpoint.offset, checkpoint.head, checkpoint.marker
        (4, b'one\n', b'one\n')
    """

    offset: int  # in bytes
    head: bytes  # HEAD_BYTES; fewer only if the offset is smaller
    marker: bytes  # the MARKER_BYTES before the offset; fewer only if the offset is smaller

    def after(self, block: bytes, size: int) -> "Checkpoint":
        """Return the checkpoint ``size`` bytes further on. ``block`` holds the bytes that follow this checkpoint."""
        head = self.head
        if len(head) < HEAD_BYTES:
            head += block[: min(size, HEAD_BYTES - len(head))]
        from_block = block[max(0, size - MARKER_BYTES) : size]
        marker = self.marker[max(0, len(self.marker) + len(from_block) - MARKER_BYTES) :] + from_block
        return Checkpoint(self.offset + size, head, marker)

    def fingerprint(self) -> Fingerprint:
        """Return the hashes of head and marker, as a store keeps them."""
        return Fingerprint(len(self.head), hash_bytes(self.head), len(self.marker), hash_bytes(self.marker))

    def is_of(self, handle: OpenFile) -> bool:
        """Return whether the file still has the marker before the offset. A truncated file has other bytes there."""
        return handle.read(len(self.marker), self.offset - len(self.marker)) == self.marker


START_OF_FILE = Checkpoint(0, b"", b"")
"""The checkpoint before the first byte of any file."""


def read_checkpoint(handle: OpenFile, offset: int) -> Checkpoint | None:
    """Return the checkpoint of the file at ``offset``; None if the file is shorter."""
    head_size, marker_size = min(offset, HEAD_BYTES), min(offset, MARKER_BYTES)
    head = handle.read(head_size, 0)
    if len(head) < head_size:
        return None
    marker = handle.read(marker_size, offset - marker_size)
    return Checkpoint(offset, head, marker) if len(marker) == marker_size else None


def has_head(handle: OpenFile, fingerprint: Fingerprint) -> bool:
    """Return whether the first bytes of the file have the hash of the fingerprint's head."""
    head = handle.read(fingerprint.head_size, 0)
    return len(head) == fingerprint.head_size and hash_bytes(head) == fingerprint.head_hash


class Recorded(Protocol):
    """An offset in a file, and the fingerprint of the file when it was read up to there."""

    @property
    def fingerprint(self) -> Fingerprint: ...

    @property
    def byte_offset(self) -> int: ...


def confirm(handle: OpenFile, recorded: Recorded) -> Checkpoint | None:
    """Return the checkpoint at the recorded offset if the file still has the recorded fingerprint, else None."""
    fingerprint = recorded.fingerprint
    if not has_head(handle, fingerprint):  # checked first: a compressed file must be decompressed up to the offset
        return None
    checkpoint = read_checkpoint(handle, recorded.byte_offset)
    if checkpoint is None:
        return None
    marker = checkpoint.marker[len(checkpoint.marker) - fingerprint.marker_size :]
    return checkpoint if hash_bytes(marker) == fingerprint.marker_hash else None
