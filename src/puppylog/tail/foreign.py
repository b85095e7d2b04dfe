"""Files at a path, or beside it, that another stream has begun: they are left to it, or read on for it."""

import os
from dataclasses import dataclass

from puppylog.tail.handle import identity_of
from puppylog.tail.owners import Elsewhere, Owners
from puppylog.tail.succession import Found, Succession


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """The file at the path is another's to read, as long as it stays as it is."""

    identity: tuple[int, int]
    size: int
    mtime_ns: int
    ask_at: float  # on the tailer's clock, in seconds

    def is_so(self, status: os.stat_result, now: float) -> bool:
        """Whether it is too early to ask again."""
        same = (identity_of(status), status.st_size, status.st_mtime_ns) == (self.identity, self.size, self.mtime_ns)
        return same and now < self.ask_at


def settle(succession: Succession, owners: Owners, path: str, now: float) -> LeftAlone | None:
    """Take out of the succession what another stream reads, and go on where another stream has stopped.

    Returns:
        What is known of the file at the path if it is left to another; None if it is read here.

    Raises:
        OSError: a file cannot be read now. Every handle of the succession is closed.
        PuppylogError: the store cannot be asked; likewise.
    """
    left_alone = None
    settle_rotated(succession, owners)
    standing = succession.standing
    if standing is None:
        return None
    try:
        answer = _ask(owners, path, standing)
        if isinstance(answer, Elsewhere):
            status = standing.handle.status()
            ask_at = now + answer.ask_again_s
            left_alone = LeftAlone(standing.handle.identity, status.st_size, status.st_mtime_ns, ask_at)
            standing.handle.close()
            succession.standing = None
        else:
            succession.standing = answer
            if answer.position is not None and answer.position in succession.lost:
                succession.lost.remove(answer.position)
            _give_up_blank(succession, standing, answer)
    except BaseException:
        _close(succession)
        raise
    return left_alone


def settle_rotated(succession: Succession, owners: Owners) -> None:
    """Do so for the rotated files only. A position whose file another tailer holds counts as lost.

    Raises: as `settle`.
    """
    before = succession.before
    try:
        for found in list(before):
            answer = _ask(owners, found.handle.path, found)
            if not isinstance(answer, Elsewhere):
                before[before.index(found)] = answer
                _give_up_blank(succession, found, answer)
                continue
            found.handle.close()
            before.remove(found)
            if found.position is not None:
                succession.lost.append(found.position)
    except BaseException:
        _close(succession)
        raise


def _give_up_blank(succession: Succession, found: Found, answer: Found) -> None:
    """Another stream has read the file that this stream knew by its inode only."""
    if found.position is not None and answer.position is not found.position:
        succession.lost.append(found.position)


def _close(succession: Succession) -> None:
    for found in [*succession.before, *([succession.standing] if succession.standing else [])]:
        found.handle.close()


def _ask(owners: Owners, path: str, found: Found) -> Found | Elsewhere:
    if owners.is_held(found.handle.identity):
        return Elsewhere()
    if found.position is not None and found.is_certain:
        return found
    if found.position is not None and not found.handle.read(1, 0):
        return found  # nobody can have read anything of it, and an idle empty file costs no question
    owner = owners.find_owner(path, found.handle)
    if owner is None or isinstance(owner, Elsewhere):
        return owner or found
    return Found(found.handle, owner.imprint, owner.position, owner.stream_id)
