"""Finds where a line does not match an expression.

RE2 does not report it, so shorter and shorter beginnings of the expression are tried.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc


def find_mismatch(regex: str, line: str) -> int:
    """Return the offset in characters of the end of the longest match of a beginning of the expression.

    Args:
        regex: the expression.
        line: the line without its newline.
    """
    for beginning in _iter_beginnings(regex):
        found = pc.extract_regex(pa.array([line]), beginning)[0].as_py()
        if found is not None:
            return len(found["all_before"])
    return 0


def _iter_beginnings(regex: str) -> Iterator[str]:
    """Yield the beginnings that are valid expressions, the longest first.

    Each also captures all text up to the end of its match, in the group ``all_before``.
    """
    for size in range(len(regex), 0, -1):
        beginning = f"^(?P<all_before>(?s:.*?)(?:{regex[:size]}))"
        try:
            pc.extract_regex(pa.array([""]), beginning)
        except pa.ArrowInvalid:
            continue  # the beginning ends within a group or a set
        yield beginning
