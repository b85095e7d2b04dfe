"""The archive in users' SQL: ``log_archive`` and ``rejected_archive`` are relations of the archive's complete files.

The files are read by Arrow, not by DuckDB, which may not read files. So a user's SQL can name these relations, and no
other file.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from puppylog.errors import QueryError
from puppylog.stores.archive_columns import ARCHIVED
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.retention import read_retention
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "archive.sql")

RELATIONS: Final = {"log_archive": "log_records", "rejected_archive": "rejected_lines"}
"""The relations, with the table whose dropped rows each has."""

_NAMES: Final = re.compile(rf"\b({'|'.join(RELATIONS)})\b", re.IGNORECASE)


@contextmanager
def archive_relations(connection: Connection, sql: str) -> Iterator[None]:
    """Make the relations that ``sql`` names tables of the connection, for the queries in the ``with`` block.

    The files are those that are complete in the connection's snapshot. So a query sees each row once: in the archive or
    in the store.

    Raises:
        QueryError: a file of the archive is missing.
    """
    with ExitStack() as stack:
        for name in sorted({found.lower() for found in _NAMES.findall(sql)}):
            stack.enter_context(connection.table(name, _open(connection, RELATIONS[name])))
        yield


def _open(connection: Connection, table: str) -> object:
    """Return a data set of the archive's files of one table, or an empty table if there is none."""
    rows = connection.rows(_QUERIES["finished_files"], {"kind": table})
    if not rows:
        return ARCHIVED[table].empty_table()
    from pyarrow.dataset import dataset  # noqa: PLC0415 - few queries read the archive

    root = read_retention(connection).archive
    paths = [_find(root, row["root"], row["path"]) for row in rows]
    return dataset(paths, schema=ARCHIVED[table], format="parquet")


def _find(root: str | None, former_root: str, path: str) -> str:
    """Return the path of a file, which may have been moved to the archive's present directory with its folders."""
    for candidate in (root, former_root):
        if candidate is not None and Path(candidate, path).is_file():
            return str(Path(candidate, path))
    advice = "put it back, or name the directory that has it with 'puppylog retention set --archive'"
    raise QueryError("read", f"archive {root or former_root}", f"its file {path} is missing", advice)
