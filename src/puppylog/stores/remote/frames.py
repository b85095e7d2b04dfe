"""Frames: how calls and answers of a remote store are cut into pieces.

A frame has a kind, the size of its payload on the wire, the size of the payload after decompression, and the payload.
The last frame is END, so a truncated body is noticed, regardless of how it was transferred. Sizes are checked before
memory is allocated: a small frame that decompresses to gigabytes is refused.
"""

import struct
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final, NamedTuple

import pyarrow as pa
from pyarrow import ipc

MAX_FRAME_BYTES: Final = 256 << 20
"""The largest payload, after decompression. A frame has one JSON value, one batch of rows, or the lines of one part."""

_HEADER: Final = struct.Struct("!cII")  # kind, bytes on the wire, bytes after decompression
_COMPRESSED_FROM_BYTES: Final = 512
_LEVEL: Final = 1  # higher levels of zstd compress columns of log lines by a few percent more and take twice the time
_PIECE_BYTES: Final = 1 << 20


class Kind(Enum):
    JSON = b"J"  # the arguments of a call, or its answer
    RECORDS = b"R"  # a batch of records, as a whole stream of Arrow's IPC format
    REJECTS = b"X"  # a batch of rejected lines, as such a stream
    LINES = b"L"  # the bytes that rows were parsed from
    ROWS = b"A"  # a batch of a query's answer, as such a stream
    ERROR = b"E"  # a failure instead of the rest of the answer
    WAIT = b"W"  # nothing; the server is still working
    END = b"Z"  # nothing follows


_KINDS: Final = {kind.value: kind for kind in Kind}


class Frame(NamedTuple):
    kind: Kind
    payload: bytes | memoryview | pa.Buffer


class BrokenFrames(Exception):
    """The bytes are not a complete sequence of frames. The message says why."""


END: Final = _HEADER.pack(Kind.END.value, 0, 0)
WAIT: Final = _HEADER.pack(Kind.WAIT.value, 0, 0)


def pack_frame(kind: Kind, payload: bytes | memoryview | pa.Buffer) -> bytes:
    """Return the frame's bytes; its payload is compressed with zstd if that makes it smaller.

    Raises:
        BrokenFrames: the payload is too large.
    """
    size = len(payload)
    if size > MAX_FRAME_BYTES:
        raise BrokenFrames(f"a payload has {size:,} bytes; at most {MAX_FRAME_BYTES:,} are allowed")
    if size >= _COMPRESSED_FROM_BYTES:
        packed = pa.Codec("zstd", compression_level=_LEVEL).compress(payload)
        if len(packed) < size:
            return b"".join((_HEADER.pack(kind.value, len(packed), size), packed))
    return b"".join((_HEADER.pack(kind.value, size, size), payload))


def iter_frames(read: Callable[[int], bytes], *, limit_bytes: int | None = None) -> Iterator[Frame]:
    """Yield frames up to END, which is not yielded.

    Args:
        read: returns that many bytes or fewer, and none at the end.
        limit_bytes: the most bytes of all payloads together, after decompression; None for no limit.

    Raises:
        BrokenFrames: the bytes end before END, go on after it, or are not frames.
    """
    left = limit_bytes
    while True:
        kind, wire_bytes, size = _unpack_header(_read_all(read, _HEADER.size))
        if left is not None:
            left -= size
            if left < 0:
                raise BrokenFrames(f"it has more than {limit_bytes:,} bytes")
        if kind is Kind.END:
            return
        payload = _read_all(read, wire_bytes)
        yield Frame(kind, payload if wire_bytes == size else _decompress(payload, size))


def _unpack_header(header: bytes) -> tuple[Kind, int, int]:
    letter, wire_bytes, size = _HEADER.unpack(header)
    kind = _KINDS.get(letter)
    if kind is None or max(wire_bytes, size) > MAX_FRAME_BYTES or wire_bytes > size:
        raise BrokenFrames("it has no frame where one should be")
    return kind, wire_bytes, size


def _read_all(read: Callable[[int], bytes], size: int) -> bytes:
    pieces: list[bytes] = []
    left = size
    while left:
        piece = read(min(left, _PIECE_BYTES))
        if not piece:
            raise BrokenFrames("it is cut")
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _decompress(payload: bytes, size: int) -> pa.Buffer | bytes:
    try:
        decompressed = pa.Codec("zstd").decompress(payload, decompressed_size=size)
    except (pa.ArrowException, OSError):
        raise BrokenFrames("a frame cannot be decompressed") from None
    if len(decompressed) != size:
        raise BrokenFrames("a frame has another size than it says")
    return decompressed


def pack_batch(kind: Kind, batch: pa.RecordBatch) -> bytes:
    """Return a frame with a batch. It has its own schema and dictionaries, so that each frame can be read alone."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return pack_frame(kind, sink.getvalue())


def unpack_batch(payload: bytes | memoryview | pa.Buffer, schema: pa.Schema | None = None) -> pa.RecordBatch:
    """Return the batch of a frame, after its buffers were checked against each other.

    Args:
        payload: of the frame.
        schema: the columns that the batch must have. Its values are checked, too: a text must be UTF-8, and a column
            that has no nulls in the schema must have none. None: any columns.

    Raises:
        BrokenFrames: the payload is no such batch.
    """
    try:
        with ipc.open_stream(payload) as reader:
            batches = list(reader)
        if len(batches) != 1:
            raise BrokenFrames("a frame has no batch of rows")
        (batch,) = batches
        batch.validate(full=schema is not None)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BrokenFrames(f"a batch of rows cannot be read: {type(error).__name__}") from None
    if schema is not None:
        _check_columns(batch, schema)
    return batch


def _check_columns(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    if not batch.schema.equals(schema):
        raise BrokenFrames("a batch of rows has other columns")
    for field, column in zip(schema, batch.columns, strict=True):
        if not field.nullable and column.null_count:
            raise BrokenFrames(f"column {field.name} has no value in a row")
