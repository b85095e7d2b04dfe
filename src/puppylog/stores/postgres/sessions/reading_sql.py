"""Checks that a user's SQL only reads on PostgreSQL, as far as the server's catalog tells.

A read-only transaction protects the tables, and a cursor accepts only one SELECT. But functions may end other clients'
sessions, read and write the server's files, change settings, or run other SQL. The catalog marks these functions as
volatile, and a statement that names one of them is refused. See decision 28.
"""

import re
from typing import Final

from puppylog.errors import QueryError

MAX_LENGTH: Final = 65_536
"""The largest number of characters of a user's SQL."""

HARMLESS: Final = (
    "clock_timestamp",
    "current_query",
    "gen_random_uuid",
    "pg_collation_actual_version",
    "pg_database_size",
    "pg_indexes_size",
    "pg_is_in_recovery",
    "pg_partition_ancestors",
    "pg_partition_tree",
    "pg_relation_size",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
    "random",
    "random_normal",
    "timeofday",
    "uuidv4",
    "uuidv7",
    # of TimescaleDB and Citus: sizes
    "approximate_row_count",
    "chunks_detailed_size",
    "citus_relation_size",
    "citus_table_size",
    "citus_total_relation_size",
    "hypertable_approximate_size",
    "hypertable_detailed_size",
    "hypertable_size",
)
"""Volatile functions that change nothing and end at once."""

_WORD: Final = re.compile(r"[^\W\d][\w$]*")
_ESCAPED_NAME: Final = re.compile(r"\bU&\s*\"", re.IGNORECASE)


def list_words(sql: str) -> list[str]:
    """Return every word of ``sql`` that could be the name of a function, in lower case.

    Words in texts and comments are included.

    Raises:
        QueryError: ``sql`` is too long, or has names that are written with escapes.
    """
    if len(sql) > MAX_LENGTH:
        raise QueryError("run", "this SQL", f"it has {len(sql)} characters; at most {MAX_LENGTH} are allowed")
    if _ESCAPED_NAME.search(sql):
        raise QueryError("run", "this SQL", 'a name written as U&"…" is not allowed')
    return sorted({word.lower() for word in _WORD.findall(sql)})


def refuse_functions(names: list[str]) -> None:
    """Raise QueryError if ``names``, the functions that the catalog says may do more than read, is not empty."""
    if names:
        raise QueryError("run", "this SQL", f"only reading is allowed, and function {', '.join(names)} does more")
