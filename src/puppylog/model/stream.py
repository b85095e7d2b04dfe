"""A stream, the files that it has read one after another, and the position in each file.

A store moves a position in the transaction that stores the lines before it, never on its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HEAD_BYTES = 1024
"""How many bytes at the start of a file are hashed, at most. A smaller file is hashed whole."""

MARKER_BYTES = 256
"""So many bytes before the committed offset are hashed, to notice a file that was truncated and has grown again."""


def hash_bytes(data: bytes) -> str:
    """Return the content hash of ``data``: 16 hexadecimal digits of BLAKE2b. It protects no secret."""
    from hashlib import blake2b  # noqa: PLC0415 - loads OpenSSL, which takes 4 ms of CPU; only a collector hashes

    return blake2b(data, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of a file's content when its position was committed. They tell it from another file of the same inode."""

    head_size: int  # number of bytes hashed at the start, at most HEAD_BYTES, all before the offset
    head_hash: str
    marker_size: int  # number of bytes hashed right before the offset, at most MARKER_BYTES
    marker_hash: str


_HASH_OF_NOTHING = "e4a6a0577479b2b4"  # hash_bytes(b"")

EMPTY_FINGERPRINT = Fingerprint(0, _HASH_OF_NOTHING, 0, _HASH_OF_NOTHING)


@dataclass(frozen=True, slots=True)
class FilePosition:
    """The position of a stream in one file, as the store has it."""

    file_id: int
    path: str  # where the file was last seen; a rotated file has another path now
    device: int  # st_dev and st_ino, as signed 64-bit numbers
    inode: int
    fingerprint: Fingerprint
    byte_offset: int  # every complete line before this offset is stored
    finished: bool  # rotated away, truncated or deleted, and read to its end
    context: str = ""  # what the parser has learnt from the lines before the offset, such as the format
    opened_ago_s: float | None = field(default=None, compare=False)
    """Seconds from the registration of the file to the answer of the store; None if unknown. An age, so that the
    clocks of two machines are never compared."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that is in the store, and the stream that read it."""

    stream_id: int
    source_uri: str
    position: FilePosition


@dataclass(frozen=True, slots=True)
class Move:
    """A change of the position in a file, in bytes. The store refuses it if the position is not ``start``."""

    file_id: int
    start: int
    end: int
    fingerprint: Fingerprint
    finished: bool
    context: str = ""


def have_moved(moves: Iterable[Move], positions: Mapping[int, FilePosition]) -> bool:
    """Return whether every move has been committed. ``positions`` are those in the store, by ``file_id``."""
    return all(
        (file := positions.get(move.file_id)) is not None
        and file.byte_offset == move.end
        and file.fingerprint == move.fingerprint
        and file.finished == move.finished
        and file.context == move.context
        for move in moves
    )


@dataclass(frozen=True, slots=True)
class Stream:
    """One source of lines, named by a URI: ``file:///var/log/access.log``, with the host where a store is shared."""

    stream_id: int
    source_uri: str
    group: str | None
    files: tuple[FilePosition, ...]  # in the order in which they were opened, finished ones included


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What a collector reports about a stream that it follows. A line counts when it is stored.

    Times are given as ages, so that the clocks of two machines are never compared.
    """

    stream_id: int
    backlog_bytes: int  # in the files, but not stored
    behind_s: float | None  # age of the oldest byte of the backlog, as far as is known; None without a backlog
    stored_ago_s: float | None  # since the last commit; None if nothing was stored since the collector started
    lines_per_s: float  # lines stored since the report before
    records: int  # stored since the collector started
    rejects: int  # stored since the collector started
    format: str = ""  # of the lines; empty until it is known
    problem: str | None = None  # why the source cannot be read or the store cannot be written at present
    ended: bool = False  # whether this is the last report, of a collector that ends normally
    waiting_lines: int = 0  # lines that were read and wait for the store
    finished: bool = False  # whether its file was read to the end and no longer exists
