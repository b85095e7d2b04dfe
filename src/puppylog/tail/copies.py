"""Tells whether a file is a copy of another: it holds the same bytes under another inode, and may be compressed."""

from puppylog.model.stream import HEAD_BYTES
from puppylog.tail.checkpoint import Recorded, confirm, has_head
from puppylog.tail.handle import OpenFile

_BLOCK_BYTES = 1 << 20


def is_copy_of(handle: OpenFile, finished: Recorded) -> bool:
    """Return whether the file is a copy of a finished file.

    A copy of a file with a full head may have grown. Two small files may begin alike by chance, so a small copy must
    also end where the finished file ended.
    """
    head_size, end = finished.fingerprint.head_size, finished.byte_offset
    if head_size == 0 or not has_head(handle, finished.fingerprint):
        return False
    if confirm(handle, finished) is None:
        # A compressed copy that ends too early is still being written, or is damaged.
        return handle.is_compressed and not handle.read(1, end - 1) and handle.fault is not None
    return head_size == HEAD_BYTES or not handle.read(1, end)


def is_beginning_of(handle: OpenFile, original: OpenFile) -> bool:
    """Return whether the original begins with all bytes of the file: the file is a copy, which may still be written."""
    at, size = 0, HEAD_BYTES
    while block := handle.read(size, at):
        if original.read(len(block), at) != block:
            return False
        at, size = at + len(block), _BLOCK_BYTES
    return True


def is_copy_of_live(handle: OpenFile, live: OpenFile) -> bool:
    """Return whether the file is a copy that copytruncate has made, or is making, of a log that is not emptied yet.

    The log begins with all bytes of such a copy. A few equal lines may also be the way every file of the log begins, so
    a small copy must not be older than the last change of the log.
    """
    head = handle.read(HEAD_BYTES, 0)
    if not head or live.read(len(head), 0) != head:
        return False
    if len(head) < HEAD_BYTES and handle.status().st_mtime_ns < live.status().st_mtime_ns:
        return False
    return is_beginning_of(handle, live)
