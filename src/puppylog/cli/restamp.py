"""``--now``: records get the time when they were read. For trying things out with a log that is old."""

from datetime import UTC, datetime

import pyarrow as pa

from puppylog.formats.base import Format
from puppylog.model.record import RECORDS, Parsed


class Restamped:
    """A format whose records are of now. Implements `puppylog.formats.base.Format`."""

    def __init__(self, format_: Format) -> None:
        self._format = format_

    @property
    def name(self) -> str:
        return self._format.name

    def parse(self, data: bytes | memoryview, offset: int) -> Parsed:
        parsed = self._format.parse(data, offset)
        now = pa.scalar(datetime.now(UTC), RECORDS.field("ts").type)
        at = RECORDS.get_field_index("ts")
        columns = parsed.records.columns
        columns[at] = pa.repeat(now, parsed.records.num_rows)
        return Parsed(pa.RecordBatch.from_arrays(columns, schema=RECORDS), parsed.rejects)
