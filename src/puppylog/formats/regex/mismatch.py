"""Where a line stops to fit. RE2 does not tell, so shorter and shorter beginnings of the expression are tried on it."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc


def find_mismatch(regex: str, line: str) -> int:
    """Return how many characters of the line the longest beginning of the expression takes that finds something.

    Args:
        regex: an expression, which need not find anything.
        line: without its newline.
    """
    for beginning in _iter_beginnings(regex):
        found = pc.extract_regex(pa.array([line]), beginning)[0].as_py()
        if found is not None:
            return len(found["all_before"])
    return 0


def _iter_beginnings(regex: str) -> Iterator[str]:
    """Yield the beginnings that are expressions themselves, the longest first, made to find all before them as well."""
    for size in range(len(regex), 0, -1):
        beginning = f"^(?P<all_before>(?s:.*?)(?:{regex[:size]}))"
        try:
            pc.extract_regex(pa.array([""]), beginning)
        except pa.ArrowInvalid:
            continue  # it ends within a group or a set
        yield beginning
