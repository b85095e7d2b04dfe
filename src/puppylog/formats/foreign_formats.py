"""Lines of another format within a file, such as the text that Traefik writes into its access log.

The format of a file rejects them. Here some formats that are sure of their lines read what was rejected, line by line.
A line becomes a record if it has a time of its own, and a severity, a message or a request. So a damaged line of the
file's own format stays rejected, and no line gets a time that it does not have.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import Format
from puppylog.formats.record_times import find_untimed
from puppylog.model.record import Parsed

GENERAL: Final = "app"
"""The format of application text. It fits nearly every line with a time, so it must find a severity, too."""


@dataclass(frozen=True, slots=True)
class ForeignFormats:
    """The formats that read rejected lines. None of them joins lines, so records do not depend on how a file is cut."""

    formats: Sequence[Format] = ()  # in the order in which they read

    def read(self, parsed: Parsed, modified_at_us: int | None, read_at_us: int, own: str) -> Parsed:
        """Return the lines with records in place of the rejected lines that another format reads.

        Args:
            parsed: the lines as the format of the file read them.
            modified_at_us: see `puppylog.formats.base.Format.open`.
            read_at_us: the time of reading, in microseconds since the epoch.
            own: the name of the format of the file, which is not tried again.
        """
        records, rejects = [parsed.records], parsed.rejects
        for format_ in self.formats:
            if not rejects.num_rows:
                break
            if format_.name != own:
                found, rejects = _read_rejected(format_, rejects, modified_at_us, read_at_us)
                records.append(found)
        if rejects.num_rows == parsed.rejects.num_rows:
            return parsed
        joined = pa.concat_batches(records)
        order = pc.sort_indices(joined["line_offset"])
        return replace(parsed, records=joined.take(order), rejects=rejects)


def _read_rejected(
    format_: Format, rejects: pa.RecordBatch, modified_at_us: int | None, read_at_us: int
) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return the records that the rejected lines become, and the lines that stay rejected."""
    lines = [line + b"\n" for line in rejects["line"].to_pylist()]
    starts = [0, *accumulate(map(len, lines))]
    records = format_.open("", modified_at_us).parse(b"".join(lines), 0, read_at_us).records
    is_sure = _find_sure(records, needs_severity=format_.name == GENERAL)
    offsets = records["line_offset"].to_pylist()  # of several records of a line, each has its own
    line_of = pa.array([bisect_right(starts, offset) - 1 for offset in offsets], pa.int64())
    unsure = pc.unique(line_of.filter(pc.invert(is_sure)))
    is_taken = pc.invert(pc.is_in(line_of, unsure))
    moved = pc.subtract(rejects["line_offset"], pa.array(starts[:-1], pa.int64()))
    columns = dict(zip(records.schema.names, records.columns, strict=True))
    columns["line_offset"] = pc.add(records["line_offset"], moved.take(line_of))
    taken = pa.RecordBatch.from_arrays([*columns.values()], schema=records.schema).filter(is_taken)
    is_left = pc.invert(pc.is_in(pa.array(range(len(lines)), pa.int64()), pc.unique(line_of.filter(is_taken))))
    return taken, rejects.filter(is_left)


def _find_sure(records: pa.RecordBatch, *, needs_severity: bool) -> pa.Array:
    """Return for each record whether it has a time of its own and says something."""
    has_time = pc.invert(find_untimed(records))
    says = records["severity"].is_valid()
    if not needs_severity:
        for name in ("message", "request_method", "status_code"):
            says = pc.or_(says, records[name].is_valid())
    return pc.and_(has_time, says)
