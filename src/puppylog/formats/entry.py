"""A record that a reader in Python makes of a line, and the error for a line that does not fit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from puppylog.formats.rows import NO_TIME, Member, RowsBuilder

Columns: TypeAlias = dict[str, str | int | None]


CONTINUES: Final = "continues"
"""The reason of a `Mismatch` for a line that belongs to the record before."""


@dataclass(slots=True)
class Entry:
    """The record of a line. The fields are those of `puppylog.formats.rows.RowsBuilder.add`."""

    ts_us: int = NO_TIME
    is_local: bool = False
    columns: Columns = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    has_ambiguous_zone: bool = False  # the time names a zone that can mean several


class Mismatch(ValueError):
    """The line does not fit the format."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at  # the index of the first character that does not match


def add_entries(builder: RowsBuilder, read: Callable[[str], Entry]) -> None:
    """Add a row for each line of the builder's text that is not blank, or join it to the row before.

    Args:
        builder: has the text.
        read: returns the record of a line, or raises `Mismatch`.
    """
    add_entries_at(builder, lambda _, line: read(line))


def add_entries_at(builder: RowsBuilder, read: Callable[[int, str], Entry | None]) -> None:
    """Do the same with a function that also gets the offset in bytes of the line.

    The function may return None: then the line belongs to the record before, and was read with it.
    """
    for at, line in builder.iter_lines():
        try:
            entry = read(at, line.decode())
        except Mismatch as mismatch:
            if mismatch.reason == CONTINUES:
                builder.continue_(at, line)
            else:
                builder.reject(at, mismatch.reason)
        else:
            if entry is not None:
                add_entry(builder, at, entry)


def add_entry(builder: RowsBuilder, at: int, entry: Entry) -> None:
    """Add a record whose line starts at the offset ``at`` in bytes."""
    builder.ambiguous_zones += entry.has_ambiguous_zone
    builder.add(at, entry.ts_us, is_local=entry.is_local, members=entry.members, columns=entry.columns)


def find_mismatch(read: Callable[[str], object], line: str) -> int:
    """Return the index of the first character at which a reader of lines finds a mismatch; 0 if it finds none."""
    try:
        read(line)
    except Mismatch as mismatch:
        return mismatch.at
    return 0
