"""Damage of the database: the note of it that outlives the engine process.

A damaged database can often be read in part, so queries go on. Storing stops: lines that went into a damaged database
could be lost with it, while their files may still hold them.
"""

import contextlib
import logging
import threading
from pathlib import Path

from puppylog.stores.duckdb.directory import write_whole

_log = logging.getLogger("puppylog.engine")


class DamageNote:
    """What could not be read of the database, in a file of the store's directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.found: str | None = None
        """What DuckDB said of the first damage that was met, or None.

        Changed under the lock, with the file. Read in any thread without it: the value is one reference.
        """
        with contextlib.suppress(OSError):
            self.found = path.read_text(encoding="utf-8", errors="replace").strip() or None

    def note(self, cause: str) -> None:
        """Keep the first cause. If the file cannot be written, this engine still knows it."""
        with self._lock:
            if self.found is not None:
                return
            self.found = cause
            _log.error("cannot read the store: %s", cause)
            with contextlib.suppress(OSError):
                write_whole(self._path, cause + "\n")

    def clear(self) -> None:
        """Forget it: the whole database has been read without a fault."""
        with self._lock:
            self.found = None
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
