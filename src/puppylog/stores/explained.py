"""Finds the statement within an EXPLAIN. EXPLAIN ANALYZE runs it, so the store must check it like any other SQL."""

import re
from collections.abc import Iterator
from typing import Final

# Only blanks may separate the words: in a comment that the database reads differently, a statement could hide.
_HEAD: Final = re.compile(r"[ \t\r\n]*EXPLAIN\b[ \t\r\n]*(?:ANALYZE\b[ \t\r\n]*)?(?:VERBOSE\b)?", re.IGNORECASE)
# The options of an EXPLAIN, such as (ANALYZE, FORMAT json).
_OPTIONS: Final = re.compile(r"[ \t\r\n]*\([\w \t\r\n,'\"]*\)")


def iter_explained(sql: str) -> Iterator[str]:
    """Yield the texts that may be the statement within an EXPLAIN; no text if ``sql`` is not an EXPLAIN.

    At most one of them is valid SQL. The first text may begin with EXPLAIN's options, because only the database's
    parser can tell options from a query in parentheses. The second text has no options.
    """
    head = _HEAD.match(sql)
    if head is None:
        return
    yield sql[head.end() :]
    options = _OPTIONS.match(sql, head.end())
    if options is not None:
        yield sql[options.end() :]
