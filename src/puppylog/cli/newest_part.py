"""Counting within the time of ``--within``: the newest part of the records that fits, and the note that names it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import pyarrow as pa

from puppylog.cli.messages import warn
from puppylog.cli.output import write_rows
from puppylog.monitor.search import Search
from puppylog.settings import Settings
from puppylog.stores.base import RecordReader
from puppylog.tui.times import format_instant

T = TypeVar("T")

_COUNTED_SINCE: Final = pa.field("counted_since", pa.timestamp("us", tz="UTC"))  # null: all records are counted


def count_in_time(
    reader: RecordReader, search: Search, budget_s: float | None, count: Callable[[Search], T]
) -> tuple[T, datetime | None]:
    """Return what ``count`` returns, and from where on records are counted; None: all are, as without a budget."""
    if budget_s is None:
        return count(search), None
    from puppylog.monitor.budget import Budget  # noqa: PLC0415 - only --within needs these two
    from puppylog.monitor.counting.newest_part import count_newest_part  # noqa: PLC0415 - as above

    return count_newest_part(reader, search, Budget(budget_s), count)


def write_counts(
    rows: Sequence[Mapping[str, object]],
    schema: pa.Schema,
    settings: Settings,
    budget_s: float | None,
    since: datetime | None,
) -> None:
    """Write rows; with a budget, each has the instant since when its records are counted."""
    if budget_s is not None:
        schema = schema.append(_COUNTED_SINCE)
        rows = [{**row, _COUNTED_SINCE.name: since} for row in rows]
    write_rows(rows, schema, settings)


def tell_counted_since(settings: Settings, since: datetime | None, budget_s: float | None) -> None:
    """Say on stderr since when records are counted, also with ``--quiet``: a part must not look like the whole."""
    if since is not None and budget_s is not None:
        warn(
            f"counted since {format_instant(since, settings.zone)}: {budget_s:g} s are not enough for all records; "
            "without --within all are counted"
        )
