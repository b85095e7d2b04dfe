"""How far a file was read, and what it held then: by the store's word, or by a reader's."""

from dataclasses import dataclass
from typing import Self, TypeAlias

from puppylog.model.stream import FilePosition, Fingerprint

Identity: TypeAlias = tuple[int, int]
"""Device and inode, as signed 64-bit numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place in one file. Equal only to itself."""

    path: str  # where the file was last seen
    identity: Identity
    fingerprint: Fingerprint
    byte_offset: int
    finished: bool  # there is nothing to read behind it; or another tailer reads that
    position: FilePosition | None = None  # as the store has it; None for a file that the store does not know yet

    @classmethod
    def of(cls, position: FilePosition) -> Self:
        """Return the place of a position of the store."""
        return cls(
            position.path,
            position_identity(position),
            position.fingerprint,
            position.byte_offset,
            position.finished,
            position,
        )

    @property
    def is_inode_only(self) -> bool:
        """Whether only device and inode are known of the file. An inode is used again when its file is deleted."""
        return self.fingerprint.head_size == 0


@dataclass(frozen=True, slots=True)
class LastFile:
    """The last file that is known to have stood at the path. Files that stood there after it are unseen."""

    identity: Identity
    mtime_ns: int  # when it was last written


def position_identity(position: FilePosition) -> Identity:
    """Return the device and the inode of the position's file."""
    return position.device, position.inode
