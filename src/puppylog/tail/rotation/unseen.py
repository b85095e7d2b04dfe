"""Finds unseen files: rotated files that were at the path after the last known file, while no collector ran.

The directory also has rotated files from before the stream began, with the same kind of name. They can be recognized
only by their age: they are older than the last known file. Opens no file itself, like `match`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from puppylog.tail.rotation.candidate import Candidate, find_whether_numbers_grow
from puppylog.tail.rotation.evidence import Evidence
from puppylog.tail.rotation.position import Identity, LastFile, ReadPosition


@dataclass(slots=True)
class CandidatePool:
    """The candidates of one listing, and which of them are taken."""

    known: Sequence[ReadPosition]
    candidates: Sequence[Candidate]
    taken: list[Candidate]  # taken: open already, at the path, matched with a position, or new
    at_path: Candidate | None  # the file at the path
    evidence: Evidence

    def is_taken(self, candidate: Candidate) -> bool:
        """Return whether the candidate is one of the taken files."""
        return any(taken.identity == candidate.identity for taken in self.taken)

    def iter_free(self) -> Iterator[Candidate]:
        """Yield the candidates that are not taken, the oldest first."""
        return (candidate for candidate in self.candidates if not self.is_taken(candidate))

    def take_if_new(self, candidate: Candidate) -> bool:
        """Take the candidate if it is new to the store and readable; return whether it was taken."""
        is_taken = self.evidence.can_be_read(candidate) and self.is_new(candidate)
        if is_taken:
            self.taken.append(candidate)
        return is_taken

    def is_new(self, candidate: Candidate) -> bool:
        """Return whether the candidate is neither a finished file nor a copy of a file that is finished or open."""
        if self.evidence.is_unfinished_copy(candidate, self.taken, self.candidates):
            return False
        if self.at_path is not None and self.evidence.is_copy_of_live(candidate, self.at_path):
            return False
        return not self.evidence.is_finished(candidate, self.known)


def find_last_known(pool: CandidatePool, found: Collection[tuple[ReadPosition, Candidate]]) -> LastFile | None:
    """Return the newest candidate whose content the store knows; None if there is none.

    The known positions are in the order in which their files were at the path.

    Args:
        pool: the candidates.
        found: which candidates continue which unfinished positions.
    """
    files = dict(found)
    for position in reversed(pool.known):
        last = None if position.is_inode_only else _find_candidate(pool, files, position)
        if last is not None:
            return last
    return None


def find_last_by_inode(pool: CandidatePool, found: Collection[tuple[ReadPosition, Candidate]]) -> LastFile | None:
    """Return the oldest candidate that has the inode of a position with an inode only; None if there is none.

    An unseen file may have got the inode, and all files older than the returned one are skipped as known.
    """
    files = dict(found)
    by_inode = [_find_candidate(pool, files, position) for position in pool.known if position.is_inode_only]
    return min((last for last in by_inode if last is not None), key=lambda last: last.mtime_ns, default=None)


def take_emptied(pool: CandidatePool, positions: Sequence[ReadPosition]) -> Candidate | None:
    """Take a rotated file with the inode of a position and another content: it was emptied, written to, and rotated."""
    for position in positions:
        for candidate in pool.iter_free():
            if candidate.is_rotated and candidate.identity == position.identity and pool.take_if_new(candidate):
                return candidate
    return None


def take_newest_compressed(pool: CandidatePool) -> Candidate | None:
    """Take the newest rotated file, if it is compressed.

    The file of a position with only an inode has left the path. Compression gives a file a new inode, so that file
    cannot be recognized. But the newest rotated file was at the path when the position was noted, or later, so it is
    read.
    """
    rotated = [candidate for candidate in pool.candidates if candidate.is_rotated]
    newest = rotated[-1] if rotated else None
    numbers_grow = bool(find_whether_numbers_grow(rotated))
    for candidate in rotated:
        is_newer = newest is None or candidate.is_newer_than(newest, numbers_grow=numbers_grow)
        newest = candidate if is_newer else newest
    if newest is None or not newest.is_compressed or pool.is_taken(newest):
        return None
    return newest if pool.take_if_new(newest) else None


def take_changed_later(pool: CandidatePool) -> list[Candidate]:
    """Take the rotated files that were changed after the newest known file was registered; return the oldest first.

    An unseen file was at the path after the newest known file, or is a file that was known empty. So lines were written
    to it after the registration of that file. Nothing is taken if the time of the registration is unknown.
    """
    registered = [position for position in pool.known if position.opened_at_ns is not None]
    last_known = [position for position in registered if position.is_inode_only and not position.finished] + registered[
        -1:
    ]
    opened_at_ns = min((position.opened_at_ns or 0 for position in last_known), default=None)
    return [] if opened_at_ns is None else take_newer(pool, LastFile(None, opened_at_ns))


def take_newer(pool: CandidatePool, last: LastFile) -> list[Candidate]:
    """Take the files that are newer than the last known file; return them, the oldest first."""
    newer = [candidate for candidate in _iter_newer(pool, last) if not pool.evidence.is_finished(candidate, pool.known)]
    if all(candidate.number is not None for candidate in newer):
        numbers_grow = find_whether_numbers_grow(pool.candidates)
        newer.sort(key=lambda candidate: candidate.number or 0, reverse=not numbers_grow)
    elif len({len(candidate.date or "") for candidate in newer}) == 1:
        newer.sort(key=lambda candidate: candidate.date or "")
    return [candidate for candidate in newer if pool.take_if_new(candidate)]


def last_file(candidate: Candidate) -> LastFile:
    """Return the candidate as the last known file."""
    return LastFile(candidate.identity, candidate.mtime_ns)


def _find_candidate(
    pool: CandidatePool, files: dict[ReadPosition, Candidate], position: ReadPosition
) -> LastFile | None:
    if position in files:
        return last_file(files[position])
    for candidate in pool.candidates:
        if position.finished and pool.evidence.is_finished_as(candidate, position):
            return last_file(candidate)
    return None


def _iter_newer(pool: CandidatePool, last: LastFile) -> Iterator[Candidate]:
    """Yield the rotated files that are newer than the last known file.

    Names are compared first. The time of the last change is used only if the names cannot be compared: a rotated file
    may still be written to, and a compressed file may have the time of its compression.
    """
    last_candidate = next((candidate for candidate in pool.candidates if _is_last_file(pool, candidate, last)), None)
    numbers_grow = find_whether_numbers_grow(pool.candidates)
    for candidate in pool.iter_free():
        if not candidate.is_rotated:
            continue
        is_newer = None if last_candidate is None else _is_newer(candidate, last_candidate, numbers_grow)
        if is_newer is None and candidate.is_extended and (last_candidate is not None or candidate.date is None):
            continue  # app.2.log next to app.log.1 is another program's log
        if candidate.mtime_ns >= last.mtime_ns if is_newer is None else is_newer:
            yield candidate


def _is_newer(candidate: Candidate, last: Candidate, numbers_grow: bool | None) -> bool | None:
    """Return whether the candidate is newer by its name. If the direction of numbers is unknown, both count as newer.

    A file that is older than the known one may then be read, but no file is left out.
    """
    is_newer = candidate.is_newer_than(last, numbers_grow=bool(numbers_grow))
    if is_newer is False and numbers_grow is None and candidate.number is not None:
        return candidate.mtime_ns > last.mtime_ns
    return is_newer


def _is_last_file(pool: CandidatePool, candidate: Candidate, last: LastFile) -> bool:
    """Return whether the candidate is the last known file, and not another file that got its inode."""
    evidence = pool.evidence
    if last.identity is None:
        return False
    if candidate.identity == last.identity:
        # Of an empty file only the inode is known, so its time of change must be the same.
        may_be = candidate.mtime_ns == last.mtime_ns or not evidence.is_empty(candidate)
        return pool.is_taken(candidate) or (may_be and evidence.is_finished(candidate, pool.known))
    if any(evidence.is_finished_as(candidate, position) for position in _iter_finished(pool.known, last.identity)):
        return True
    taken = next((taken for taken in pool.taken if taken.identity == last.identity), None)
    if taken is None or not candidate.is_compressed:
        return False
    return not evidence.is_empty(candidate) and evidence.is_beginning_of(candidate, taken)


def _iter_finished(known: Sequence[ReadPosition], identity: Identity) -> Iterator[ReadPosition]:
    return (position for position in known if position.finished and position.identity == identity)
