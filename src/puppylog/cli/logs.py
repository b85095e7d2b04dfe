"""``puppylog logs``: search records, and follow new ones."""

import functools
import sys
import time
from collections.abc import Sequence
from typing import Final, TypeAlias

import click
import pyarrow as pa

from puppylog.cli.options import (
    examples,
    group_option,
    limit_option,
    output_options,
    pass_settings,
    range_options,
    store_options,
    timeout_option,
)
from puppylog.cli.output import open_writer
from puppylog.cli.queries import join_conditions, query_argument, read_query, translate_for
from puppylog.cli.talk import tell, warn
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.errors import PuppylogError, UsageError
from puppylog.model.expression import parse_filter
from puppylog.monitor.search import (
    Cursor,
    NewRecords,
    Search,
    count_records,
    find_records,
    get_group_id,
    read_cursor,
    read_new_records,
)
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

Place: TypeAlias = tuple[int, int]
"""Where a line is stored: the id of its file, and the offset in bytes at which it starts."""

_POLL_S: Final = 0.5
# The columns of a table, if records fill them; the other formats have all columns.
_SHOWN: Final = (
    "ts",
    "host",
    "ruser",
    "request_method",
    "request_route",
    "status_code",
    "response_bytes",
    "severity",
    "message",
)
# Formats whose document has an end.
_WHOLE: Final = {"json": "one JSON document", "parquet": "one Parquet file"}
# Columns that a table leaves out without saying so: the place of the line, and how its time was found.
_PLACE: Final = frozenset({"stream_id", "file_id", "line_offset", "ts_source"})


@click.command(
    epilog=examples(
        "puppylog logs --since 10m timeout",
        "puppylog logs 'status_code>=500 request_route:/shop/* -user_agent:*bot*'",
        "puppylog logs 'severity>=warning (disk or \"no space\") source:syslog'",
        "puppylog logs 'duration_ms > 1000 or message~/took [0-9]+ s/' -l 20",
        "puppylog logs --where \"status_code >= 500 and request_route like '/shop/%'\" -l 20",
        "puppylog logs --group shop -f",
        "puppylog logs --from 2015-05-17 --to 2015-05-18 -l 1000000 -o jsonl > may17.jsonl",
    )
)
@query_argument
@click.option("--where", metavar="SQL", help="Only records that match this SQL, such as lower(host) = 'a'.")
@range_options
@group_option("Only records of this log group.")
@click.option("-f", "--follow", is_flag=True, help="Then show new records as they are stored, until interrupted.")
@limit_option("of the newest records (with -f: of those already stored)", 100)
@timeout_option
@output_options
@store_options
@pass_settings
def logs(
    settings: Settings,
    *,
    query: tuple[str, ...],
    where: str | None,
    since: str | None,
    from_: str | None,
    to: str | None,
    group: str | None,
    follow: bool,
    limit: int,
) -> None:
    """Search records, and follow new ones.

    QUERY is words, "a phrase", field:value, field:a*, status_code>=500, field~/regular expression/, has:field, joined
    by and, or, not and parentheses: see docs/search.md. Put it into quotes for the shell.

    The newest records come last; stderr says how many more there are. A table has the most important columns, if
    records fill them; the other formats have all columns.
    """
    if follow and to is not None:
        raise UsageError("follow", "to an end", advice="use --to without -f")
    if follow and settings.output in _WHOLE:
        raise UsageError("follow", f"as {_WHOLE[settings.output]}", advice="use -o jsonl or arrow")
    written = read_query(query)
    wanted = None if where is None else parse_filter(where)
    within = parse_range(settings, since, from_, to)
    with connect(settings.store, timeout_s=settings.timeout_s) as store:
        asked = None if written is None else translate_for(store, written, settings)
        condition = join_conditions(store, wanted, asked)
        search = Search(condition, within, None if group is None else get_group_id(store, group))
        # The cursor is read first. A record that is committed between the two queries is found by the search and again
        # as a new record; _follow drops the second copy.
        cursor = read_cursor(store) if follow else Cursor({})
        found = find_records(store, search, records=limit)
        names = _choose_columns(found) if settings.output == "table" else found.schema.names
        printer = _Printer(settings, found.schema, names, _list_left_out(found, names))
        printer.write(found)
        if not follow:
            printer.close()
        sys.stdout.flush()
        count = functools.partial(count_records, store, search)
        tell_truncated(settings, "records", shown=found.num_rows, limit=limit, count=count)
        if follow:
            _follow(store, search, cursor, found, printer)


def _follow(store: Store, search: Search, cursor: Cursor, shown: pa.Table, printer: "_Printer") -> None:
    known = {place for place in _places(shown) if place[1] >= cursor.offsets.get(place[0], 0)}
    is_away = False
    while True:
        news: NewRecords | None = None
        try:
            news = read_new_records(store, search, cursor)
            if is_away:
                tell(printer.settings, "the store is back")
            is_away = False
        except PuppylogError as error:
            if not error.transient:
                raise
            if not is_away:
                warn(f"{error.message}; trying again")
            is_away = True
        if news is not None:
            cursor = news.cursor
            printer.write(_drop_known(news.records, known))
        if news is None or not news.is_behind:
            time.sleep(_POLL_S)


def _drop_known(records: pa.Table, known: set[Place]) -> pa.Table:
    """Return the records without the known ones, and remove those from ``known``: no record is read a third time."""
    if not known:
        return records
    places = _places(records)
    kept = pa.array([place not in known for place in places], pa.bool_())
    known.difference_update(places)
    return records.filter(kept)


def _places(records: pa.Table) -> list[Place]:
    return list(zip(records["file_id"].to_pylist(), records["line_offset"].to_pylist(), strict=True))


def _choose_columns(found: pa.Table) -> Sequence[str]:
    """Return the columns of a table that are not null in all records; without records, all columns of a table."""
    filled = [name for name in _SHOWN if found[name].null_count < found.num_rows]
    return filled if found.num_rows else _SHOWN


def _list_left_out(found: pa.Table, shown: Sequence[str]) -> Sequence[str]:
    """Return the columns that the table leaves out although some records fill them, apart from the line's place."""
    return [
        name
        for name in found.schema.names
        if name not in shown and name not in _PLACE and found[name].null_count < found.num_rows
    ]


def _mark_json(records: pa.Table) -> pa.Table:
    """Return the records with attributes of Arrow's JSON type, so that they are written as objects, not as text."""
    at = records.schema.get_field_index("attributes")
    if at < 0:
        return records
    storage = records["attributes"].combine_chunks()
    marked = pa.ExtensionArray.from_storage(pa.json_(storage.type), storage)
    return records.set_column(at, "attributes", marked)


class _Printer:
    """Writes several tables of records as one answer."""

    def __init__(self, settings: Settings, schema: pa.Schema, names: Sequence[str], left_out: Sequence[str]) -> None:
        self.settings = settings
        self._names = list(names)
        self._writer = open_writer(settings, _mark_json(schema.empty_table().select(self._names)).schema, left_out)

    def write(self, records: pa.Table) -> None:
        for batch in _mark_json(records.select(self._names)).to_batches(max_chunksize=2048):
            if batch.num_rows:
                self._writer.write(batch)
        sys.stdout.flush()

    def close(self) -> None:
        self._writer.close()
