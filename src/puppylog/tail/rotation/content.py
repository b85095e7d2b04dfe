"""The content of a candidate: of a file that is opened for every question, or of a file that is open already."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from puppylog.tail.compression import SUFFIXES
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.candidate import Candidate, DirectoryChanged
from puppylog.tail.rotation.position import Identity


@dataclass(frozen=True, slots=True)
class FileContent:
    """Implements `Content` by opening the file for every question: a thousand candidates need no descriptors."""

    path: str
    identity: Identity

    @contextmanager
    def opened(self) -> Iterator[OpenFile | None]:
        handle = self.open()
        if handle is None:
            yield None
            return
        with closing(handle):
            yield handle

    def open(self) -> OpenFile | None:
        """Open the file, which the caller closes. Returns None and raises errors as `Content.opened` does."""
        try:
            handle = open_log(self.path)
        except PermissionError:
            return None
        except FileNotFoundError:
            raise DirectoryChanged(f"{self.path} is gone") from None
        if handle.identity != self.identity:
            handle.close()
            raise DirectoryChanged(f"{self.path} is another file now")
        if self.path.endswith(SUFFIXES) and not handle.is_compressed:
            handle.close()
            return None
        return handle


@dataclass(frozen=True, slots=True)
class OpenContent:
    """Implements `Content` for a file that is open already. Its owner closes it."""

    handle: OpenFile

    @contextmanager
    def opened(self) -> Iterator[OpenFile | None]:
        yield self.handle


def candidate_of(handle: OpenFile) -> Candidate:
    """Return an open file as a candidate. Its name is not parsed, because it may have been renamed.

    Raises:
        OSError: the status of the file cannot be read.
    """
    status = handle.status()
    return Candidate(handle.path, handle.identity, status.st_size, status.st_mtime_ns, None, OpenContent(handle))
