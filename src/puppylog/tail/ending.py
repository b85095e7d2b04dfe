"""Where the last complete line of a file ends: from there on it is read by who wants new lines only."""

from puppylog.tail.handle import OpenFile
from puppylog.tail.identity import BLANK, Imprint, read_imprint
from puppylog.tail.rotation.find import FileToRead

_SEARCH_BYTES = 64 << 10


def start_at_end(standing: FileToRead) -> FileToRead:
    """Return the file at the path from behind its last complete line, unless it is one to go on with.

    Raises:
        OSError: the file cannot be read now.
    """
    if standing.place is not None or standing.imprint.offset > 0:
        return standing
    return FileToRead(standing.handle, find_end(standing.handle), None)


def find_end(handle: OpenFile) -> Imprint:
    """Return the imprint behind the last complete line.

    Raises:
        OSError: the file cannot be read now.
    """
    return _search_forward(handle) if handle.is_compressed else _search_back(handle)


def _search_back(handle: OpenFile) -> Imprint:
    end = handle.status().st_size
    while end > 0:
        start = max(0, end - _SEARCH_BYTES)
        newline = handle.read(end - start, start).rfind(b"\n")
        if newline >= 0:
            return read_imprint(handle, start + newline + 1) or BLANK
        end = start
    return BLANK


def _search_forward(handle: OpenFile) -> Imprint:
    """Read all of it: there is no other way to its end."""
    found = imprint = BLANK
    while block := handle.read(_SEARCH_BYTES, imprint.offset):
        size = block.rfind(b"\n") + 1
        found = imprint.after(block, size) if size else found
        imprint = imprint.after(block, len(block))
    return found
