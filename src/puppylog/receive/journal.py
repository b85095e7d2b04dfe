"""Entries of systemd's journal that ``systemd-journal-upload`` sends: those that are new, as rows.

The sender remembers the last entry of a request that was answered. After an error it sends all entries after that one
again, so the same entries come twice, in other requests. They are recognized by their cursors: the context of a
stream's position has, for each series of numbers (``s`` of the cursor), the largest number that is stored (``i``). An
entry is new if its number is larger than that of its series. One series are the files that one journald writes one
after another, over any number of boots; the order of times and boots is never used.

The number of series in a context is limited. If the series that has been silent longest must be left out, its last
time is kept: entries of unknown series up to that time count as stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from puppylog.formats.journal.export import Entry
from puppylog.formats.journal.journal import JOURNAL
from puppylog.model.journal_cursor import JournalCursor
from puppylog.receive.received import Received, ReceivedLines

MAX_SERIES: Final = 64
"""Each user of a machine may have a series. A series takes about 60 bytes of the context."""

_LEFT_OUT: Final = "-"


@dataclass(slots=True)
class StoredNumbers:
    """The numbers of the entries of one stream that are stored.

    Example:
        >>> stored = StoredNumbers.parse("")
        >>> first = f"s={'a' * 32};i=1;b={'b' * 32};m=5;t=5;x=5"
        >>> stored.add(first), stored.add(first)
        (True, False)
    """

    _by_series: dict[str, tuple[int, int]] = field(default_factory=dict)  # number and time; the last in use is last
    _left_out_us: int = -1  # the time of the last entry of a series that is left out

    @classmethod
    def parse(cls, context: str) -> Self:
        """Return the numbers in the context of a position. A context of another form has none."""
        found = cls()
        for line in context.split("\n")[1:]:
            words = line.split(" ")
            try:
                if words[0] == _LEFT_OUT:
                    found._left_out_us = int(words[1], 16)
                else:
                    found._by_series[words[0]] = int(words[1], 16), int(words[2], 16)
            except (ValueError, IndexError):
                return cls()
        return found

    @property
    def context(self) -> str:
        """The numbers as the context of a position. Its first line is the name of the format."""
        lines = [f"{series} {number:x} {time_us:x}" for series, (number, time_us) in self._by_series.items()]
        if self._left_out_us >= 0:
            lines.append(f"{_LEFT_OUT} {self._left_out_us:x}")
        return "\n".join((JOURNAL.name, *lines))

    def add(self, cursor: str) -> bool:
        """Return whether the entry with this cursor is new; note that it is stored now.

        An entry without a cursor, or with one of another form, is always new.
        """
        try:
            place = JournalCursor.parse(cursor)
        except ValueError:
            return True
        known = self._by_series.get(place.seqnum_id)
        if known is not None and place.seqnum <= known[0]:
            return False
        if known is None and place.realtime_us <= self._left_out_us:
            return False
        self._by_series.pop(place.seqnum_id, None)
        self._by_series[place.seqnum_id] = place.seqnum, place.realtime_us
        if len(self._by_series) > MAX_SERIES:
            oldest = next(iter(self._by_series))
            self._left_out_us = max(self._left_out_us, self._by_series.pop(oldest)[1])
        return True


def group_by_machine(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the entries by the name of the machine that wrote them; empty if they do not say it."""
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.hostname, []).append(entry)
    return grouped


def decode_entries(
    by_source: Mapping[str, Sequence[Entry]], contexts: Mapping[str, str], read_at_us: int
) -> tuple[Received, int]:
    """Return the rows of the entries that are not stored yet, and how many entries are.

    Args:
        by_source: the entries of each source, in the order in which they came.
        contexts: of the position of each source.
        read_at_us: the time of entries without a time, in microseconds since the epoch.
    """
    lines = []
    repeated = 0
    for source, entries in by_source.items():
        stored = StoredNumbers.parse(contexts[source])
        new = [entry.line for entry in entries if stored.add(entry.cursor)]
        repeated += len(entries) - len(new)
        if new:
            data = b"".join(new)
            parsed = replace(JOURNAL.open().parse(data, 0, read_at_us), data=data)
            lines.append(ReceivedLines(source, None, parsed, len(data), JOURNAL.name, stored.context))
    return Received(tuple(lines)), repeated
