"""Transactions of lines from clients: frames become rows of an appender.

A transaction may arrive twice: a proxy repeats the request, or the client has not got the answer. `repeats` recognizes
it. After a restart of the server, the store refuses it by the positions of its files, and the client asks for them.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, Final, NoReturn

import pyarrow as pa

from puppylog.errors import BatchDropped, PuppylogError, StoreFull
from puppylog.model.record import NO_RECORDS, NO_REJECTS, RECORDS, REJECTS, Parsed
from puppylog.model.stream import Move
from puppylog.serve.refusal import Refusal
from puppylog.stores import messages, values
from puppylog.stores.base import Appended, Appender, Reread, Store
from puppylog.stores.remote.frames import BrokenFrames, Frame, Kind, iter_frames, unpack_batch
from puppylog.stores.remote.protocol import LinesNeeded

MAX_ROWS_BYTES: Final = 1 << 30
"""The most bytes of all rows of a transaction after decompression. They are in memory one part after another."""

_REREAD: Final = RECORDS.append(pa.field("rejected_offset", pa.int64(), nullable=False))


class Body:
    """The frames of a body: first one with JSON, then those with rows."""

    def __init__(self, body: bytes) -> None:
        """Read the JSON. Raises Refusal with status 400 if there is none."""
        self._frames = iter_frames(BytesIO(body).read, limit_bytes=MAX_ROWS_BYTES)
        self.head: Mapping[str, Any] = read_object(self.take(Kind.JSON))

    def take(self, kind: Kind) -> Any:  # noqa: ANN401 - bytes or a buffer
        """Return the payload of the next frame, which must be of this kind."""
        frame = self._next()
        if frame is None or frame.kind is not kind:
            raise Refusal(400, f"a frame of kind {kind.name} is missing")
        return frame.payload

    def take_batch(self, kind: Kind, schema: pa.Schema) -> pa.RecordBatch:
        try:
            return unpack_batch(self.take(kind), schema)
        except BrokenFrames as error:
            raise _refuse(error) from None

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._next() is not None:
            raise Refusal(400, "the body has more frames than it says")

    def _next(self) -> Frame | None:
        try:
            return next(self._frames, None)
        except BrokenFrames as error:
            raise _refuse(error) from None


def read_object(payload: bytes | memoryview | pa.Buffer) -> Mapping[str, Any]:
    """Return the JSON object of a frame. Raises Refusal with status 400 if it is something else."""
    try:
        found = messages.decode(payload)
    except PuppylogError as error:
        raise Refusal(400, error.message) from None
    if not isinstance(found, dict):
        raise Refusal(400, "the arguments are not a JSON object")
    return found


def _refuse(error: BrokenFrames) -> Refusal:
    return Refusal(400, f"the body cannot be read: {error}")


class Parts:
    """The rows of a body, by the file that they belong to."""

    def __init__(self, body: Body) -> None:
        """Read what the body says about its rows. Raises KeyError, TypeError or ValueError if it says nothing."""
        self._body = body
        self._parts = [
            (int(stream), int(file), str(kinds), int(offset)) for stream, file, kinds, offset in body.head["parts"]
        ]

    @property
    def stream_ids(self) -> list[int]:
        """The streams of the rows."""
        return sorted({stream_id for stream_id, *_ in self._parts})

    @property
    def file_ids(self) -> set[int]:
        """The files of the rows."""
        return {file_id for _, file_id, *_ in self._parts}

    def iter_rows(self) -> Iterator[tuple[int, int, Parsed]]:
        """Yield the ids of the stream and of the file, and the rows, of each part. Raises Refusal with status 400."""
        for stream_id, file_id, kinds, data_offset in self._parts:
            yield stream_id, file_id, self._read_part(kinds, data_offset)
        self._body.finish()

    def _read_part(self, kinds: str, data_offset: int) -> Parsed:
        records, rejects = NO_RECORDS, NO_REJECTS
        if Kind.RECORDS.value.decode() in kinds:
            records = self._body.take_batch(Kind.RECORDS, RECORDS)
        if Kind.REJECTS.value.decode() in kinds:
            rejects = self._body.take_batch(Kind.REJECTS, REJECTS)
        if Kind.LINES.value.decode() in kinds:
            return Parsed(records, rejects, bytes(self._body.take(Kind.LINES)), data_offset)
        return _ParsedWithoutLines(records, rejects, b"", data_offset)


class Transaction:
    """One transaction of a client."""

    def __init__(self, body: bytes) -> None:
        """Read its moves and requests.

        Raises:
            Refusal: 400: the body cannot be read.
        """
        opened = Body(body)
        try:
            self.moves: Sequence[Move] = values.to_moves(opened.head["moves"])
            self._requests = values.to_requests(opened.head["requests"])
            self._parts = Parts(opened)
        except (KeyError, TypeError, ValueError) as error:
            raise Refusal(400, f"the transaction cannot be read: {type(error).__name__}") from None
        if not self._parts.file_ids <= {move.file_id for move in self.moves}:
            raise Refusal(400, "the transaction has rows of a file whose position it does not move")

    @property
    def stream_ids(self) -> list[int]:
        """The streams of its rows."""
        return self._parts.stream_ids

    def commit(self, store: Store) -> Appended:
        """Commit the transaction, unless it is committed already.

        Raises:
            LinesNeeded: the store refuses rows, and the body does not have their lines.
            PuppylogError: as `Appender.commit`.
        """
        appender = store.appender()
        try:
            self._write(appender)
            appender.complete()
            return appender.commit(self.moves, self._requests)
        except BatchDropped as error:  # the client has the rows still, and sends them again
            raise StoreFull(*error.parts) from error
        finally:
            appender.discard()

    def _write(self, appender: Appender) -> None:
        for stream_id, file_id, parsed in self._parts.iter_rows():
            try:
                appender.write(stream_id, file_id, parsed)
            except (ArithmeticError, ValueError, TypeError, struct.error) as error:  # a time or a number out of range
                raise Refusal(400, f"a row of file {file_id} cannot be written: {error}") from error


class _ParsedWithoutLines(Parsed):
    """Rows whose lines the client has kept."""

    __slots__ = ()

    def line_at(self, line_offset: int) -> NoReturn:
        raise LinesNeeded("store", f"the line at byte {line_offset}", "the store refuses its row")


def read_reread(body: bytes) -> list[Reread]:
    """Return the records of rejected lines that a client has parsed again.

    Raises:
        Refusal: 400: the body cannot be read.
    """
    return list(_iter_reread(Body(body)))


def _iter_reread(body: Body) -> Iterator[Reread]:
    try:
        parts = [(int(stream_id), int(file_id)) for stream_id, file_id in body.head["parts"]]
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(400, f"the lines cannot be read: {type(error).__name__}") from None
    for stream_id, file_id in parts:
        rows = body.take_batch(Kind.RECORDS, _REREAD)
        yield Reread(stream_id, file_id, rows.drop_columns(["rejected_offset"]), rows.column("rejected_offset"))
    body.finish()
