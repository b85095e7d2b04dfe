"""Compares contents: whether a candidate is the file of a position, a copy of that file, or a copy of an open file.

Each answer opens the candidate. Answers that may be asked for again are cached. Every method may raise
`DirectoryChanged` or OSError; the match is then discarded and repeated.
"""

from collections.abc import Iterable, Sequence

from puppylog.model.stream import HEAD_BYTES, hash_bytes
from puppylog.tail.checkpoint import Checkpoint, confirm
from puppylog.tail.copies import is_beginning_of, is_copy_of, is_copy_of_live
from puppylog.tail.rotation.candidate import Candidate
from puppylog.tail.rotation.position import ReadPosition


class Evidence:
    """Answers questions about the candidates of one listing."""

    def __init__(self) -> None:
        """Start without answers."""
        self._heads: dict[Candidate, bytes] = {}
        self._copies: dict[tuple[Candidate, ReadPosition], bool] = {}

    def confirm(self, candidate: Candidate, position: ReadPosition) -> Checkpoint | None:
        """Return the checkpoint at the position if the candidate has the fingerprint of the position, else None."""
        with candidate.content.opened() as handle:
            return None if handle is None else confirm(handle, position)

    def can_be_read(self, candidate: Candidate) -> bool:
        """Return whether the candidate may be opened, and is compressed if it has the name of a compressed file."""
        with candidate.content.opened() as handle:
            return handle is not None

    def begins_like(self, candidate: Candidate, position: ReadPosition) -> bool:
        """Return whether the candidate's first bytes are those of the position's file."""
        fingerprint = position.fingerprint
        head = self._head(candidate)[: fingerprint.head_size]
        return len(head) == fingerprint.head_size and hash_bytes(head) == fingerprint.head_hash

    def has_more(self, candidate: Candidate, position: ReadPosition) -> bool:
        """Return whether the candidate has bytes after the position."""
        with candidate.content.opened() as handle:
            return handle is not None and handle.read(1, position.byte_offset) != b""

    def is_finished(self, candidate: Candidate, known: Iterable[ReadPosition]) -> bool:
        """Return whether the candidate is the file of a finished position, or a copy of such a file."""
        return any(self.is_finished_as(candidate, position) for position in known if position.finished)

    def is_finished_as(self, candidate: Candidate, position: ReadPosition) -> bool:
        """Return whether the candidate is the file of the finished position, or a copy of it by its content."""
        if position.identity != candidate.identity:
            return candidate.is_rotated and self._is_copy(candidate, position)
        with candidate.content.opened() as handle:
            if handle is None or confirm(handle, position) is None:
                return False
            # Of a file that was finished empty only the inode is known. If it has bytes now, it is another file.
            return position.byte_offset > 0 or not handle.read(1, 0)

    def is_unfinished_copy(
        self, candidate: Candidate, taken: Iterable[Candidate], candidates: Sequence[Candidate]
    ) -> bool:
        """Return whether the candidate is a compressed copy of an open file, or of a plain file that is still there."""
        if not candidate.is_compressed:
            return False
        originals = [*taken, *(plain for plain in candidates if plain.path == candidate.plain_path)]
        return any(self.is_beginning_of(candidate, original) for original in originals)

    def is_copy_of_live(self, candidate: Candidate, live: Candidate) -> bool:
        """Return whether the candidate is a copy that copytruncate has made, or is making, of the file at the path."""
        with candidate.content.opened() as handle, live.content.opened() as log:
            return handle is not None and log is not None and is_copy_of_live(handle, log)

    def is_beginning_of(self, candidate: Candidate, original: Candidate) -> bool:
        """Return whether the original begins with all bytes of the candidate."""
        with candidate.content.opened() as handle, original.content.opened() as whole:
            return handle is not None and whole is not None and is_beginning_of(handle, whole)

    def is_empty(self, candidate: Candidate) -> bool:
        """Return whether the candidate has no bytes, or cannot be read."""
        return not self._head(candidate)

    def _is_copy(self, candidate: Candidate, position: ReadPosition) -> bool:
        if not self.begins_like(candidate, position):
            return False
        key = candidate, position
        if key not in self._copies:
            with candidate.content.opened() as handle:
                self._copies[key] = handle is not None and is_copy_of(handle, position)
        return self._copies[key]

    def _head(self, candidate: Candidate) -> bytes:
        if candidate not in self._heads:
            with candidate.content.opened() as handle:
                self._heads[candidate] = b"" if handle is None else handle.read(HEAD_BYTES, 0)
        return self._heads[candidate]
