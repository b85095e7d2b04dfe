"""Writes matches with the records around them, as ``logs -C`` does, also while records arrive."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from puppylog.cli.logs.printer import RecordPrinter
from puppylog.monitor.context import (
    Context,
    Extent,
    Group,
    LineLocation,
    find_context,
    find_rejected,
    locations_of,
    read_records,
)
from puppylog.stores.base import RecordReader


class ContextWriter:
    """Writes groups of consecutive records. No record is written twice."""

    def __init__(
        self, reader: RecordReader, extent: Extent, printer: RecordPrinter, *, is_reversed: bool = False
    ) -> None:
        self._reader, self._extent, self._printer, self._is_reversed = reader, extent, printer, is_reversed
        self._reached: dict[int, int] = {}  # by file, the offset of the last record that was written
        # Matches that were written before the records after them were stored.
        self._incomplete: Sequence[LineLocation] = ()
        self._last: LineLocation | None = None

    def write(self, matches: pa.Table, ends: Mapping[int, int]) -> None:
        """Write matches, and the records around these and earlier matches that have not been written yet.

        Args:
            matches: records that match, with all columns.
            ends: by file, the offset in bytes up to which records are taken.
        """
        locations = locations_of(matches)
        context = Context((), ())
        if locations or self._incomplete:
            context = find_context(self._reader, [*self._incomplete, *locations], self._extent, ends)
        self._incomplete = context.incomplete
        groups = [group for found in context.groups if (group := self._without_written(found)).locations]
        if self._is_reversed:
            groups = [Group(group.locations[::-1], None) for group in reversed(groups)]
        breaks, at = set(), 0
        spans = []  # the groups, each with the record that was written right before it
        for group in groups:
            is_continued = group.previous is not None and group.previous == self._last
            spans.append(Group([self._last, *group.locations], None) if is_continued and self._last else group)
            if self._last is not None and not is_continued:
                breaks.add(at)
            at += len(group.locations)
            self._last = group.locations[-1]
            self._reached[self._last[0]] = max(self._last[1], self._reached.get(self._last[0], -1))
        shown = [location for group in groups for location in group.locations]
        between = {} if self._is_reversed else find_rejected(self._reader, spans)
        rejected = {at: between[location] for at, location in enumerate(shown) if location in between}
        self._printer.write(_mark(read_records(self._reader, shown), set(locations)), breaks, rejected)

    def _without_written(self, group: Group) -> Group:
        """Return the part of a group that has not been written."""
        kept = [location for location in group.locations if location[1] > self._reached.get(location[0], -1)]
        written = len(group.locations) - len(kept)
        return Group(kept, group.locations[written - 1] if written else group.previous)


def _mark(records: pa.Table, matches: set[LineLocation]) -> pa.Table:
    """Return the records with a column that says whether each of them is a match."""
    marks = [location in matches for location in locations_of(records)]
    return records.append_column("is_match", pa.array(marks, pa.bool_()))
