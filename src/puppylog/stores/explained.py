"""Which statement an EXPLAIN explains. With ANALYZE it runs, so it must be judged as if it stood alone."""

import re
from collections.abc import Iterator
from typing import Final

# Blanks only: a comment that is read here otherwise than by the database could hide which statement is explained.
_HEAD: Final = re.compile(r"[ \t\r\n]*EXPLAIN\b[ \t\r\n]*(?:ANALYZE\b[ \t\r\n]*)?(?:VERBOSE\b)?", re.IGNORECASE)
# Options are words and texts, such as (ANALYZE, FORMAT json).
_OPTIONS: Final = re.compile(r"[ \t\r\n]*\([\w \t\r\n,'\"]*\)")


def iter_explained(sql: str) -> Iterator[str]:
    """Give the texts that may be the statement within an EXPLAIN; at most one of them is SQL. None if it is no EXPLAIN.

    The first one may begin with EXPLAIN's options, which only the database's parser can tell from a query in
    parentheses; the second one is without them.
    """
    head = _HEAD.match(sql)
    if head is None:
        return
    yield sql[head.end() :]
    options = _OPTIONS.match(sql, head.end())
    if options is not None:
        yield sql[options.end() :]
