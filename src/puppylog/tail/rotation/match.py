"""Decides which candidate continues which known position, and which candidates are new. Opens no file itself.

A position continues in the file with the same inode and fingerprint, at the path or under another name. If there is no
such file, it continues in a rotated file with the same content: a copy. Otherwise the file of the position is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from puppylog.model.stream import HEAD_BYTES
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.rotation.candidate import Candidate
from puppylog.tail.rotation.evidence import Evidence
from puppylog.tail.rotation.position import LastFile, ReadPosition
from puppylog.tail.rotation.snapshot import sort_candidates
from puppylog.tail.rotation.unseen import (
    CandidatePool,
    find_last_by_inode,
    find_last_known,
    last_file,
    take_changed_later,
    take_emptied,
    take_newer,
    take_newest_compressed,
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before the candidates are listed."""

    known: Sequence[ReadPosition]  # in the order in which their files were opened
    at_path: Candidate | None = None  # the file at the path
    open_files: Sequence[Candidate] = ()  # other files that the tailer has open
    last: LastFile | None = None  # the last file seen at the path; None to take it from the known positions
    fallback_last: LastFile | None = None  # what ``last`` is if no file of a known position is found


@dataclass(frozen=True, slots=True)
class Continued:
    """A position and the candidate that continues it."""

    candidate: Candidate
    checkpoint: Checkpoint  # where reading goes on
    position: ReadPosition | None  # None if a finished file has grown

    @property
    def is_certain(self) -> bool:
        """Whether the content has confirmed the position. If only the inode matches, another file may have it now."""
        return self.position is not None and not self.position.is_inode_only


@dataclass(frozen=True, slots=True)
class Assignment:
    """The result of a match."""

    rotated: Sequence[Continued]  # positions that continue in rotated files, in the order of the known positions
    at_path: Continued | None  # the position that the file at the path continues; None if the file is new or missing
    unseen: Sequence[Candidate]  # files that are new to the store, in the order in which they were at the path
    missing: Sequence[ReadPosition]  # unfinished positions whose file was not found
    last: LastFile | None  # the newest known file that was at the path before the present one

    @property
    def is_certain_at_path(self) -> bool:
        """Whether content has confirmed which position the file at the path continues."""
        return self.at_path is not None and self.at_path.is_certain


def match_at_path(situation: Situation, evidence: Evidence) -> Assignment:
    """Match the file at the path only. If this leaves no position open, no directory needs to be listed."""
    matching = _Matching(situation, (), evidence)
    matching.match_at_path()
    return matching.result()


def match(situation: Situation, candidates: Sequence[Candidate], evidence: Evidence) -> Assignment:
    """Match all positions.

    Args:
        situation: what is known before the directory is listed.
        candidates: in the order of `sort_candidates`. Nearby candidates are matched only with positions that the other
            candidates leave open. They count as new only if their directory holds the file of a position.
        evidence: compares contents.

    Raises:
        DirectoryChanged: files were renamed during the match.
        OSError: a candidate cannot be read now.
    """
    matching = _Matching(situation, [candidate for candidate in candidates if not candidate.is_nearby], evidence)
    matching.match_at_path()
    matching.match_rotated()
    nearby = [candidate for candidate in candidates if candidate.is_nearby]
    if nearby:
        matching.match_nearby(nearby)
    matching.match_grown()
    matching.find_unseen()
    return matching.result()


class _Matching:
    """The state of one match."""

    def __init__(self, situation: Situation, candidates: Sequence[Candidate], evidence: Evidence) -> None:
        at_path = situation.at_path
        self._known = situation.known
        self._at_path = at_path
        self._last = situation.last
        self._fallback_last = situation.fallback_last
        taken = [*situation.open_files, *([at_path] if at_path else [])]
        self._pool = CandidatePool(situation.known, candidates, taken, at_path, evidence)
        self._evidence = evidence
        self._continued: dict[ReadPosition, Continued] = {}
        self._unseen: list[Candidate] = []

    def match_at_path(self) -> None:
        """Match the file at the path with a position by inode and content."""
        at_path = self._at_path
        if at_path is not None:
            for position in self._open_positions():
                if position.identity == at_path.identity and self._claim(position, at_path):
                    return

    def match_rotated(self) -> None:
        """Match by inode and content, then by content, and last by inode alone."""
        self._match_renamed()
        self._match_copied()
        self._match_by_inode()

    def match_nearby(self, nearby: Sequence[Candidate]) -> None:
        """Match the positions that are still open. Then add the nearby candidates of each directory with a match."""
        pool, found = self._pool, list(self._pool.candidates)
        pool.candidates = nearby
        self._match_renamed()
        self._match_copied(HEAD_BYTES)  # there are logs of other programs, which may have a few equal lines
        proven = {PurePath(candidate.path).parent for candidate in nearby if pool.is_taken(candidate)}
        moved = [candidate for candidate in nearby if PurePath(candidate.path).parent in proven]
        pool.candidates = sort_candidates([*found, *moved])

    def match_grown(self) -> None:
        """Match rotated files that were finished and have grown: a program was not told of the rotation."""
        for candidate in list(self._pool.iter_free()):
            if candidate.is_compressed:
                continue  # no program writes to it
            positions = [position for position in self._known if self._is_confirmed(candidate, position)]
            last = max(positions, key=lambda position: position.byte_offset, default=None)
            if last is not None and last.finished and self._evidence.has_more(candidate, last):
                self._claim(last, candidate)

    def _is_confirmed(self, candidate: Candidate, position: ReadPosition) -> bool:
        """Return whether the candidate is the file of the position, going by its inode and content."""
        is_alike = position.identity == candidate.identity and not position.is_inode_only
        return is_alike and self._evidence.confirm(candidate, position) is not None

    def find_unseen(self) -> None:
        """Find the files that were at the path after the last known file, unless that file is still at the path.

        If the content of no candidate is known, this is done without a file at the path, too: a position that is known
        by inode alone is matched only once.
        """
        rotated = [
            (position, at.candidate) for position, at in self._continued.items() if at.candidate is not self._at_path
        ]
        self._last = self._last or find_last_known(self._pool, rotated) or self._fallback_last
        continued = self._find_continued_at_path()
        if continued is not None and continued.is_certain:
            self._last = self._last or find_last_by_inode(self._pool, rotated)
        elif self._last is None:
            self._find_unseen_without_last(find_last_by_inode(self._pool, rotated))
        elif self._at_path is not None:
            self._unseen += take_newer(self._pool, self._last)

    def _find_unseen_without_last(self, by_inode: LastFile | None) -> None:
        """Find the unseen files if the content of no candidate is that of a known file.

        A file that is found by its inode alone may be another one: a known empty file that was written to, rotated and
        compressed gives its inode to the next log.
        """
        pool, positions = self._pool, self._open_positions()
        self._unseen = take_changed_later(pool)
        if by_inode is not None:
            self._unseen += take_newer(pool, by_inode)
        elif not self._unseen:
            first = take_emptied(pool, positions)
            if first is None and any(position.is_inode_only for position in positions):
                first = take_newest_compressed(pool)
            if first is not None:
                self._unseen = [first, *take_newer(pool, last_file(first))]
        self._last = by_inode or (last_file(self._unseen[0]) if self._unseen else None)

    def result(self) -> Assignment:
        """Return the matches that were made so far."""
        continued = self._find_continued_at_path()
        rotated = [self._continued[position] for position in self._known if position in self._continued]
        return Assignment(
            [at for at in rotated if at is not continued],
            continued or self._find_put_back(),
            self._unseen,
            self._open_positions()[::-1],
            self._last,
        )

    def _find_continued_at_path(self) -> Continued | None:
        return next((at for at in self._continued.values() if at.candidate is self._at_path), None)

    def _open_positions(self) -> list[ReadPosition]:
        """Return the unfinished positions without a file, the newest first; positions with only an inode come last."""
        positions = [
            position for position in reversed(self._known) if not position.finished and position not in self._continued
        ]
        return sorted(positions, key=lambda position: position.is_inode_only)

    def _match_renamed(self) -> None:
        for position in self._open_positions():
            for candidate in self._pool.iter_free():
                if candidate.identity == position.identity and not position.is_inode_only:
                    self._claim(position, candidate)
                    break

    def _match_copied(self, min_head: int = 1) -> None:
        """Look for the same content under another inode, or for the same inode on a device with a new number."""
        for position in self._open_positions():
            if position.fingerprint.head_size < min_head:
                continue
            candidates = [candidate for candidate in self._pool.iter_free() if candidate.is_rotated]
            # While a file is being compressed, it and its compressed copy both exist, and only the file is complete.
            candidates.sort(key=lambda found: (found.identity[1] != position.identity[1], found.is_compressed))
            if not any(
                self._is_copy(candidate, position) and self._claim(position, candidate) for candidate in candidates
            ):
                self._match_moved_to_path(position)

    def _is_copy(self, candidate: Candidate, position: ReadPosition) -> bool:
        return self._evidence.begins_like(candidate, position) and not self._evidence.is_finished(
            candidate, self._known
        )

    def _match_by_inode(self) -> None:
        """Match positions with only an inode. Inodes are reused, so the file must have the name of a rotated file."""
        for position in self._open_positions():
            for candidate in self._pool.iter_free():
                if not position.is_inode_only or candidate.identity != position.identity or not candidate.is_rotated:
                    continue
                if self._pool.is_new(candidate) and self._claim(position, candidate):
                    break

    def _match_moved_to_path(self, position: ReadPosition) -> None:
        """Match a position with the file at the path if the inode or a full head agrees: new logs often begin alike."""
        at_path = self._at_path
        if at_path is None or self._find_continued_at_path() is not None:
            return
        if at_path.identity[1] == position.identity[1] or position.fingerprint.head_size == HEAD_BYTES:
            self._claim(position, at_path)

    def _claim(self, position: ReadPosition, candidate: Candidate) -> bool:
        checkpoint = self._evidence.confirm(candidate, position)
        if checkpoint is None:
            return False
        self._continued[position] = Continued(candidate, checkpoint, None if position.finished else position)
        self._pool.taken.append(candidate)
        return True

    def _find_put_back(self) -> Continued | None:
        """Return the end of a finished file that was moved back to the path; None if there is no such file."""
        at_path = self._at_path
        if at_path is None:
            return None
        for position in reversed(self._known):
            if position.finished and position.byte_offset > 0 and position.identity == at_path.identity:
                checkpoint = self._evidence.confirm(at_path, position)
                if checkpoint is not None:
                    return Continued(at_path, checkpoint, None)
        return None
