"""``--now``: records get the time at which they are read, so that Puppylog can be tried out on an old log.

The user has asked for these times, so no record gets the attribute ``ts_source``.
"""

from dataclasses import dataclass, replace

import pyarrow as pa

from puppylog.formats.base import Format, Parser
from puppylog.formats.record_times import set_untimed
from puppylog.model.record import RECORDS, Parsed


@dataclass(frozen=True, slots=True)
class Restamped:
    """Another format, whose records get the time of reading. Implements `puppylog.formats.base.Format`."""

    format: Format

    @property
    def name(self) -> str:
        return self.format.name

    def open(self, context: str = "", modified_at_us: int | None = None) -> "RestampedParser":
        return RestampedParser(self.format.open(context, modified_at_us))

    def find_mismatch(self, line: str) -> int:
        return self.format.find_mismatch(line)


@dataclass(frozen=True, slots=True)
class RestampedParser:
    """Another parser, whose records get the time of reading. Implements `puppylog.formats.base.Parser`."""

    parser: Parser

    @property
    def name(self) -> str:
        return self.parser.name

    @property
    def context(self) -> str:
        return self.parser.context

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        parsed = self.parser.parse(data, offset, read_at_us)
        ts = pa.scalar(read_at_us, RECORDS.field("ts").type)
        records = parsed.records
        if parsed.before or parsed.read:
            records = set_untimed(records, ts, None)
        at = RECORDS.get_field_index("ts")
        columns = records.columns
        columns[at] = pa.repeat(ts, records.num_rows)
        return replace(parsed, records=pa.RecordBatch.from_arrays(columns, schema=RECORDS), before=0, read=0)

    def find_last_start(self, lines: bytes) -> int:
        return self.parser.find_last_start(lines)
