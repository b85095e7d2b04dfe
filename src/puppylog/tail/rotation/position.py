"""A position: how far a file was read, and its fingerprint then. It comes from the store or from a reader."""

import time
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from puppylog.model.stream import FilePosition, Fingerprint

Identity: TypeAlias = tuple[int, int]
"""Device and inode, as signed 64-bit numbers."""

_ANSWER_S: Final = 5.0
"""How long the answer of a store may take. The ages in it are too small by up to this time."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadPosition:
    """How far one file was read, and how to recognize the file. Equal only to itself."""

    path: str  # where the file was last seen
    identity: Identity
    fingerprint: Fingerprint
    byte_offset: int  # all bytes before it were read
    finished: bool  # nothing is left to read, or another tailer reads the rest
    stored: FilePosition | None = None  # the file's position in the store; None if the store does not know the file
    opened_at_ns: int | None = None  # when the file was registered, in nanoseconds since the epoch; None if unknown

    @classmethod
    def of(cls, stored: FilePosition) -> Self:
        """Return the position that a store has."""
        return cls(
            stored.path,
            position_identity(stored),
            stored.fingerprint,
            stored.byte_offset,
            stored.finished,
            stored,
            None if stored.opened_ago_s is None else time.time_ns() - int((stored.opened_ago_s + _ANSWER_S) * 1e9),
        )

    @property
    def is_inode_only(self) -> bool:
        """Whether only device and inode of the file are known. The inode of a deleted file is used again."""
        return self.fingerprint.head_size == 0


@dataclass(frozen=True, slots=True)
class LastFile:
    """The last known file that was at the path. Rotated files that are newer are unseen."""

    identity: Identity | None  # None if only the time is known
    mtime_ns: int  # of its last change, in nanoseconds since the epoch


def position_identity(position: FilePosition) -> Identity:
    """Return device and inode of the position's file."""
    return position.device, position.inode
