"""A batch: the lines of one transaction, from any number of files, and the new position of each file."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.model.record import RECORDS, REJECTS, LineCounts, Parsed
from puppylog.model.stream import Move
from puppylog.stores.base import FULL_BYTES, Appender
from puppylog.tail.chunk import Chunk, TailedFile

FIRST_SHARE = 2
"""The first batch is full at a full batch's rows divided by this, so that the store starts to work early."""


@dataclass(slots=True)
class Share:
    """What a batch has of one stream."""

    records: int = 0
    rejects: int = 0
    size_bytes: int = 0


@dataclass(slots=True)
class Batch:
    """The rows of one transaction.

    The reading thread fills it and hands it over to a `puppylog.collect.committer.Committer`; from then on every field
    belongs to the committing thread. No lock: no two threads use a batch at the same time.
    """

    appender: Appender
    full_rows: int
    full_bytes: int = FULL_BYTES
    moves: dict[int, Move] = field(default_factory=dict)  # by file id
    shares: dict[int, Share] = field(default_factory=dict)  # by stream id
    records: int = 0
    rejects: int = 0
    counts: LineCounts = field(default_factory=LineCounts)
    size_bytes: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    finished: list[tuple[str, int]] = field(default_factory=list)
    missing: list[tuple[str, int]] = field(default_factory=list)
    finished_files: list[TailedFile] = field(default_factory=list)
    last_rows: int = 0  # lines of the last chunk; the next chunk is expected to bring as many

    def add(self, stream_id: int, file_id: int, chunk: Chunk, parsed: Parsed, context: str = "") -> None:
        """Add a chunk's rows, and move the file's position to the end of the chunk.

        Args:
            stream_id: of the file's stream.
            file_id: of the file, in the store.
            chunk: follows the last chunk of the file in this batch.
            parsed: the chunk's rows.
            context: of the file's parser after the chunk; it is committed with the position.
        """
        if chunk.is_cut:
            parsed = flag_cut(parsed)
        parsed = replace(parsed, data=chunk.data, data_offset=chunk.offset)
        self.appender.write(stream_id, file_id, parsed)
        so_far = self.moves.get(file_id)
        start = chunk.start if so_far is None else so_far.start
        self.moves[file_id] = Move(file_id, start, chunk.end, chunk.fingerprint, chunk.finished, context)
        self.last_rows = parsed.lines
        self.records += parsed.records.num_rows
        self.rejects += parsed.rejects.num_rows
        self.counts += parsed.counts
        self.size_bytes += chunk.end - chunk.start
        share = self.shares.setdefault(stream_id, Share())
        share.records += parsed.records.num_rows
        share.rejects += parsed.rejects.num_rows
        share.size_bytes += chunk.end - chunk.start
        if parsed.rejects.num_rows:
            for count in pc.value_counts(parsed.rejects.column("reason")).to_pylist():
                self.reasons[count["values"]] += count["counts"]
        if chunk.finished:
            (self.missing if chunk.is_missing else self.finished).append((chunk.file.path, chunk.end))
            self.finished_files.append(chunk.file)

    @property
    def is_full(self) -> bool:
        """Whether the next chunk would probably exceed the limit of rows, or the limit of bytes is reached.

        A batch stays just below the limit of rows, so that its last row group is full.
        """
        return self.records + self.rejects + self.last_rows > self.full_rows or self.size_bytes >= self.full_bytes


def flag_cut(parsed: Parsed) -> Parsed:
    """Mark the row of a line that was cut: a record in its attributes, a rejected line in its reason."""
    records, rejects = parsed.records, parsed.rejects
    if records.num_rows:
        marked = [json.dumps({**json.loads(text or "{}"), "cut": True}) for text in records["attributes"].to_pylist()]
        position = RECORDS.get_field_index("attributes")
        records = records.set_column(position, RECORDS.field(position), pa.array(marked, pa.string()))
    if rejects.num_rows:
        marked = [f"{reason} (the line was too long and is cut)" for reason in rejects["reason"].to_pylist()]
        position = REJECTS.get_field_index("reason")
        rejects = rejects.set_column(position, REJECTS.field(position), pa.array(marked, pa.string()))
    return replace(parsed, records=records, rejects=rejects)
