"""A search for the newest records that says how far back it has come. An interrupt ends it with what was found."""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from puppylog.cli.messages import warn
from puppylog.cli.surroundings import can_redraw
from puppylog.monitor.budget import Budget
from puppylog.monitor.search import Search, iter_records
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader
from puppylog.tui.times import format_instant

if TYPE_CHECKING:  # only a terminal needs it
    from puppylog.tui.live import Live

_QUIET_S: Final = 1.0  # a search that takes less time shows no progress
_PART_S: Final = 0.5  # between two redrawings of the progress


@dataclass(frozen=True, slots=True)
class Found:
    """The records that a search has found.

    Attributes:
        records: oldest first.
        interrupted_at: back to this instant all records were searched when the search was interrupted; None: the search
            has come to its end.
    """

    records: pa.Table
    interrupted_at: datetime | None = None


class Progress:
    """A line on stderr, if that is a terminal, which says how far back a search has come."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock, self._started = settings, clock, clock()
        self._live: Live | None = None
        self.is_shown = can_redraw(sys.stderr) and not settings.quiet
        if self.is_shown:
            self._live = _make_live()

    def show(self, searched_to: datetime, records: int) -> None:
        """Redraw the line, unless the search has only begun."""
        if self._live is not None and self._clock() - self._started >= _QUIET_S:
            from puppylog.tui.live import Line  # noqa: PLC0415 - see above

            found = f"{records:,} found" if records else "none found"
            self._live.show([Line(f"searched back to {format_instant(searched_to, self._settings.zone)}, {found} …")])

    def clear(self) -> None:
        """Erase the line, so that other output can be written."""
        if self._live is not None:
            self._live.clear()


def _make_live() -> "Live":
    from puppylog.tui.live import Live  # noqa: PLC0415 - only a terminal needs it

    return Live(sys.stderr, has_color=False)


def search_records(
    reader: RecordReader,
    search: Search,
    *,
    records: int,
    progress: Progress,
    on_part: Callable[[pa.Table], None] | None = None,
) -> Found:
    """Return the newest ``records`` that match the search, or those that were found until Ctrl-C.

    Args:
        reader: the store.
        search: which records.
        records: their greatest number.
        progress: shows how far the search has come.
        on_part: called with each part of the records as soon as it is found, the newest part first.

    Raises:
        KeyboardInterrupt: the search was interrupted before any part of the records was searched.
    """
    parts: list[pa.Table] = []
    found, searched_to = 0, None
    budget = Budget(math.inf, part_s=_PART_S) if progress.is_shown else None  # smaller parts cost more queries
    try:
        for part, within in iter_records(reader, search, records=records, budget=budget):
            parts.append(part)
            found, searched_to = found + part.num_rows, within.since
            if on_part is not None:
                if part.num_rows:
                    progress.clear()
                on_part(part)
            if searched_to is not None:
                progress.show(searched_to, found)
        searched_to = None
    except KeyboardInterrupt:
        if not parts:
            raise
    finally:
        progress.clear()
    return Found(pa.concat_tables(reversed(parts)), searched_to if found < records else None)


def tell_interrupted(settings: Settings, searched_to: datetime) -> None:
    """Say on stderr that older records were not searched, also with ``--quiet``: the answer is a part."""
    warn(f"interrupted: searched back to {format_instant(searched_to, settings.zone)}; older records were not searched")
