"""Rejected lines are read again, in another format, and those that fit become records in their place.

A line fits if all that the format makes of it is records. They have the line's file, and start in it where they would
have started, had the collector read the line so. A record of several lines was rejected as one and is read as one.

What does not fit stays as it is, with the reason of the first time: that is still why the line is here. So do lines
that only say something about others, such as the directives of a W3C log: whoever reads the rest of the file again,
later, needs them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Parser
from puppylog.formats.multiline import MultilineParser
from puppylog.model.record import RECORDS
from puppylog.stores.base import Replayer, Reread

_Numbers: TypeAlias = npt.NDArray[np.int64]

# What a line without a time gets for the moment, to be told from a time: an instant in 1601 that no log has.
_NO_TIME_US: Final = -11_644_473_599_999_999


@dataclass(slots=True)
class Summary:
    """What a replay has done so far. Numbers are of lines."""

    read: int = 0
    records: int = 0  # that are records now; in a dry run, that would be
    joined: int = 0  # that say something about others
    missed: int = 0  # that were no rejected lines any more when their turn came
    reasons: Counter[str] = field(default_factory=Counter)  # why the others stay

    @property
    def stay(self) -> int:
        return self.joined + self.reasons.total()


def replay(store: Replayer | None, batches: Iterable[pa.RecordBatch], format: Format) -> Summary:  # noqa: A002 - the word
    """Read rejected lines again and turn those that fit into records, a transaction for each batch.

    Args:
        store: where they are; None for a dry run.
        batches: columns ``stream_id``, ``file_id``, ``line_offset``, ``rejected_at`` (microseconds) and ``line``. One
            file comes after the other, each in its order.
        format: how they are read.
    """
    summary = Summary()
    reading = _Reading(format)
    for batch in batches:
        reread = [found for part in _iter_files(batch) if (found := reading.read(part, summary)) is not None]
        fits = sum(len(pc.unique(part.line_offsets)) for part in reread)
        if store is None or not reread:
            summary.records += fits
            continue
        replayed = store.replay(reread)
        summary.records += replayed.lines
        summary.missed += replayed.missed
        summary.reasons.update(replayed.refused)
    return summary


def _iter_files(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch where another file begins."""
    file_ids = batch["file_id"].to_numpy()
    starts = np.flatnonzero(np.diff(file_ids, prepend=file_ids[:1] - 1)).tolist()
    for start, until in zip(starts, [*starts[1:], batch.num_rows], strict=True):
        yield batch.slice(start, until - start)


class _Reading:
    """Reads file after file, the lines of each with a parser that remembers those before."""

    def __init__(self, format: Format) -> None:  # noqa: A002 - the word
        self._format = format
        self._file_id: int | None = None
        self._parser: Parser | None = None
        self._offset = 0  # where the next text would start, if all of a file's were one

    def read(self, batch: pa.RecordBatch, summary: Summary) -> Reread | None:
        """Read lines of one file and count them; return those that fit, if any do."""
        file_id = batch["file_id"][0].as_py()
        lines = _Lines.join(batch)
        if self._parser is None or file_id != self._file_id:
            self._parser = self._format.open("", int(lines.rejected_us[0]))  # about then they were written
            self._file_id, self._offset = file_id, 0
        is_each_one_line = lines.text.count(b"\n") == batch.num_rows
        parser = self._parser if is_each_one_line else MultilineParser(self._parser, lines.mark_starts)
        parsed = parser.parse(lines.text, self._offset, _NO_TIME_US)
        offset, self._offset = self._offset, self._offset + len(lines.text)
        starts = parsed.records["line_offset"].to_numpy() - offset
        line_of_record = lines.find(starts)
        misfits, first = np.unique(lines.find(parsed.rejects["line_offset"].to_numpy() - offset), return_index=True)
        fits = np.isin(line_of_record, misfits, invert=True) & (starts >= 0)  # a record that ends here began elsewhere
        count = np.unique(line_of_record[fits]).size
        summary.read += batch.num_rows
        summary.reasons.update(parsed.rejects["reason"].take(pa.array(first)).to_pylist())
        summary.joined += batch.num_rows - misfits.size - count
        if not count:
            return None
        line = line_of_record[fits]
        records = lines.put_back(parsed.records.filter(pa.array(fits)), starts[fits], line)
        return Reread(batch["stream_id"][0].as_py(), file_id, records, pa.array(lines.line_offsets[line]))


@dataclass(frozen=True, slots=True)
class _Lines:
    """Rejected lines of one file, joined to a text."""

    text: bytes
    starts: _Numbers  # in the text
    line_offsets: _Numbers  # in the file
    rejected_us: _Numbers

    @classmethod
    def join(cls, batch: pa.RecordBatch) -> Self:
        lengths = pc.binary_length(batch["line"]).to_numpy().astype(np.int64) + 1
        return cls(
            b"\n".join(batch["line"].to_pylist()) + b"\n",
            np.cumsum(lengths) - lengths,
            batch["line_offset"].to_numpy(),
            batch["rejected_at"].cast(pa.int64()).to_numpy(),
        )

    def mark_starts(self, text_lines: Sequence[bytes]) -> Sequence[bool]:
        """Say which lines of the text begin a rejected one: whoever rejected a record of several lines kept all."""
        sizes = np.array([len(line) + 1 for line in text_lines])
        marks: Sequence[bool] = np.isin(np.cumsum(sizes) - sizes, self.starts).tolist()
        return marks

    def find(self, at: _Numbers) -> _Numbers:
        """Return the numbers of the lines in which these places of the text are."""
        found: _Numbers = np.searchsorted(self.starts, at, side="right") - 1
        return found

    def put_back(self, records: pa.RecordBatch, starts: _Numbers, line: _Numbers) -> pa.RecordBatch:
        """Return records of the text as those of the file. One without a time is of when its line was read first."""
        ts_us = records["ts"].cast(pa.int64()).to_numpy()
        ts_us = np.where(ts_us == _NO_TIME_US, self.rejected_us[line], ts_us)
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        columns["line_offset"] = pa.array(self.line_offsets[line] + starts - self.starts[line])
        columns["ts"] = pa.array(ts_us).cast(RECORDS.field("ts").type)
        return pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)
