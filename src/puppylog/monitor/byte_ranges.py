"""Ranges of bytes of log files, in which queries look for records and rejected lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from puppylog.stores.base import Value
from puppylog.stores.queries import load_queries

BOX_LETTERS: Final = "abcdefghijklmnop"
"""Each box has parameters that end in a letter of its own."""

_BOX_BYTES: Final = 1 << 20  # how far apart the starts in one box may be

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


def group_ranges(ranges: Sequence[ByteRange]) -> list[list[ByteRange]]:
    """Return ranges in at most as many groups as there are `BOX_LETTERS`. Those of a group start at similar offsets.

    The box around a group, of files and offsets, then has few bytes that are in no range.

    >>> a, b, c = ByteRange(1, 10**9, 10**9 + 100), ByteRange(2, 0, 50), ByteRange(3, 20, 90)
    >>> [[one.file_id for one in group] for group in group_ranges([a, b, c])]
    [[2, 3], [1]]
    """
    width = _BOX_BYTES
    while True:
        groups: list[list[ByteRange]] = []
        for lines in sorted(ranges, key=lambda one: one.start):
            if groups and lines.start - groups[-1][0].start <= width:
                groups[-1].append(lines)
            else:
                groups.append([lines])
        if len(groups) <= len(BOX_LETTERS):
            return groups
        width *= 4


def box_parameters(groups: Sequence[Sequence[ByteRange]]) -> dict[str, Value]:
    """Return the values of the parameters of the query ``box`` for each group, and of `render_kept_of_box`."""
    ranges = [lines for group in groups for lines in group]
    values: dict[str, Value] = {
        "boxes": ",".join(str(number) for number, group in enumerate(groups) for _ in group),
        "files": ",".join(str(lines.file_id) for lines in ranges),
        "starts": ",".join(str(lines.start) for lines in ranges),
        "ends": ",".join(str(lines.end) for lines in ranges),
    }
    for letter, group in zip(BOX_LETTERS, groups, strict=False):
        values[f"lowest_file_{letter}"] = min(lines.file_id for lines in group)
        values[f"highest_file_{letter}"] = max(lines.file_id for lines in group)
        values[f"lowest_offset_{letter}"] = min(lines.start for lines in group)
        values[f"highest_offset_{letter}"] = max(lines.end for lines in group)
    return values


def render_kept_of_box(number: int) -> str:
    """Return the join that keeps the rows of a box that are in its ranges, given the index of its group."""
    return _PARTS["kept_of_box"].format(number=number)
