"""An open regular file. A handle stays with its file when the file is renamed or deleted."""

import errno
import os
import resource
import stat
from typing import Protocol

from puppylog.errors import SourceError

# Without O_NONBLOCK, opening a named pipe would wait until a process opens it for writing.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


class OpenFile(Protocol):
    """An open file, compressed or not, read as UTF-8. Its owner closes it. Every method may raise OSError."""

    @property
    def path(self) -> str:
        """The path under which the file was opened."""

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode, as signed 64-bit numbers."""

    @property
    def is_compressed(self) -> bool: ...

    @property
    def is_converted(self) -> bool:
        """Whether offsets are those of a text that is made from the file: it is compressed, or it is UTF-16."""

    @property
    def fault(self) -> str | None:
        """Why no more can be read although the file is not complete; None if there is no such reason."""

    def status(self) -> os.stat_result:
        """Return the status of the file on disk."""

    def read(self, size: int, offset: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on; fewer only at the end of the file.

        The length of a converted text is known only when all of it was read. So there is no method for the length:
        callers read a byte at an offset to see whether the file is that long.
        """

    def raw_offset(self, offset: int) -> int:
        """Return how many bytes of the file on disk were needed to read up to ``offset``, where the last read ended."""

    def close(self) -> None:
        """Close the file. It is OK to close twice."""


class Handle:
    """A plain file. Implements `OpenFile`: owns a file descriptor until `close`."""

    is_compressed = False
    is_converted = False
    fault = None

    def __init__(self, path: str) -> None:
        """Open the file.

        Raises:
            OSError: the file cannot be opened, or is not a regular file.
        """
        self.path = path
        self._fd = os.open(path, _FLAGS)
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._fd)
            raise not_regular(path, status)
        self.identity = identity_of(status)

    @property
    def descriptor(self) -> int:
        return self._fd

    def status(self) -> os.stat_result:
        return os.fstat(self._fd)

    def read(self, size: int, offset: int) -> bytes:
        """Return at most ``size`` bytes from ``offset`` on; fewer only at the end of the file."""
        return os.pread(self._fd, size, offset)

    def raw_offset(self, offset: int) -> int:
        """Return the offset: a plain file has the same offsets on disk."""
        return offset

    def close(self) -> None:
        """Close the file. It is OK to close twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def identity_of(status: os.stat_result) -> tuple[int, int]:
    """Return device and inode as signed 64-bit numbers: the kernel's are unsigned, and stores have no such type."""
    return signed64(status.st_dev), signed64(status.st_ino)


def not_regular(path: str, status: os.stat_result) -> OSError:
    """Return the error for reading a directory, a device or a pipe."""
    if stat.S_ISDIR(status.st_mode):
        return OSError(errno.EISDIR, "it is a directory", path)
    return OSError(errno.EINVAL, "it is not a regular file", path)


def cannot_read(path: str, error: OSError) -> SourceError:
    """Return the error that tells a user why the path cannot be read."""
    if error.errno == errno.EMFILE:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        cure = "raise it with `ulimit -n`, or with LimitNOFILE= where systemd starts it"
        return SourceError("read", str(path), f"too many files are open, the limit is {limit} ({cure})")
    cause = error.strerror or str(error)
    return SourceError("read", str(path), f"{cause[:1].lower()}{cause[1:]}")


def signed64(number: int) -> int:
    """Return the signed number that has the same 64 bits."""
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >= 1 << 63 else number
