"""Parsed lines of one file that wait on disk until one transaction stores them, in a client or in a server."""

import struct
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, Final

import pyarrow as pa
from pyarrow import ipc

from puppylog.errors import StoreFull
from puppylog.model.record import Parsed

_SIZES: Final = struct.Struct("!QQ")  # of a packed batch, in bytes, and of the same after decompression
_LEVEL: Final = 1  # of zstd; higher levels take twice the time and compress log lines by a few percent more
_DATA: Final = pa.schema([("data", pa.large_binary()), ("offset", pa.int64())])


class StagedRows:
    """Parsed lines in a temporary file without a name, which is gone when this process ends."""

    def __init__(self) -> None:
        """Start without rows. The file is created by the first `write`."""
        self._file: BinaryIO | None = None

    def write(self, parsed: Parsed) -> None:
        """Add the rows of some lines, with the bytes of the lines if ``parsed`` has them.

        Raises:
            StoreFull: there is no disk space for them.
        """
        data = pa.RecordBatch.from_pydict({"data": [parsed.data], "offset": [parsed.data_offset]}, schema=_DATA)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed by `discard`
            for batch in (parsed.records, parsed.rejects, data):
                plain = _encode(batch)
                packed = _codec().compress(plain)
                self._file.write(_SIZES.pack(len(packed), len(plain)))
                self._file.write(packed)
            self._file.flush()
        except OSError as error:
            cause = f"the temporary directory has no space for them: {error.strerror}"
            raise StoreFull("keep", "lines that were read", cause, advice="set TMPDIR to a larger directory") from None

    def __iter__(self) -> Iterator[Parsed]:
        """Yield the rows in the order in which they were written. One iteration at a time."""
        if self._file is None:
            return
        self._file.seek(0)
        while (records := self._read_batch()) is not None:
            rejects, data = self._read_batch(), self._read_batch()
            if rejects is None or data is None:
                return
            yield Parsed(records, rejects, data["data"][0].as_py(), data["offset"][0].as_py())

    def _read_batch(self) -> pa.RecordBatch | None:
        if self._file is None:
            return None
        sizes = self._file.read(_SIZES.size)
        if len(sizes) < _SIZES.size:
            return None
        packed_bytes, plain_bytes = _SIZES.unpack(sizes)
        plain = _codec().decompress(self._file.read(packed_bytes), decompressed_size=plain_bytes)
        with ipc.open_stream(plain) as reader:
            (batch,) = reader
        return batch

    def discard(self) -> None:
        """Delete the file. It is OK to call this again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _codec() -> pa.Codec:
    return pa.Codec("zstd", compression_level=_LEVEL)


def _encode(batch: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()
