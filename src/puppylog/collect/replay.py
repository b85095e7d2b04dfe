"""Rejected lines are read again, in another format, and those that fit become records in their place.

A line fits if all that the format makes of it is records. They have the line's file, and start in it where they would
have started, had the collector read the line so. A record of several lines was rejected as one and is read as one.

What does not fit stays as it is, with the reason of the first time: that is still why the line is here. So do lines
that only say something about others, such as the directives of a W3C log: whoever reads the rest of the file again,
later, needs them.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Parser
from puppylog.formats.integers import view_integers
from puppylog.formats.multiline import MultilineParser
from puppylog.model.record import RECORDS
from puppylog.stores.base import Replayer, Reread

# What a line without a time gets for the moment, to be told from a time: an instant in 1601 that no log has.
_NO_TIME_US: Final = -11_644_473_599_999_999


@dataclass(slots=True)
class Summary:
    """What a replay has done so far. Numbers are of lines."""

    read: int = 0
    records: int = 0  # that are records now; in a dry run, that would be
    rowless: int = 0  # that make no row, such as directives
    missed: int = 0  # that were no rejected lines any more when their turn came
    reasons: Counter[str] = field(default_factory=Counter)  # why the others stay

    @property
    def stay(self) -> int:
        return self.rowless + self.reasons.total()


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
    start = 0
    for _, rows in groupby(batch["file_id"].to_pylist()):
        count = sum(1 for _ in rows)
        yield batch.slice(start, count)
        start += count


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
        misfits: dict[int, str] = {}  # by the number of the line: the first reason against it
        for at, reason in zip(
            view_integers(parsed.rejects["line_offset"]), parsed.rejects["reason"].to_pylist(), strict=True
        ):
            misfits.setdefault(lines.find(at - offset), reason)
        starts = [at - offset for at in view_integers(parsed.records["line_offset"])]
        line_of_record = [lines.find(start) for start in starts]
        fits = [  # a record that starts before the text began in other lines and ends here
            number
            for number, (start, line) in enumerate(zip(starts, line_of_record, strict=True))
            if start >= 0 and line not in misfits
        ]
        fitting = [line_of_record[number] for number in fits]
        summary.read += batch.num_rows
        summary.reasons.update(misfits.values())
        summary.rowless += batch.num_rows - len(misfits) - len({*fitting})
        if not fits:
            return None
        kept = parsed.records.take(pa.array(fits, pa.int64()))
        records = lines.put_back(kept, [starts[number] for number in fits], fitting)
        line_offsets = pa.array([lines.line_offsets[line] for line in fitting], pa.int64())
        return Reread(batch["stream_id"][0].as_py(), file_id, records, line_offsets)


@dataclass(frozen=True, slots=True)
class _Lines:
    """Rejected lines of one file, joined to a text."""

    text: bytes
    starts: Sequence[int]  # of each line in the text, in bytes
    line_offsets: Sequence[int]  # of each line in the file, in bytes
    rejected_us: Sequence[int]  # microseconds since the epoch

    @classmethod
    def join(cls, batch: pa.RecordBatch) -> Self:
        lines = batch["line"].to_pylist()
        return cls(
            b"\n".join(lines) + b"\n",
            _starts_of(lines),
            batch["line_offset"].to_pylist(),
            batch["rejected_at"].cast(pa.int64()).to_pylist(),
        )

    def mark_starts(self, text_lines: Sequence[bytes]) -> Sequence[bool]:
        """Say which lines of the text begin a rejected one: a record of several lines was rejected with all of them."""
        starts = {*self.starts}
        return [start in starts for start in _starts_of(text_lines)]

    def find(self, at: int) -> int:
        """Return the number of the line in which a position of the text is."""
        return bisect_right(self.starts, at) - 1

    def put_back(self, records: pa.RecordBatch, starts: Sequence[int], lines: Sequence[int]) -> pa.RecordBatch:
        """Return records of the text as those of the file. One without a time is of when its line was read first.

        Args:
            records: of the text.
            starts: where each record starts in the text, in bytes.
            lines: the number of the line of each record.
        """
        offsets = [
            self.line_offsets[line] + start - self.starts[line] for start, line in zip(starts, lines, strict=True)
        ]
        ts_us = records["ts"].cast(pa.int64())
        rejected_us = pa.array([self.rejected_us[line] for line in lines], pa.int64())
        ts_us = pc.if_else(pc.equal(ts_us, pa.scalar(_NO_TIME_US, pa.int64())), rejected_us, ts_us)
        columns = dict(zip(records.schema.names, records.columns, strict=True))
        columns |= {"line_offset": pa.array(offsets, pa.int64()), "ts": ts_us.cast(RECORDS.field("ts").type)}
        return pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)


def _starts_of(lines: Sequence[bytes]) -> list[int]:
    """Return where each line starts in the text of all of them, in bytes."""
    return list(accumulate((len(line) + 1 for line in lines), initial=0))[:-1]
