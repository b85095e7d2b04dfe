"""The one translator of DuckDB's exceptions: which of Puppylog's errors each becomes.

Most failures of DuckDB have an exception class of their own, and all messages are in English. If one class stands for
several failures (a full disk, a read-only transaction), or if Arrow has lost the class, the text decides. No other
module reads the text of an exception.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from puppylog.errors import PuppylogError, QueryError, StoreDamaged, StoreError, StoreFull, StoreUnavailable

# The beginnings of DuckDB's messages about damaged files. Only the beginning counts: a text that a user's SQL puts into
# a message, as with error('…') or a failing cast, comes after the name of another kind of error.
_DAMAGE: Final = re.compile(
    r"Corrupt database file|Failure while replaying WAL file"
    r"|IO Error: (?:The file .* is not a valid DuckDB database file|Could not read enough bytes)"
)
# The classes of errors about DuckDB's own files. Texts of other classes may quote a user's SQL or a log line.
_OF_FILES: Final = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.OutOfMemoryException,
    duckdb.TransactionException,
)
_FULL: Final = {  # what DuckDB's texts say, and what people are told
    "no space left": "no space left on device",
    "disk quota": "the disk quota is exceeded",
    "file too large": "the file is too large for its file system, or for the limit of the process",
    "disk full": "the disk is full",
}


class OutOfMemory(StoreUnavailable):
    """DuckDB has no memory left for this statement. It may have enough when other statements have ended."""


class BrokenError(StoreUnavailable):
    """DuckDB refuses to use this database until it is opened again. The engine must end, and a new one must start."""


class BrokenByDamage(StoreDamaged):
    """DuckDB refuses to use this database because a part of it cannot be read."""


def is_damage(text: str) -> bool:
    """Return whether the text of a DuckDB error says that its files are damaged."""
    return _DAMAGE.match(text) is not None


@contextmanager
def translated() -> Iterator[None]:
    """Turn DuckDB's exceptions into Puppylog's."""
    try:
        yield
    except duckdb.Error as error:
        raise translate(error) from error


def translate(error: duckdb.Error) -> PuppylogError:
    """Return Puppylog's error for one of DuckDB's."""
    text = " ".join(str(error).split("\n\nLINE ")[0].split())
    full = next((cause for sign, cause in _FULL.items() if sign in text.lower()), None)
    if full is not None and isinstance(error, _OF_FILES):
        return StoreFull("write to", "the store", full)
    match error:
        case _ if is_damage(text):
            is_fatal = isinstance(error, duckdb.FatalException | duckdb.InternalException)
            return (BrokenByDamage if is_fatal else StoreDamaged)("read", "the database", text)
        case duckdb.FatalException() | duckdb.InternalException() | duckdb.OutOfMemoryException():
            kind = OutOfMemory if isinstance(error, duckdb.OutOfMemoryException) else BrokenError
            return kind("use", "the database", text)
        case duckdb.TransactionException() if "read-only mode" in text:
            refused = QueryError("run", "this SQL", "only reading is allowed")
        case duckdb.IOException() | duckdb.ConnectionException() | duckdb.TransactionException():
            return StoreError("use", "the database", text)
        case duckdb.InterruptException():
            refused = QueryError("finish", "this query", "it was interrupted")
        case _:
            refused = QueryError("run", "this SQL", text)
    return refused


def translate_streamed(error: Exception) -> PuppylogError:
    """Return Puppylog's error for an error of DuckDB that came through Arrow, which keeps only the text.

    Only the first words of the text count: DuckDB writes the class there, and a user's SQL cannot change them.
    """
    text = " ".join(str(error).split())
    if is_damage(text):
        return StoreDamaged("read", "the database", text)
    if text.startswith("Out of Memory Error") or isinstance(error, MemoryError):
        return OutOfMemory("use", "the database", text)
    if text.startswith("INTERRUPT Error"):
        return QueryError("finish", "this query", "it was interrupted")
    return QueryError("run", "this SQL", text)
