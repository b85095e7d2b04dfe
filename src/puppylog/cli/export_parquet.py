"""``puppylog export --parquet``: all rows of a store as Parquet files, in a folder per day."""

import os
from pathlib import Path
from typing import Final

from puppylog.cli.claiming import describe_rows
from puppylog.cli.messages import tell
from puppylog.errors import UsageError
from puppylog.model.number import format_bytes
from puppylog.monitor.export import Day, list_days, open_day
from puppylog.rows.parquet import ParquetWriter
from puppylog.settings import Settings
from puppylog.stores.archive_columns import ARCHIVED
from puppylog.stores.base import Store

# The folder of each table in the directory, as in an archive.
_FOLDERS: Final = {"log_records": "", "rejected_lines": "rejected"}


def export_rows(store: Store, directory: Path, settings: Settings) -> None:
    """Write all records and rejected lines of a store into a new directory, a file per day.

    A file has its name only when it is complete.

    Raises:
        UsageError: the directory has files, or cannot be written.
    """
    counts = dict.fromkeys(_FOLDERS, 0)
    size_bytes = 0
    try:
        if directory.exists() and any(directory.iterdir()):
            raise UsageError("export to", str(directory), "it is not empty", "name a new directory")
        for table, folder in _FOLDERS.items():
            for day in list_days(store, table):
                path = directory / folder / f"day={day.date.isoformat()}" / "rows.parquet"
                counts[table] += _write_day(store, day, path)
                size_bytes += path.stat().st_size
    except OSError as error:
        raise UsageError("export to", str(directory), error.strerror or str(error)) from error
    tell(
        settings,
        f"exported {describe_rows(counts['log_records'], counts['rejected_lines'])} to {directory}, "
        f"{format_bytes(size_bytes)}",
    )


def _write_day(store: Store, day: Day, path: Path) -> int:
    """Write the rows of a day; return how many they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".tmp")
    rows = 0
    with partial.open("wb") as out:
        writer = ParquetWriter(out, ARCHIVED[day.table])
        with open_day(store, day) as batches:
            for batch in batches:
                writer.write(batch)
                rows += batch.num_rows
        writer.close()
        out.flush()
        os.fsync(out.fileno())
    partial.rename(path)
    return rows
