"""Decides which candidate continues which known place, and which candidates are new. Opens no file itself.

A place continues in the file with the same inode and fingerprint, at the path or under another name. If there is no
such file, it continues in a rotated file with the same content: a copy. Otherwise the file of the place is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from puppylog.model.stream import HEAD_BYTES
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.rotation.candidate import Candidate
from puppylog.tail.rotation.evidence import Evidence
from puppylog.tail.rotation.place import LastFile, Place
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

    known: Sequence[Place]  # in the order in which their files were opened
    at_path: Candidate | None = None  # the file at the path
    open_files: Sequence[Candidate] = ()  # other files that the tailer has open
    last: LastFile | None = None  # the last file seen at the path; None to take it from the known places
    fallback_last: LastFile | None = None  # what ``last`` is if no file of a known place is found


@dataclass(frozen=True, slots=True)
class Continued:
    """A place and the candidate that continues it."""

    candidate: Candidate
    checkpoint: Checkpoint  # where reading goes on
    place: Place | None  # None if a finished file was moved back to the path and has grown

    @property
    def is_certain(self) -> bool:
        """Whether the content has confirmed the place. If only the inode matches, another file may have it now."""
        return self.place is not None and not self.place.is_inode_only


@dataclass(frozen=True, slots=True)
class Assignment:
    """The result of a match."""

    rotated: Sequence[Continued]  # places that continue in rotated files, in the order of the known places
    at_path: Continued | None  # the place that the file at the path continues; None if the file is new or missing
    unseen: Sequence[Candidate]  # files that are new to the store, in the order in which they were at the path
    missing: Sequence[Place]  # unfinished places whose file was not found
    last: LastFile | None  # the newest known file that was at the path before the present one

    @property
    def is_certain_at_path(self) -> bool:
        """Whether content has confirmed which place the file at the path continues."""
        return self.at_path is not None and self.at_path.is_certain


def match_at_path(situation: Situation, evidence: Evidence) -> Assignment:
    """Match the file at the path only. If this leaves no place open, no directory needs to be listed."""
    matching = _Matching(situation, (), evidence)
    matching.match_at_path()
    return matching.result()


def match(situation: Situation, candidates: Sequence[Candidate], evidence: Evidence) -> Assignment:
    """Match all places.

    Args:
        situation: what is known before the directory is listed.
        candidates: in the order of `sort_candidates`. Nearby candidates are matched only with places that the other
            candidates leave open. They count as new only if their directory holds the file of a place.
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
        self._continued: dict[Place, Continued] = {}
        self._unseen: list[Candidate] = []

    def match_at_path(self) -> None:
        """Match the file at the path with a place by inode and content."""
        at_path = self._at_path
        if at_path is not None:
            for place in self._open_places():
                if place.identity == at_path.identity and self._claim(place, at_path):
                    return

    def match_rotated(self) -> None:
        """Match by inode and content, then by content, and last by inode alone."""
        self._match_renamed()
        self._match_copied()
        self._match_by_inode()

    def match_nearby(self, nearby: Sequence[Candidate]) -> None:
        """Match the places that are still open. Then add the nearby candidates of each directory that had a match."""
        pool, found = self._pool, list(self._pool.candidates)
        pool.candidates = nearby
        self._match_renamed()
        self._match_copied(HEAD_BYTES)  # there are logs of other programs, which may have a few equal lines
        proven = {PurePath(candidate.path).parent for candidate in nearby if pool.is_taken(candidate)}
        moved = [candidate for candidate in nearby if PurePath(candidate.path).parent in proven]
        pool.candidates = sort_candidates([*found, *moved])

    def find_unseen(self) -> None:
        """Find the files that were at the path after the last known file, unless that file is still at the path.

        If the content of no candidate is known, this is done without a file at the path, too: a place that is known by
        inode alone is matched only once.
        """
        rotated = [(place, at.candidate) for place, at in self._continued.items() if at.candidate is not self._at_path]
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
        pool, places = self._pool, self._open_places()
        self._unseen = take_changed_later(pool)
        if by_inode is not None:
            self._unseen += take_newer(pool, by_inode)
        elif not self._unseen:
            first = take_emptied(pool, places)
            if first is None and any(place.is_inode_only for place in places):
                first = take_newest_compressed(pool)
            if first is not None:
                self._unseen = [first, *take_newer(pool, last_file(first))]
        self._last = by_inode or (last_file(self._unseen[0]) if self._unseen else None)

    def result(self) -> Assignment:
        """Return the matches that were made so far."""
        continued = self._find_continued_at_path()
        rotated = [self._continued[place] for place in self._known if place in self._continued]
        return Assignment(
            [at for at in rotated if at is not continued],
            continued or self._find_put_back(),
            self._unseen,
            self._open_places()[::-1],
            self._last,
        )

    def _find_continued_at_path(self) -> Continued | None:
        return next((at for at in self._continued.values() if at.candidate is self._at_path), None)

    def _open_places(self) -> list[Place]:
        """Return the unfinished places without a file, the newest first; places with only an inode come last."""
        places = [place for place in reversed(self._known) if not place.finished and place not in self._continued]
        return sorted(places, key=lambda place: place.is_inode_only)

    def _match_renamed(self) -> None:
        for place in self._open_places():
            for candidate in self._pool.iter_free():
                if candidate.identity == place.identity and not place.is_inode_only:
                    self._claim(place, candidate)
                    break

    def _match_copied(self, min_head: int = 1) -> None:
        """Look for the same content under another inode, or for the same inode on a device with a new number."""
        for place in self._open_places():
            if place.fingerprint.head_size < min_head:
                continue
            candidates = [candidate for candidate in self._pool.iter_free() if candidate.is_rotated]
            # While a file is being compressed, it and its compressed copy both exist, and only the file is complete.
            candidates.sort(key=lambda found: (found.identity[1] != place.identity[1], found.is_compressed))
            if not any(self._is_copy(candidate, place) and self._claim(place, candidate) for candidate in candidates):
                self._match_moved_to_path(place)

    def _is_copy(self, candidate: Candidate, place: Place) -> bool:
        return self._evidence.begins_like(candidate, place) and not self._evidence.is_finished(candidate, self._known)

    def _match_by_inode(self) -> None:
        """Match places with only an inode. Inodes are used again, so the file must have the name of a rotated file."""
        for place in self._open_places():
            for candidate in self._pool.iter_free():
                if not place.is_inode_only or candidate.identity != place.identity or not candidate.is_rotated:
                    continue
                if self._pool.is_new(candidate) and self._claim(place, candidate):
                    break

    def _match_moved_to_path(self, place: Place) -> None:
        """Match a place with the file at the path, if the inode or a full head agrees: new logs often begin alike."""
        at_path = self._at_path
        if at_path is None or self._find_continued_at_path() is not None:
            return
        if at_path.identity[1] == place.identity[1] or place.fingerprint.head_size == HEAD_BYTES:
            self._claim(place, at_path)

    def _claim(self, place: Place, candidate: Candidate) -> bool:
        checkpoint = self._evidence.confirm(candidate, place)
        if checkpoint is None:
            return False
        self._continued[place] = Continued(candidate, checkpoint, place)
        self._pool.taken.append(candidate)
        return True

    def _find_put_back(self) -> Continued | None:
        """Return the end of a finished file that was moved back to the path; None if there is no such file."""
        at_path = self._at_path
        if at_path is None:
            return None
        for place in reversed(self._known):
            if place.finished and place.byte_offset > 0 and place.identity == at_path.identity:
                checkpoint = self._evidence.confirm(at_path, place)
                if checkpoint is not None:
                    return Continued(at_path, checkpoint, None)
        return None
