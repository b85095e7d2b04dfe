"""Ranges of bytes of log files, in which queries look for records and rejected lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from puppylog.stores.base import Value
from puppylog.stores.queries import load_queries

_PARTS = load_queries("puppylog.stores", "byte_ranges.sql")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The lines of a file whose first byte is in ``[start, end)``."""

    file_id: int
    start: int
    end: int


def render_ranges(query: str) -> str:
    """Return a query with the bounds of byte ranges for ``{in_bounds}``, and for ``{in_ranges}`` the join with them."""
    return query.replace("{in_bounds}", _PARTS["bounds"]).replace("{in_ranges}", _PARTS["kept"])


def range_parameters(ranges: Sequence[ByteRange]) -> dict[str, Value]:
    """Return the values of the parameters that `render_ranges` adds to a query. There must be a range."""
    return {
        "files": ",".join(str(lines.file_id) for lines in ranges),
        "starts": ",".join(str(lines.start) for lines in ranges),
        "ends": ",".join(str(lines.end) for lines in ranges),
        "lowest_file": min(lines.file_id for lines in ranges),
        "highest_file": max(lines.file_id for lines in ranges),
        "lowest_offset": min(lines.start for lines in ranges),
        "highest_offset": max(lines.end for lines in ranges),
    }
