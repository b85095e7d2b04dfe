"""Finds and opens the files to read at a path and next to it, in the order in which they were at the path."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from puppylog.tail.checkpoint import START_OF_FILE, Checkpoint
from puppylog.tail.handle import OpenFile, identity_of
from puppylog.tail.rotation.candidate import Candidate, DirectoryChanged
from puppylog.tail.rotation.content import FileContent, candidate_of
from puppylog.tail.rotation.evidence import Evidence
from puppylog.tail.rotation.match import Assignment, Situation, match, match_at_path
from puppylog.tail.rotation.position import LastFile, ReadPosition
from puppylog.tail.rotation.snapshot import list_candidates, list_nearby, sort_candidates

# Rotation renames its files within milliseconds. A directory that changes during this many searches changes for
# another reason.
_TRIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class FileToRead:
    """An open file, and where reading goes on in it."""

    handle: OpenFile
    checkpoint: Checkpoint  # where reading goes on
    position: ReadPosition | None  # None if the file is new to the store, or goes on after a finished position
    stream_id: int | None = None  # of the stream that the position belongs to, if it is another stream

    @property
    def is_certain(self) -> bool:
        """Whether the content has confirmed the position. If only the inode matches, another file may have it now."""
        return self.position is not None and not self.position.is_inode_only


@dataclass(slots=True)
class FilesToRead:
    """The result of `find_files`. The caller owns the handles."""

    rotated: list[FileToRead] = field(default_factory=list)  # the oldest first; they may have bytes left to read
    at_path: FileToRead | None = None  # the file at the path
    missing: list[ReadPosition] = field(default_factory=list)  # unfinished positions whose file was not found
    last: LastFile | None = None
    """The newest known file that was at the path before.

    If none is known and the file at the path is empty, the time of its last change: what is newer was there later.
    """

    def __iter__(self) -> Iterator[FileToRead]:
        """Yield all files, in the order in which they are read."""
        yield from self.rotated
        if self.at_path is not None:
            yield self.at_path

    def close(self) -> None:
        """Close every handle."""
        for found in self:
            found.handle.close()


def find_files(
    path: str,
    at_path: OpenFile | None,
    known: Sequence[ReadPosition],
    *,
    open_files: Iterable[OpenFile] = (),
    last: LastFile | None = None,
    fallback_last: LastFile | None = None,
) -> FilesToRead:
    """Return the files to read at the path and next to it.

    Args:
        path: whose directory is searched.
        at_path: the open file at the path; None if there is none. Then no position counts as missing yet.
        known: the positions of the stream, in the order in which their files were opened.
        open_files: other files that the tailer has open.
        last: the last file that was seen at the path; None to take it from the known positions.
        fallback_last: what ``last`` is if no file of a known position is found.

    Raises:
        OSError: the search failed, and may be repeated. Only the file at the path is still open.
    """
    candidate = None if at_path is None else candidate_of(at_path)
    situation = Situation(known, candidate, [candidate_of(handle) for handle in open_files], last, fallback_last)
    for _ in range(_TRIES):
        try:
            files = _open_all(_match(path, situation), at_path)
        except DirectoryChanged:
            continue
        if files.last is None and candidate is not None and candidate.size == 0:
            files.last = LastFile(None, candidate.mtime_ns)
        return files
    raise BlockingIOError("the files in its directory are being renamed all the time")


def find_copy(
    path: str, position: ReadPosition, known: Sequence[ReadPosition], open_files: Iterable[OpenFile]
) -> OpenFile | None:
    """Return the copy of a rotated file that was emptied, to read the rest from it; None if there is no copy.

    Args:
        path: whose directory is searched.
        position: how far the file was read before it was emptied.
        known: the other positions of the stream.
        open_files: files that the tailer has open.

    Raises:
        OSError: the search failed. No file was left open.
    """
    copy = None
    for found in find_files(path, None, [*known, position], open_files=open_files).rotated:
        if found.position is position:
            copy = found.handle
        else:
            found.handle.close()
    return copy


def _match(path: str, situation: Situation) -> Assignment:
    """Match with as few candidates as needed. Most often the file at the path is enough, and no directory is listed."""
    evidence = Evidence()
    assignment = match_at_path(situation, evidence)
    has_history = bool(situation.known) or situation.last is not None
    is_complete = assignment.is_certain_at_path and not assignment.missing
    if not has_history or (is_complete and not _has_grown(path, situation.known)):
        return assignment
    inodes = {position.identity[1] for position in assignment.missing}
    paths = [path, os.path.realpath(path), *(position.path for position in assignment.missing)]
    candidates = list_candidates(paths, inodes)
    assignment = match(situation, candidates, evidence)
    if assignment.missing:
        nearby = list_nearby(path, {position.identity[1] for position in assignment.missing}, candidates)
        if nearby:
            assignment = match(situation, sort_candidates([*candidates, *nearby]), evidence)
    return assignment


def _has_grown(path: str, known: Sequence[ReadPosition]) -> bool:
    """Return whether the newest rotated file was finished and has grown, if it has the name that logrotate gives.

    A file with another name is found by the next search. To list the directory of a thousand logs for each of them
    would take seconds at each start.
    """
    finished = [position for position in known if position.finished]
    if not finished:
        return False
    try:
        status = os.stat(f"{os.path.realpath(path)}.1")  # noqa: PTH116 - as in `Tailer`: it runs for each log
    except OSError:
        return False
    ends = [position.byte_offset for position in finished if position.identity == identity_of(status)]
    return bool(ends) and status.st_size > max(ends)


def _open_all(assignment: Assignment, at_path: OpenFile | None) -> FilesToRead:
    with ExitStack() as stack:

        def open_file(candidate: Candidate) -> OpenFile:
            handle = FileContent(candidate.path, candidate.identity).open()
            if handle is None:
                raise DirectoryChanged(f"{candidate.path} may no longer be read")
            stack.callback(handle.close)
            return handle

        rotated = [FileToRead(open_file(at.candidate), at.checkpoint, at.position) for at in assignment.rotated]
        unseen = [FileToRead(open_file(candidate), START_OF_FILE, None) for candidate in assignment.unseen]
        stack.pop_all()
    files = FilesToRead([*rotated, *unseen], last=assignment.last)
    if at_path is not None:
        continued = assignment.at_path
        files.missing = list(assignment.missing)
        files.at_path = FileToRead(at_path, START_OF_FILE, None)
        if continued is not None:
            files.at_path = FileToRead(at_path, continued.checkpoint, continued.position)
    return files
