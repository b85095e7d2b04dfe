"""An open file as if it ended at an offset: what was written later is not read."""

import os

from puppylog.tail.handle import OpenFile


class LimitedFile:
    """Implements `puppylog.tail.handle.OpenFile` with another open file, which it owns."""

    def __init__(self, handle: OpenFile, end: int) -> None:
        """Let the file end at the offset ``end``, in bytes; it may end earlier."""
        self._handle = handle
        self._end = end
        self.path = handle.path
        self.identity = handle.identity
        self.is_compressed = handle.is_compressed

    @property
    def is_converted(self) -> bool:
        """See `OpenFile`."""
        return self._handle.is_converted

    @property
    def fault(self) -> str | None:
        """See `OpenFile`."""
        return self._handle.fault

    def status(self) -> os.stat_result:
        """Return the status of the whole file on disk."""
        return self._handle.status()

    def read(self, size: int, offset: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on; fewer only at the end."""
        size = min(size, self._end - offset)
        return self._handle.read(size, offset) if size > 0 else b""

    def raw_offset(self, offset: int) -> int:
        """See `OpenFile`."""
        return self._handle.raw_offset(offset)

    def close(self) -> None:
        """Close the file. It is OK to close twice."""
        self._handle.close()
