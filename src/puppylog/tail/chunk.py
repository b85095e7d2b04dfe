"""What tailing gives out: chunks of whole lines, and the file that each is of."""

from dataclasses import dataclass

from puppylog.model.stream import Fingerprint


@dataclass(frozen=True, slots=True, eq=False)
class TailedFile:
    """One file as a tailer met it. Equal only to itself: a truncated file comes back as another one."""

    serial: int  # unique within its tailer, increasing in the order in which files are begun
    path: str  # where it was found, absolute
    device: int  # st_dev and st_ino, as signed 64-bit numbers
    inode: int
    start: int  # the offset at which reading starts
    file_id: int | None  # what the store calls it; None for a file that the store does not know yet
    context: str = ""  # of the position at which reading starts, see `puppylog.model.stream.FilePosition`
    stream_id: int | None = None  # of the stream that has read the file; None: of the source that is tailed
    modified_at_us: int | None = None  # when it was last changed, as of then, in microseconds since the epoch


@dataclass(frozen=True, slots=True)
class Chunk:
    r"""Some whole lines of one file, and the range of the file that they account for.

    The ranges of a file's chunks follow one another without a gap, from `TailedFile.start` on. A chunk without data
    announces a file in which there is nothing to read yet, or finishes one.
    """

    file: TailedFile
    start: int
    end: int
    data: bytes  # whole lines, each ended by \n; with a boundary, whole records
    offset: int  # where data[0] stands in the file: ``start``, or behind the NULs that were skipped
    fingerprint: Fingerprint  # of the file as far as ``end``
    finished: bool = False  # rotated away, truncated or deleted, and read to its end: the last chunk of its file
    is_cut: bool = False  # data is the beginning of one over-long line, and a newline of ours
    is_unfinished: bool = False  # data ends with a last line that never got its newline, and a newline of ours
    continues_line: bool = False  # data begins within a line, whose beginning an earlier chunk gave out as unfinished
