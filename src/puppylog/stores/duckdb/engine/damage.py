"""Damage of the database: how it is told from other errors, and the note that outlives the engine process.

A damaged database can often be read in part, so queries go on. Storing stops: lines that went into a damaged database
could be lost with it, while their files may still hold them.
"""

import contextlib
import logging
import re
from pathlib import Path
from typing import Final

from puppylog.stores.duckdb.directory import write_whole

# How DuckDB's messages begin when bytes of its files are not those that it wrote. Only the beginning counts: what a
# user's own SQL makes it say, as with error('…') or a failing cast, begins with the kind of that error.
_DAMAGE: Final = re.compile(
    r"Corrupt database file|Failure while replaying WAL file"
    r"|IO Error: (?:The file .* is not a valid DuckDB database file|Could not read enough bytes)"
)

_log = logging.getLogger("puppylog.engine")


def is_damage(text: str) -> bool:
    """Return whether an error of DuckDB says that its files are damaged."""
    return _DAMAGE.match(text) is not None


class DamageNote:
    """What could not be read of the database, in a file of the store's directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: str | None = None
        """The first message of damage that was met, or None."""
        with contextlib.suppress(OSError):
            self.found = path.read_text(encoding="utf-8", errors="replace").strip() or None

    def note(self, message: str) -> None:
        """Keep the first message. If the file cannot be written, this engine still knows it."""
        if self.found is not None:
            return
        self.found = message
        _log.error("%s", message)
        with contextlib.suppress(OSError):
            write_whole(self._path, message + "\n")

    def clear(self) -> None:
        """Forget it: the whole database has been read without a fault."""
        self.found = None
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
