"""Records as rows: a table, or one of the formats for programs."""

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from puppylog.cli.logs.lines import NO_REJECTED, Rejected
from puppylog.cli.logs.origins import Origins
from puppylog.cli.output import open_writer
from puppylog.rows.base import Writer
from puppylog.settings import Settings

if TYPE_CHECKING:  # only --columns needs the names of fields
    from puppylog.cli.logs.columns import Column

_ROWS: Final = 2048  # rows that are written at a time


class TablePrinter:
    """Writes rows in the format of the settings: all columns of the records, or those that were asked for."""

    def __init__(self, settings: Settings, columns: "Sequence[Column] | None", origins: Origins) -> None:
        self._settings, self._columns, self._origins = settings, columns, origins
        self._writer: Writer | None = None

    def write(self, records: pa.Table, breaks: Collection[int] = (), rejected: Rejected = NO_REJECTED) -> None:
        """Write records. These formats do not show where lines are left out, and do not show rejected lines."""
        del breaks, rejected
        if self._columns is not None:
            from puppylog.cli.logs.columns import select_columns  # noqa: PLC0415 - see above

            records = select_columns(records, self._columns, self._origins)
        records = _mark_json(records)
        if self._writer is None:
            self._writer = open_writer(self._settings, records.schema)
        for batch in records.to_batches(max_chunksize=_ROWS):
            if batch.num_rows:
                self._writer.write(batch)
        sys.stdout.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _mark_json(records: pa.Table) -> pa.Table:
    """Return the records with attributes of Arrow's JSON type, so that they are written as objects, not as text."""
    at = records.schema.get_field_index("attributes")
    if at < 0 or not pa.types.is_string(records.schema.field(at).type):
        return records
    storage = records["attributes"].combine_chunks()
    marked = pa.ExtensionArray.from_storage(pa.json_(storage.type), storage)
    return records.set_column(at, "attributes", marked)
