"""The columns of Parquet files in which rows leave a store: those of an archive, and those of an export.

They have names as well as ids, because they are read without their store, and together with those of other stores.
"""

from typing import Final

import pyarrow as pa

from puppylog.model.record import RECORDS, REJECTS

_IDS: Final = [pa.field("stream_id", pa.int32()), pa.field("file_id", pa.int32())]
_NAMES: Final = [
    pa.field("source_uri", pa.string()),
    pa.field("group_name", pa.string()),
    pa.field("file_path", pa.string()),
    pa.field("store_id", pa.string()),
]
ARCHIVED: Final = {
    "log_records": pa.schema([*_IDS, *RECORDS, *_NAMES]),
    "rejected_lines": pa.schema([*_IDS, *REJECTS, pa.field("rejected_at", pa.timestamp("us", "UTC")), *_NAMES]),
}
"""The columns by the table whose rows a file has."""

NAMES: Final = tuple(field.name for field in _NAMES)
"""The columns that the archive has in addition to those of the table."""

INSTANTS: Final = {"log_records": "ts", "rejected_lines": "rejected_at"}
"""The column by which the rows of each table are put into days."""

KEYS: Final = pa.schema([_IDS[1], RECORDS.field("line_offset")])
"""What identifies a row."""
