"""Follows new records: asks the store for them again and again, even while the store is unavailable for some time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from puppylog.cli.messages import tell, warn
from puppylog.cli.standard_streams import sleep_while_read
from puppylog.errors import PuppylogError
from puppylog.monitor.context import LineLocation, locations_of
from puppylog.monitor.search import Cursor, NewRecords, Search, read_new_records
from puppylog.settings import Settings
from puppylog.stores.base import Store

_POLL_S: Final = 0.5


@dataclass(slots=True)
class Follower:
    """Passes the new records that match a search to ``write``, with the cursor after them."""

    settings: Settings
    store: Store
    search: Search
    write: Callable[[pa.Table, Cursor], None]
    _is_away: bool = False  # whether the store did not answer the last time
    _known: set[LineLocation] = field(default_factory=set)

    def run(self, cursor: Cursor, shown: pa.Table) -> None:
        """Write the records that are stored after ``cursor``, until interrupted. Those in ``shown`` are left out."""
        self._known = {
            location for location in locations_of(shown) if location[1] >= cursor.offsets.get(location[0], 0)
        }
        while True:
            news = self._read(cursor)
            if news is not None:
                cursor = news.cursor
                self.write(self._drop_known(news.records), cursor)
            if news is None or not news.is_behind:
                sleep_while_read(_POLL_S)

    def _read(self, cursor: Cursor) -> NewRecords | None:
        """Return the new records; None if there are none, or if the store does not answer."""
        try:
            news = read_new_records(self.store, self.search, cursor)
        except PuppylogError as error:
            if not error.transient:
                raise
            if not self._is_away:
                warn(f"{error.message}; trying again")
            self._is_away = True
            return None
        if self._is_away:
            tell(self.settings, "the store is back")
        self._is_away = False
        return news

    def _drop_known(self, records: pa.Table) -> pa.Table:
        """Return the records without the known ones, and forget those: no record is read a third time."""
        if not self._known:
            return records
        locations = locations_of(records)
        kept = pa.array([location not in self._known for location in locations], pa.bool_())
        self._known.difference_update(locations)
        return records.filter(kept)
