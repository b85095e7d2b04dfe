"""Rotated files that stood at the path while nobody looked: those that came after the last one that is known.

Files of before the stream began lie beside them, under the same kind of name. Only a known file tells them apart.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from puppylog.model.stream import FilePosition
from puppylog.tail.beside import Beside, position_identity
from puppylog.tail.copies import is_beginning_of
from puppylog.tail.handle import OpenFile
from puppylog.tail.siblings import Sibling


@dataclass(frozen=True, slots=True)
class Last:
    """The last file that is known to have stood at the path: those that came after it are asked for."""

    identity: tuple[int, int]
    mtime_ns: int  # when it was last written


def find_last_known(beside: Beside, claimed: Mapping[int, OpenFile]) -> Last | None:
    """Return the last file that the store knows and that is still beside the path.

    Where only inodes speak for them, the oldest: those behind it that are known are not taken for new ones, but one
    that is another file by now would hide some.

    Args:
        beside: the look.
        claimed: what the open positions have claimed there, by their ids.
    """
    certain = [position for position in beside.known if position.fingerprint.head_size > 0]
    for position in reversed(certain):
        last = _find(beside, claimed, position)
        if last is not None:
            return last
    blank = [_find(beside, claimed, known) for known in beside.known if known.fingerprint.head_size == 0]
    return min((last for last in blank if last is not None), key=lambda last: last.mtime_ns, default=None)


def open_emptied(beside: Beside, positions: Sequence[FilePosition]) -> tuple[OpenFile, Last] | None:
    """Open a rotated file that has the inode of an open position and other bytes: it was emptied, then rotated."""
    for position in positions:
        for sibling in beside.free():
            if not sibling.is_rotated or sibling.identity != position_identity(position):
                continue
            handle = beside.open_new(sibling)
            if handle is not None:
                return handle, Last(sibling.identity, sibling.mtime_ns)
    return None


def open_newest_compressed(beside: Beside) -> tuple[OpenFile, Last] | None:
    """Open the newest rotated file, if it is compressed.

    A file of which only the inode was known has left the path, and compressing has taken that from it as well. Whether
    or not this is it: what was rotated last stood at the path after it had begun.
    """
    rotated = [sibling for sibling in beside.siblings if sibling.is_rotated]
    newest = rotated[-1] if rotated else None
    for sibling in rotated:
        newest = sibling if newest is None or sibling.is_newer_than(newest) else newest
    if newest is None or not newest.is_compressed or beside.is_taken(newest):
        return None
    handle = beside.open_new(newest)
    return None if handle is None else (handle, Last(newest.identity, newest.mtime_ns))


def iter_newcomers(beside: Beside, last: Last) -> Iterator[OpenFile]:
    """Open the files that came after the last one, the oldest first."""
    newer = [sibling for sibling in _newer_than(beside, last) if not beside.is_finished(sibling)]
    if all(sibling.number is not None for sibling in newer):
        newer.sort(key=lambda sibling: sibling.number or 0, reverse=True)
    elif len({len(sibling.date or "") for sibling in newer}) == 1:
        newer.sort(key=lambda sibling: sibling.date or "")
    for sibling in newer:
        handle = beside.open_new(sibling)
        if handle is not None:
            yield handle


def _find(beside: Beside, claimed: Mapping[int, OpenFile], position: FilePosition) -> Last | None:
    if position.file_id in claimed:
        handle = claimed[position.file_id]
        return Last(handle.identity, handle.status().st_mtime_ns)
    for sibling in beside.siblings:
        if position.finished and beside.is_finished_as(sibling, position):
            return Last(sibling.identity, sibling.mtime_ns)
    return None


def _newer_than(beside: Beside, last: Last) -> Iterator[Sibling]:
    """Go by the names where they tell: a rotated file may be written for a while yet, and so look newer.

    Compressing a file may make it look newer, too.
    """
    last_sibling = next((sibling for sibling in beside.siblings if _is(beside, sibling, last)), None)
    for sibling in beside.free():
        if not sibling.is_rotated:
            continue
        is_newer = None if last_sibling is None else sibling.is_newer_than(last_sibling)
        if is_newer is None and sibling.is_extended and (last_sibling is not None or sibling.date is None):
            continue  # app.2.log beside app.log.1 is another program's log
        if sibling.mtime_ns >= last.mtime_ns if is_newer is None else is_newer:
            yield sibling


def _is(beside: Beside, sibling: Sibling, last: Last) -> bool:
    """Whether this is the last file; not another one that got its inode after it was let go."""
    if sibling.identity == last.identity:
        is_untouched = sibling.size > 0 or sibling.mtime_ns == last.mtime_ns  # of an empty one only the inode is known
        return beside.is_taken(sibling) or (is_untouched and beside.is_finished(sibling))
    finished = [known for known in beside.known if known.finished and position_identity(known) == last.identity]
    if any(beside.is_finished_as(sibling, position) for position in finished):
        return True
    if not sibling.is_compressed:
        return False
    held = next((held for held in beside.held if held.identity == last.identity), None)
    handle = None if held is None else sibling.open()
    if held is None or handle is None:
        return False
    with contextlib.closing(handle):
        return handle.read(1, 0) != b"" and is_beginning_of(handle, held)
