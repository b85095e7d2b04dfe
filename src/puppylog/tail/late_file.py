"""The newest rotated file after it was finished, in case a program that was not told of the rotation writes to it."""

from puppylog.tail.checkpoint import confirm
from puppylog.tail.handle import OpenFile
from puppylog.tail.owners import Elsewhere, Owners
from puppylog.tail.ownership import SkippedFile, ask_owner
from puppylog.tail.rotation.find import FileToRead
from puppylog.tail.rotation.position import Identity, ReadPosition


class LateFile:
    """Keeps the file open, so that it is found under any name, and after a program has compressed it.

    Of the rotated files of a path, only the one that was finished last is kept: it costs a descriptor.
    """

    def __init__(self, owners: Owners) -> None:
        """Start without a file."""
        self._owners = owners
        self._handle: OpenFile | None = None
        self._position: ReadPosition | None = None
        self._skipped: SkippedFile | None = None

    def keep(self, handle: OpenFile, position: ReadPosition) -> None:
        """Own the handle of a file that was finished at the position, and close the one before.

        A file that is converted is closed: its size does not tell whether it has grown.
        """
        self.close()
        if handle.is_converted:
            handle.close()
        else:
            self._handle, self._position = handle, position

    def forget(self, identity: Identity) -> None:
        """Close the file if it has the identity: the file is opened again, and read on."""
        if self._handle is not None and self._handle.identity == identity:
            self.close()

    def take_grown(self, now: float) -> FileToRead | None:
        """Return the file if it has grown and no other tailer or collector reads it. The caller then owns its handle.

        Raises:
            OSError: the file cannot be read now.
            PuppylogError: the store cannot be asked.
        """
        handle, position, skipped = self._handle, self._position, self._skipped
        if handle is None or position is None:
            return None
        status = handle.status()
        if status.st_size <= position.byte_offset:
            if status.st_nlink == 0:
                self.close()
            return None
        if skipped is not None and skipped.is_still_skipped(status, now):
            return None
        checkpoint = confirm(handle, position)
        if checkpoint is None:  # it was emptied and written again
            self.close()
            return None
        answer = ask_owner(self._owners, handle.path, FileToRead(handle, checkpoint, None))
        if isinstance(answer, Elsewhere):
            self._skipped = SkippedFile.of(handle, answer, now)
            return None
        self._handle = self._position = self._skipped = None
        return answer

    def close(self) -> None:
        """Close the file, if there is one. It is OK to close twice."""
        if self._handle is not None:
            self._handle.close()
        self._handle = self._position = self._skipped = None
