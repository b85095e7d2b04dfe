"""Rows as a stream of Arrow's IPC format, which any Arrow library reads."""

from typing import IO

import pyarrow as pa
from pyarrow import ipc

from puppylog.rows.base import with_unique_names
from puppylog.rows.sink import Sink


class ArrowWriter:
    """A stream of Arrow's IPC format: the schema, then the batches as they come."""

    def __init__(self, out: IO[bytes], schema: pa.Schema) -> None:
        self._schema = with_unique_names(schema)
        self._sink = Sink(out)
        with self._sink.accepting():
            self._stream = ipc.new_stream(self._sink, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        with self._sink.accepting():
            self._stream.write_batch(batch.rename_columns(self._schema.names))

    def close(self) -> None:
        with self._sink.accepting():
            self._stream.close()
