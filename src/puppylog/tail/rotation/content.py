"""The content of a candidate: of a file that is opened when it is asked for, or of one that is open anyway."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from puppylog.tail.compression import SUFFIXES
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.candidate import Candidate, DirectoryChanged
from puppylog.tail.rotation.place import Identity


@dataclass(frozen=True, slots=True)
class FileContent:
    """Implements `Content`: each question opens the file, so that no descriptor is held for a thousand candidates."""

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
        """Open the file; the caller closes it. None and errors as in `Content.opened`."""
        try:
            handle = open_log(self.path)
        except PermissionError:
            return None
        except FileNotFoundError:
            raise DirectoryChanged(f"{self.path} is gone") from None
        if handle.identity != self.identity:
            handle.close()
            raise DirectoryChanged(f"{self.path} is another file by now")
        if self.path.endswith(SUFFIXES) and not handle.is_compressed:
            handle.close()
            return None
        return handle


@dataclass(frozen=True, slots=True)
class OpenContent:
    """Implements `Content` for a file that somebody else holds open."""

    handle: OpenFile

    @contextmanager
    def opened(self) -> Iterator[OpenFile | None]:
        yield self.handle


def candidate_of(handle: OpenFile) -> Candidate:
    """Return an open file as a candidate. Its name says nothing.

    Raises:
        OSError: its status cannot be asked for.
    """
    status = handle.status()
    return Candidate(handle.path, handle.identity, status.st_size, status.st_mtime_ns, None, OpenContent(handle))
