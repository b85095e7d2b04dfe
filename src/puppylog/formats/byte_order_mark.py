"""The byte order mark that some programs, mostly on Windows, write at the start of a UTF-8 file."""

from typing import Final

_MARK: Final = b"\xef\xbb\xbf"


def skip_mark(data: bytes | memoryview, offset: int) -> tuple[bytes | memoryview, int]:
    """Return the data without the mark, and its offset after the mark. The mark is not part of the first line.

    Args:
        data: whole lines.
        offset: the offset in bytes of the data in its file. A mark that is not at the start of the file is text.
    """
    if offset == 0 and data[: len(_MARK)] == _MARK:
        return memoryview(data)[len(_MARK) :], len(_MARK)
    return data, offset
