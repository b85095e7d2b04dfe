"""Whether a file is a copy of another: it has another inode, and perhaps is compressed, but holds the same bytes."""

from puppylog.model.stream import HEAD_BYTES
from puppylog.tail.checkpoint import Recorded, confirm, has_head
from puppylog.tail.handle import OpenFile

_BLOCK_BYTES = 1 << 20


def is_copy_of(handle: OpenFile, finished: Recorded) -> bool:
    """Whether the file is a copy of a finished one. A small file says little: then it must be no longer, either."""
    head_size, end = finished.fingerprint.head_size, finished.byte_offset
    if head_size == 0 or not has_head(handle, finished.fingerprint):
        return False
    if confirm(handle, finished) is None:
        # A compressed copy that is too short is still in the making, or damaged.
        return handle.is_compressed and not handle.read(1, end - 1) and handle.fault is not None
    return head_size == HEAD_BYTES or not handle.read(1, end)


def is_beginning_of(handle: OpenFile, original: OpenFile) -> bool:
    """Whether everything that the file holds stands in the original, too: a copy, perhaps one in the making."""
    at, size = 0, HEAD_BYTES
    while block := handle.read(size, at):
        if original.read(len(block), at) != block:
            return False
        at, size = at + len(block), _BLOCK_BYTES
    return True


def is_copy_of_live(handle: OpenFile, live: OpenFile) -> bool:
    """Return whether copytruncate has made, or is making, this copy of a log that is emptied only later.

    All that the copy holds stands in the log, too. A few equal lines may as well be how every file of the log begins;
    then the copy must not have been written before the log was.
    """
    head = handle.read(HEAD_BYTES, 0)
    if not head or live.read(len(head), 0) != head:
        return False
    if len(head) < HEAD_BYTES and handle.status().st_mtime_ns < live.status().st_mtime_ns:
        return False
    return is_beginning_of(handle, live)
