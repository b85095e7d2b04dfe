"""Candidates with content in memory, so that matching is tested without a disk."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.candidate import Candidate
from puppylog.tail.rotation.names import parse_rotated_name
from puppylog.tail.rotation.position import ReadPosition

NAME = "a.log"
DEVICE = 1


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """Implements `OpenFile`."""

    path: str
    identity: tuple[int, int]
    data: bytes
    is_compressed: bool = False
    fault: str | None = None
    mtime_ns: int = 0

    @property
    def is_converted(self) -> bool:
        return self.is_compressed

    def status(self) -> os.stat_result:
        size, mtime_s = len(self.data), self.mtime_ns / 10**9
        plain = (stat.S_IFREG, self.identity[1], self.identity[0], 1, 0, 0, size, 0, 0, 0)
        times = {"st_atime": mtime_s, "st_mtime": mtime_s, "st_ctime": mtime_s}
        return os.stat_result(plain, {**times, "st_atime_ns": 0, "st_mtime_ns": self.mtime_ns, "st_ctime_ns": 0})

    def read(self, size: int, offset: int) -> bytes:
        return self.data[offset : offset + size]

    def raw_offset(self, offset: int) -> int:
        return offset

    def close(self) -> None:
        """Do nothing: no file is open."""


@dataclass(frozen=True, slots=True)
class MemoryContent:
    """Implements `Content`."""

    file: MemoryFile
    may_be_read: bool = True

    @contextmanager
    def opened(self) -> Iterator[OpenFile | None]:
        yield self.file if self.may_be_read else None


def candidate(
    name: str, inode: int, data: bytes, mtime_ns: int = 0, *, may_be_read: bool = True, is_nearby: bool = False
) -> Candidate:
    path = f"/old/{name}" if is_nearby else f"/log/{name}"
    file = MemoryFile(path, (DEVICE, inode), data, is_compressed=name.endswith(".gz"), mtime_ns=mtime_ns)
    rotated = parse_rotated_name(NAME, name)
    content = MemoryContent(file, may_be_read)
    return Candidate(path, file.identity, len(data), mtime_ns, rotated, content, is_nearby)


def position(inode: int, data: bytes, *, finished: bool = False, name: str = NAME) -> ReadPosition:
    """Return the position at the end of the data."""
    fingerprint = START_OF_FILE.after(data, len(data)).fingerprint()
    return ReadPosition(f"/log/{name}", (DEVICE, inode), fingerprint, len(data), finished)
