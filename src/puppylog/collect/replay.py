"""Parses rejected lines again in another format, and replaces the lines that fit by records.

A line fits if the format makes only records of it. The records have the file of the line, and the offsets that they
would have if the collector had parsed the line in this format. A record of several lines was rejected as one line, and
is parsed as one.

A line that does not fit stays rejected, with its first reason. Lines without a row, such as the directives of a W3C
log, stay, too: a later replay needs them to parse the other lines of the file.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format, Parser
from puppylog.formats.integers import view_integers
from puppylog.formats.multiline import MultilineParser
from puppylog.formats.record_times import READ, set_untimed
from puppylog.model.record import RECORDS
from puppylog.stores.base import Replayer, Reread


@dataclass(slots=True)
class Summary:
    """What a replay has done so far, in numbers of lines."""

    read: int = 0
    records: int = 0  # have become records; in a dry run, would become records
    rowless: int = 0  # make no row, such as directives
    missed: int = 0  # were no longer rejected lines when the store replaced them
    reasons: Counter[str] = field(default_factory=Counter)  # why the other lines stay rejected

    @property
    def unchanged(self) -> int:
        """How many lines stay rejected."""
        return self.rowless + self.reasons.total()


def replay(store: Replayer | None, batches: Iterable[pa.RecordBatch], format: Format) -> Summary:  # noqa: A002 - the word
    """Parse rejected lines again and replace the lines that fit by records, in one transaction for each batch.

    Args:
        store: has the rejected lines; None for a dry run.
        batches: columns ``stream_id``, ``file_id``, ``line_offset``, ``rejected_at`` (microseconds) and ``line``,
            sorted by file and offset.
        format: parses the lines.
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
    """Split a batch into one batch for each file."""
    start = 0
    for _, rows in groupby(batch["file_id"].to_pylist()):
        count = sum(1 for _ in rows)
        yield batch.slice(start, count)
        start += count


class _Reading:
    """Parses the lines of one file after another. All lines of a file are parsed by one parser, in their order."""

    def __init__(self, format: Format) -> None:  # noqa: A002 - the word
        self._format = format
        self._file_id: int | None = None
        self._parser: Parser | None = None
        self._offset = 0  # where the next text starts, if all texts of a file are put together

    def read(self, batch: pa.RecordBatch, summary: Summary) -> Reread | None:
        """Parse lines of one file and count them; return the lines that fit, None if no line fits."""
        file_id = batch["file_id"][0].as_py()
        lines = _Lines.join(batch)
        if self._parser is None or file_id != self._file_id:
            self._parser = self._format.open("", int(lines.rejected_us[0]))  # the lines were written shortly before
            self._file_id, self._offset = file_id, 0
        is_each_one_line = lines.text.count(b"\n") == batch.num_rows
        parser = self._parser if is_each_one_line else MultilineParser(self._parser, lines.mark_starts)
        parsed = parser.parse(lines.text, self._offset, 0)
        offset, self._offset = self._offset, self._offset + len(lines.text)
        misfits: dict[int, str] = {}  # the first reason why a line does not fit, by the number of the line
        for at, reason in zip(
            view_integers(parsed.rejects["line_offset"]), parsed.rejects["reason"].to_pylist(), strict=True
        ):
            misfits.setdefault(lines.find(at - offset), reason)
        starts = [at - offset for at in view_integers(parsed.records["line_offset"])]
        line_of_record = [lines.find(start) for start in starts]
        fits = [  # numbers of records; one that starts before this text began in lines of an earlier text
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
    """Rejected lines of one file, put together in one text."""

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
        """Return whether each line of the text begins a rejected line, which may have several lines of text."""
        starts = {*self.starts}
        return [start in starts for start in _starts_of(text_lines)]

    def find(self, at: int) -> int:
        """Return the number of the rejected line that has the byte at offset ``at`` of the text."""
        return bisect_right(self.starts, at) - 1

    def put_back(self, records: pa.RecordBatch, starts: Sequence[int], lines: Sequence[int]) -> pa.RecordBatch:
        """Return the records with their offsets in the file. A record without a time gets the time of its rejection.

        The record before it in the file is unknown here.

        Args:
            records: with offsets in the text.
            starts: the offset of each record in the text, in bytes.
            lines: the number of the rejected line of each record.
        """
        offsets = [
            self.line_offsets[line] + start - self.starts[line] for start, line in zip(starts, lines, strict=True)
        ]
        rejected_at = pa.array([self.rejected_us[line] for line in lines], RECORDS.field("ts").type)
        records = set_untimed(records, rejected_at, READ)
        return records.set_column(0, RECORDS.field(0), pa.array(offsets, pa.int64()))


def _starts_of(lines: Sequence[bytes]) -> list[int]:
    """Return the offset in bytes at which each line starts in the text of all lines."""
    return list(accumulate((len(line) + 1 for line in lines), initial=0))[:-1]
