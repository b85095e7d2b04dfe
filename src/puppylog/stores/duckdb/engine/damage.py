"""The note that the database is damaged, which outlives the engine process.

A damaged database can often be read in part, so queries still run. The engine stores no more lines: lines in a damaged
database could be lost with it, while the log files may keep them until the store is repaired.
"""

import contextlib
import logging
import threading
from pathlib import Path

from puppylog.stores.duckdb.directory import write_whole

_log = logging.getLogger("puppylog.engine")


class DamageNote:
    """DuckDB's message about damage of the database, kept in a file of the store's directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.found: str | None = None
        """DuckDB's message about the first damage that a statement met; None if the database is not known as damaged.

        Changed under the lock, together with the file. Any thread reads this one reference without the lock.
        """
        with contextlib.suppress(OSError):
            self.found = path.read_text(encoding="utf-8", errors="replace").strip() or None

    def note(self, cause: str) -> None:
        """Keep ``cause`` unless an earlier one is kept. If the file cannot be written, this engine still knows it."""
        with self._lock:
            if self.found is not None:
                return
            self.found = cause
            _log.error("cannot read the store: %s", cause)
            with contextlib.suppress(OSError):
                write_whole(self._path, cause + "\n")

    def clear(self) -> None:
        """Delete the note, after the whole database has been read without a fault."""
        with self._lock:
            self.found = None
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
