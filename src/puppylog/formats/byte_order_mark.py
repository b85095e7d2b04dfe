"""The byte order mark that some programs, most of them on Windows, write at the start of a file of UTF-8."""

from typing import Final

_MARK: Final = b"\xef\xbb\xbf"


def skip_mark(data: bytes | memoryview, offset: int) -> tuple[bytes | memoryview, int]:
    """Return the data and its offset without the mark: it is no part of the first line.

    Args:
        data: whole lines.
        offset: where they start in their file, in bytes; a mark anywhere but at the start of the file is text.
    """
    if offset == 0 and data[: len(_MARK)] == _MARK:
        return memoryview(data)[len(_MARK) :], len(_MARK)
    return data, offset
