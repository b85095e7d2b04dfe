"""The output of tailing: chunks of whole lines, and the file that each chunk was read from."""

from dataclasses import dataclass

from puppylog.model.stream import Fingerprint


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class TailedFile:
    """One file as a tailer opened it. Equal only to itself: after a truncation, the file is a new `TailedFile`."""

    serial: int  # unique within its tailer; files that are begun later have larger numbers
    path: str  # where the file was found; absolute
    device: int  # st_dev and st_ino, as signed 64-bit numbers
    inode: int
    start: int  # the offset in bytes at which reading starts
    file_id: int | None  # the id of the file in the store; None if the store does not know the file yet
    context: str = ""  # of the position from which reading goes on, see `puppylog.model.stream.FilePosition`
    stream_id: int | None = None  # of the stream that has read the file before; None: the stream of the tailed source
    modified_at_us: int | None = None  # its last change when it was opened; microseconds since the epoch


@dataclass(frozen=True, slots=True)
class Chunk:
    r"""Some whole lines of one file, and the byte range ``[start, end)`` of the file that they account for.

    The ranges of a file's chunks follow one another without a gap, from `TailedFile.start` on. A chunk without data
    announces a file that has no whole line yet, or finishes a file.
    """

    file: TailedFile
    start: int
    end: int
    data: bytes  # whole lines, each ended by \n; with a boundary, whole records
    offset: int  # of data[0] in the file: ``start``, or the first byte after NULs that were skipped
    fingerprint: Fingerprint  # of the file as far as ``end``
    finished: bool = False  # the last chunk of its file, which was rotated, truncated or deleted
    is_cut: bool = False  # data is the beginning of one line that is too long, and a newline that is added
    is_unfinished: bool = False  # data ends with a line that had no newline in the file; a newline is added
    context: str | None = None  # of the position at ``end``; None: the parser's
    is_missing: bool = False  # the last chunk of a file that was not found: what was not read of it is lost
    continues_line: bool = False  # data begins with the rest of a line that an earlier, unfinished chunk began
