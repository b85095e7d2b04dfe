"""Handles files at a path, or next to it, that belong to another stream: they are skipped, or read for that stream."""

import os
from dataclasses import dataclass

from puppylog.tail.checkpoint import has_head
from puppylog.tail.copies import is_copy_of_live
from puppylog.tail.handle import OpenFile, identity_of
from puppylog.tail.owners import Continuation, Elsewhere, Owners
from puppylog.tail.reader import Reader
from puppylog.tail.rotation.find import FilesToRead, FileToRead
from puppylog.tail.rotation.position import Identity, ReadPosition


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file at the path that another tailer or collector reads.

    While the file is unchanged, `Owners` are not asked about it again before ``ask_at``.
    """

    identity: Identity
    size: int
    mtime_ns: int
    ask_at: float  # on the tailer's clock, in seconds

    @classmethod
    def of(cls, handle: OpenFile, answer: Elsewhere, now: float) -> "SkippedFile":
        """Return the file with its present status.

        Raises:
            OSError: the status of the file cannot be read.
        """
        status = handle.status()
        return cls(handle.identity, status.st_size, status.st_mtime_ns, now + answer.ask_again_s)

    def is_still_skipped(self, status: os.stat_result, now: float) -> bool:
        """Return whether the file is unchanged and the time to ask again has not come."""
        same = (identity_of(status), status.st_size, status.st_mtime_ns) == (self.identity, self.size, self.mtime_ns)
        return same and now < self.ask_at


def apply_owners(files: FilesToRead, owners: Owners, path: str, now: float) -> SkippedFile | None:
    """Remove the files that another tailer reads, and continue those that another stream has read in part.

    Returns:
        The file at the path if another tailer reads it; None if it is read here.

    Raises:
        OSError: a file cannot be read now. Every handle is closed.
        PuppylogError: the store cannot be asked. Every handle is closed.
    """
    at_path = files.at_path
    try:
        apply_owners_to_rotated(files, owners)
        if at_path is None:
            return None
        answer = ask_owner(owners, path, at_path)
        if isinstance(answer, Elsewhere):
            skipped = SkippedFile.of(at_path.handle, answer, now)
            at_path.handle.close()
            files.at_path = None
            return skipped
        files.at_path = answer
        _forget_missing(files, answer)
        _note_missing(files, at_path, answer)
    except BaseException:
        files.close()
        raise
    return None


def apply_owners_to_rotated(files: FilesToRead, owners: Owners) -> None:
    """Do the same as `apply_owners` for the rotated files only.

    A position whose file another tailer has open counts as missing.

    Raises: as `apply_owners`, except that the file at the path stays open.
    """
    rotated = files.rotated
    try:
        for found in list(rotated):
            answer = ask_owner(owners, found.handle.path, found)
            if not isinstance(answer, Elsewhere):
                rotated[rotated.index(found)] = answer
                _note_missing(files, found, answer)
                continue
            found.handle.close()
            rotated.remove(found)
            if found.position is not None:
                files.missing.append(found.position)
    except BaseException:
        for found in rotated:
            found.handle.close()
        raise


def find_owner(owners: Owners, path: str, reader: Reader, current: Reader | None) -> Elsewhere | Continuation | None:
    """Return who else reads a file that was empty so far; None if no other tailer or collector does.

    Args:
        owners: are asked.
        path: of the source.
        reader: of the file.
        current: reads the file at the path; None if there is none.

    Raises:
        OSError: a file cannot be read now.
        PuppylogError: the store cannot be asked.
    """
    if reader is current or current is None:
        return owners.find_owner(path, reader.handle, others_only=True)
    # If nothing was read of the emptied file, the file may be its copy.
    is_copy = current.is_emptied() and has_head(reader.handle, current.position(path).fingerprint)
    if is_copy or is_copy_of_live(reader.handle, current.handle):
        return Elsewhere()  # a copy that is still being written is found by its content when it is complete
    return owners.find_owner(reader.handle.path, reader.handle, others_only=True)


def continue_in(handle: OpenFile, owner: Continuation) -> FileToRead:
    """Return the file, to be read from where its stream has stopped."""
    return FileToRead(handle, owner.checkpoint, ReadPosition.of(owner.position), owner.stream_id)


def ask_owner(owners: Owners, path: str, found: FileToRead) -> FileToRead | Elsewhere:
    """Return how the file is read here; `Elsewhere` if it is not.

    Raises:
        OSError: the file cannot be read now.
        PuppylogError: the store cannot be asked.
    """
    if owners.is_open_elsewhere(found.handle.identity):
        return Elsewhere()
    if found.is_certain:
        return found
    if found.position is not None and not found.handle.read(1, 0):
        return found  # no stream can have read an empty file, so the store is not asked about it at every poll
    owner = owners.find_owner(path, found.handle)
    if owner is None or isinstance(owner, Elsewhere):
        return owner or found
    return continue_in(found.handle, owner)


def _forget_missing(files: FilesToRead, answer: FileToRead) -> None:
    """Remove the position of the answer from the missing positions: the store says that its file is here."""
    if answer.position is not None and answer.position.stored is not None:
        stored = answer.position.stored
        files.missing = [position for position in files.missing if position.stored != stored]


def _note_missing(files: FilesToRead, found: FileToRead, answer: FileToRead) -> None:
    """Count the found position as missing if the file turns out to be another stream's: only the inode had matched."""
    if found.position is not None and answer.position is not found.position:
        files.missing.append(found.position)
