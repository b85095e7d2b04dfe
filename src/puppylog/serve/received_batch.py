"""A batch of received requests: one transaction of their rows, the new positions, and the requests themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.collect.batch import Share
from puppylog.formats.quoting import quote
from puppylog.model.record import RECORDS, REJECTS, Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.receive.received import ReceivedLines
from puppylog.serve.commit_queue import QueuedRequest
from puppylog.serve.received_streams import ReceivedStream, SourceName
from puppylog.stores.base import Appended, Appender

SOURCE_ATTRIBUTE = "received_source"
"""The attribute with the name of a source whose lines are in a stream of several sources."""


@dataclass(slots=True)
class ReceivedBatch:
    """The rows of one transaction. Used in the committing thread."""

    appender: Appender
    requests: Sequence[QueuedRequest]
    ends: dict[int, int] = field(default_factory=dict)  # by file id: the position after the batch
    contexts: dict[int, str] = field(default_factory=dict)  # by file id
    streams: dict[int, ReceivedStream] = field(default_factory=dict)  # by file id
    shares: dict[int, Share] = field(default_factory=dict)  # by stream id
    formats: dict[int, str] = field(default_factory=dict)  # by stream id; the last that was not empty

    @classmethod
    def build(
        cls, appender: Appender, requests: Sequence[QueuedRequest], opened: Mapping[SourceName, ReceivedStream]
    ) -> "ReceivedBatch":
        """Write the rows of requests to an appender.

        Args:
            appender: new.
            requests: in the order of their arrival.
            opened: the stream of every source in them.

        Raises:
            BatchDropped: there is no disk space for the rows. The appender is discarded.
        """
        batch = cls(appender, requests)
        try:
            for request in requests:
                for name, lines in zip(request.names, request.received.lines, strict=True):
                    stream = opened[name]
                    is_own = not (name.source and stream.is_unnamed)
                    batch._add(stream, lines, "" if is_own else name.source)
            appender.complete()
        except BaseException:
            appender.discard()
            raise
        return batch

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.ends

    def commit(self) -> Appended:
        """Commit the batch. It is OK to call this again after a transient error, as for `Appender.commit`."""
        moves = [
            Move(file_id, self.streams[file_id].position, end, EMPTY_FINGERPRINT, False, self.contexts[file_id])
            for file_id, end in self.ends.items()
        ]
        requests = [ReceivedRequest(one.digest, one.answer) for one in self.requests if one.digest is not None]
        return self.appender.commit(moves, requests)

    def advance(self, appended: Appended) -> None:
        """Move the streams to their positions after the commit, and count the rows that the store refused."""
        for file_id, end in self.ends.items():
            self.streams[file_id].position = end
            self.streams[file_id].context = self.contexts[file_id]
        for stream_id, refused in appended.refused_by_stream.items():
            self.shares[stream_id].records -= refused
            self.shares[stream_id].rejects += refused

    def _add(self, stream: ReceivedStream, lines: ReceivedLines, source: str) -> None:
        if not lines.size:
            return
        start = self.ends.get(stream.file_id, stream.position)
        parsed = lines.parsed if not source else _name_source(lines.parsed, source)
        self.appender.write(stream.stream_id, stream.file_id, shift(parsed, start))
        self.streams[stream.file_id] = stream
        self.ends[stream.file_id] = start + lines.size
        before = self.contexts.get(stream.file_id, stream.context)
        self.contexts[stream.file_id] = before if lines.context is None or source else lines.context
        share = self.shares.setdefault(stream.stream_id, Share())
        share.records += lines.parsed.records.num_rows
        share.rejects += lines.parsed.rejects.num_rows
        share.size_bytes += lines.size
        if lines.format_name:
            self.formats[stream.stream_id] = lines.format_name


def shift(parsed: Parsed, offset: int) -> Parsed:
    """Return the rows with their offsets moved by ``offset`` bytes."""
    if not offset:
        return parsed
    by = pa.scalar(offset, pa.int64())
    records, rejects = (
        rows.set_column(0, schema.field(0), pc.add(rows.column(0), by)) if rows.num_rows else rows
        for rows, schema in ((parsed.records, RECORDS), (parsed.rejects, REJECTS))
    )
    return replace(parsed, records=records, rejects=rejects, data_offset=parsed.data_offset + offset)


def _name_source(parsed: Parsed, source: str) -> Parsed:
    """Return the rows with the name of their source as the first attribute of each record."""
    member = f'"{SOURCE_ATTRIBUTE}": {quote(source)}'
    attributes = parsed.records["attributes"]
    others = pc.utf8_slice_codeunits(attributes, 1)
    named = pc.coalesce(pc.binary_join_element_wise("{" + member, others, ", "), pa.scalar("{" + member + "}"))
    position = RECORDS.get_field_index("attributes")
    return replace(parsed, records=parsed.records.set_column(position, RECORDS.field(position), named))
