"""What writes the records of one answer, in any form."""

from collections.abc import Collection
from typing import Protocol

import pyarrow as pa

from puppylog.cli.logs.lines import NO_REJECTED, Rejected


class RecordPrinter(Protocol):
    """Writes several tables of records as one answer. `close` writes the end of the answer; it must be called once."""

    def write(self, records: pa.Table, breaks: Collection[int] = (), rejected: Rejected = NO_REJECTED) -> None:
        """Write records.

        Args:
            records: with the columns of ``log_records``; with context also ``is_match``.
            breaks: the numbers of the rows before which lines of the file are left out.
            rejected: by the number of a row, the rejected lines right before its line.
        """

    def close(self) -> None: ...
