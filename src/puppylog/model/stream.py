"""Where lines come from: a stream, the files it has read one after another, and how far into each.

A position moves only together with the rows that it stands for, in one transaction of one database.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

HEAD_BYTES = 1024
"""A head is hashed up to here. It grows with its file, so a file of three lines has an identity at once."""

MARKER_BYTES = 256
"""So much before the committed offset is hashed: a file that was truncated and has regrown past it is found out."""


def hash_bytes(data: bytes) -> str:
    """Return the identity hash of ``data``: 16 hexadecimal digits of BLAKE2b. Not a secret, only a check."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a file held when its position was committed; tells it from another one with the same inode."""

    head_size: int  # bytes hashed at its start, at most HEAD_BYTES, never beyond the offset
    head_hash: str
    marker_size: int  # bytes hashed that end at the offset, at most MARKER_BYTES
    marker_hash: str


EMPTY_FINGERPRINT = Fingerprint(0, hash_bytes(b""), 0, hash_bytes(b""))


@dataclass(frozen=True, slots=True)
class FilePosition:
    """One file that a stream has read, as the store knows it."""

    file_id: int
    path: str  # where it was last seen; a rotated file has another name by now
    device: int  # st_dev and st_ino, as signed 64-bit numbers
    inode: int
    fingerprint: Fingerprint
    byte_offset: int  # every complete line before it is stored
    finished: bool  # rotated away, truncated or deleted, and read to its end
    context: str = ""  # what its parser has learnt from its lines, such as the format; it moves with the offset


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that some stream has read, and which stream that is."""

    stream_id: int
    source_uri: str
    position: FilePosition


@dataclass(frozen=True, slots=True)
class Move:
    """A position on its way: the store accepts it only if the file still stands at ``start``."""

    file_id: int
    start: int
    end: int
    fingerprint: Fingerprint
    finished: bool
    context: str = ""


def have_moved(moves: Iterable[Move], stands: Mapping[int, FilePosition]) -> bool:
    """Return whether each file stands where its move takes it; ``stands`` has what the store knows, by file."""
    return all(
        (file := stands.get(move.file_id)) is not None
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
    """What a collector says of a stream that it follows. What counts is what the store has, not what was read.

    Whatever happened is told by how long ago it was, so that no clock of one machine is compared with another's.
    """

    stream_id: int
    backlog_bytes: int  # that are there to be read, and are not stored
    behind_s: float | None  # how long the oldest of them has been there, as far as is known; None if there is none
    stored_ago_s: float | None  # None if nothing has been stored since the collector started
    lines_per_s: float  # stored, since the report before
    records: int  # stored since the collector started
    rejects: int
    format: str = ""  # how lines are parsed; empty as long as none has told
    problem: str | None = None  # why the source cannot be read, or the store cannot be written, now
    ended: bool = False  # this is the last report of a collector that ends in order
    waiting_lines: int = 0  # that have been read, and wait for the store
    finished: bool = False  # its file was read to its end and is gone


def split_uri(source_uri: str) -> tuple[str | None, str]:
    """Return the host in a source's URI, None if it names none, and what is read there: a path, or ``-``."""
    parts = urlsplit(source_uri)
    path = unquote(parts.path, errors="backslashreplace")
    return parts.netloc or None, path or "-"


def name_source(source_uri: str) -> str:
    """Return a source as people write it: ``/var/log/access.log``, with ``host:`` before it where a host is named."""
    host, path = split_uri(source_uri)
    return path if host is None else f"{host}:{path}"
