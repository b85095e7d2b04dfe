"""Finds where the last complete line of a file ends. A collector that wants only new lines starts there."""

from puppylog.tail.checkpoint import START_OF_FILE, Checkpoint, read_checkpoint
from puppylog.tail.handle import OpenFile
from puppylog.tail.line_end import LineEnd, find_line_end
from puppylog.tail.rotation.find import FileToRead

_SEARCH_BYTES = 64 << 10


def start_at_end(at_path: FileToRead) -> FileToRead:
    """Return the file at the path. It is read from the end of its last complete line, unless its position is known.

    Raises:
        OSError: the file cannot be read now.
    """
    if at_path.position is not None or at_path.checkpoint.offset > 0:
        return at_path
    return FileToRead(at_path.handle, find_end(at_path.handle), None)


def find_end(handle: OpenFile) -> Checkpoint:
    """Return the checkpoint after the last complete line of the file.

    Raises:
        OSError: the file cannot be read now.
    """
    newline = b"\r" if find_line_end(handle) is LineEnd.CR else b"\n"
    return _search_forward(handle, newline) if handle.is_converted else _search_back(handle, newline)


def _search_back(handle: OpenFile, newline: bytes) -> Checkpoint:
    end = handle.status().st_size
    while end > 0:
        start = max(0, end - _SEARCH_BYTES)
        at = handle.read(end - start, start).rfind(newline)
        if at >= 0:
            return read_checkpoint(handle, start + at + 1) or START_OF_FILE
        end = start
    return START_OF_FILE


def _search_forward(handle: OpenFile, newline: bytes) -> Checkpoint:
    """Read the whole file: there is no other way to the end of a converted text."""
    found = checkpoint = START_OF_FILE
    while block := handle.read(_SEARCH_BYTES, checkpoint.offset):
        size = block.rfind(newline) + 1
        found = checkpoint.after(block, size) if size else found
        checkpoint = checkpoint.after(block, len(block))
    return found
