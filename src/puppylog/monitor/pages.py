"""Records in pages: some records in the order of their times, and a cursor after the last of them.

The order is that of time, file and offset, which is total, even for records of one time. A page begins exactly after
the page before it: no record is found twice, and none is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

import pyarrow as pa

from puppylog.model.record import COLUMNS, TEXT_COLUMNS
from puppylog.monitor.budget import Budget
from puppylog.monitor.context import LineLocation, read_records
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search, narrow_search
from puppylog.monitor.windows import iter_oldest_windows, iter_windows
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

Order: TypeAlias = Literal["newest", "oldest"]
"""Which records come first."""

TEXT_CHARACTERS: Final = 8192
"""The number of characters after which a text of a record is cut."""

ATTRIBUTES_CHARACTERS: Final = 65_536
"""Attributes whose JSON has more characters are left out of a page."""

MAX_BYTES: Final = 16 << 20
"""A page ends with the part of its records that reaches about this many bytes."""

_PART_RECORDS: Final = 2000

CUTS: Final[Mapping[str, Value]] = {"characters": TEXT_CHARACTERS, "attributes": ATTRIBUTES_CHARACTERS}
"""The values of the parameters in the SQL that `render_columns` returns."""

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

_TEXTS: Final = sorted(TEXT_COLUMNS)
_OTHERS: Final = sorted(COLUMNS - TEXT_COLUMNS - {"attributes"})


@dataclass(frozen=True, slots=True)
class PageCursor:
    """The record after which a page begins."""

    at: str  # the time of the record, as text that every store reads as an instant
    file_id: int
    line_offset: int

    def parameters(self) -> dict[str, Value]:
        """Return the values of the parameters in the condition on a cursor."""
        return {"at": self.at, "file_id": self.file_id, "line_offset": self.line_offset}


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, in the order that was asked for.

    Attributes:
        records: the columns of ``log_records``. Texts are cut to `TEXT_CHARACTERS`, and attributes above
            `ATTRIBUTES_CHARACTERS` are null; the column of the same name with ``_length`` then has the length of the
            whole, in characters. It is null otherwise.
        has_more: whether more records follow, or may follow because the search has ended early.
        cursor: where the next page begins; None without records, unless the search has ended early.
        searched_to: where the search has ended early; None: it has not.
    """

    records: pa.Table
    has_more: bool
    cursor: PageCursor | None
    searched_to: datetime | None = None


def find_page(
    reader: RecordReader,
    search: Search,
    *,
    records: int,
    order: Order,
    after: PageCursor | None,
    budget: Budget | None = None,
) -> Page:
    """Return at most ``records`` records that match the search; fewer if they would have more than `MAX_BYTES`.

    A search that ends early, because its time is over, has looked at all records up to an instant. The cursor of its
    page is this instant, so that the next page goes on there.

    Args:
        reader: the store.
        search: which records.
        records: at least 1.
        order: whether the newest or the oldest come first.
        after: where the page begins; None: with the first record.
        budget: how long the search may take; None: as long as it needs.
    """
    parts: list[pa.Table] = []
    found = 0
    wanted = records + 1  # the last one tells whether there are more
    for part in _iter_parts(reader, search, wanted, order=order, after=after, budget=budget):
        parts.append(part)
        found += part.num_rows
        if sum(part.nbytes for part in parts) >= MAX_BYTES:
            records = min(records, found - 1)
            break
    whole = pa.concat_tables(parts or [_find_part(reader, search, 0, order, after)])
    shown = whole.slice(0, records)
    if budget is not None and budget.reached is not None:
        # No file has this id, and all ids are greater: the records that are not searched yet come after the cursor.
        return Page(shown, True, PageCursor(budget.reached.astimezone(UTC).isoformat(), 0, 0), budget.reached)
    return Page(shown, whole.num_rows > records, _make_cursor(shown))


def _iter_parts(
    reader: RecordReader,
    search: Search,
    wanted: int,
    *,
    order: Order,
    after: PageCursor | None,
    budget: Budget | None,
) -> Iterator[pa.Table]:
    """Yield ``wanted`` records, or all, in parts of limited size; fewer if the time of the budget is over."""
    iter_ordered = iter_windows if order == "newest" else iter_oldest_windows
    for within in iter_ordered(reader, _narrow(search.within, order, after), budget):
        in_window = narrow_search(reader, replace(search, within=within))
        while True:
            records = min(wanted, _PART_RECORDS)
            part = _find_part(reader, in_window, records, order, after)
            yield part
            wanted -= part.num_rows
            if wanted == 0:
                return
            if part.num_rows < records:
                break
            after = _make_cursor(part)


def read_cut_records(reader: RecordReader, locations: Sequence[LineLocation]) -> pa.Table:
    """Return the records at the locations, in the order of the locations, with the columns of `Page.records`."""
    cut = _QUERIES["cut_records"].format(columns=render_columns(), found=_QUERIES["records_at"])
    return read_records(reader, locations, query=cut, values=CUTS)


def _narrow(within: Range, order: Order, after: PageCursor | None) -> Range:
    """Return the part of a range in which records may come after a cursor."""
    if after is None:
        return within
    try:
        at = datetime.fromisoformat(after.at)
        if order == "oldest":
            return replace(within, since=at if within.since is None else max(at, within.since))
        until = at + timedelta(microseconds=1)
        return replace(within, until=until if within.until is None else min(until, within.until))
    except (OverflowError, ValueError):  # beyond the times that Python has
        return within


def _find_part(reader: RecordReader, search: Search, records: int, order: Order, after: PageCursor | None) -> pa.Table:
    is_newest = order == "newest"
    condition = "true" if after is None else _QUERIES["older_than_cursor" if is_newest else "newer_than_cursor"]
    query = "page_of_newest" if is_newest else "page_of_oldest"
    values: dict[str, Value] = {**search.parameters(), **({} if after is None else after.parameters())}
    text = search.render(query, columns=render_columns(), after_cursor=condition)
    return reader.query(text, {**values, **CUTS, "records": records})


def render_columns() -> str:
    """Return the columns of a page as SQL, whose parameters are `CUTS`."""
    texts = [_QUERIES["cut_text"].format(column=name) for name in _TEXTS]
    return ", ".join([*_OTHERS, *texts, _QUERIES["short_attributes"]])


def _make_cursor(records: pa.Table) -> PageCursor | None:
    if records.num_rows == 0:
        return None
    last = records.slice(records.num_rows - 1)
    [at] = last["ts"].cast(pa.string()).to_pylist()  # Arrow writes times that Python's datetime does not have, too
    return PageCursor(at, last["file_id"][0].as_py(), last["line_offset"][0].as_py())
