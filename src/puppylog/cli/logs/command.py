"""``puppylog logs``: search records, and follow new ones."""

import functools
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import click

from puppylog.cli.complete import complete_files
from puppylog.cli.logs.printers import choose_writer, open_printer
from puppylog.cli.logs.searching import Progress, search_records, tell_interrupted
from puppylog.cli.logs.shape import Shape, check_shape, read_extent
from puppylog.cli.nothing_found import tell_nothing_found, tell_unknown_sources
from puppylog.cli.options import (
    add_output_options,
    examples,
    group_option,
    limit_option,
    pass_settings,
    range_options,
    store_options,
    timeout_option,
)
from puppylog.cli.queries import complete_fields, query_argument, read_query, translate_for
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_more
from puppylog.model.expression import parse_filter
from puppylog.monitor.condition import join_conditions, read_source_query
from puppylog.monitor.search import (
    Cursor,
    Search,
    count_newest,
    get_group_id,
    read_cursor,
)
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

_MAX_CONTEXT: Final = 10_000
# The number of all matches is only a hint: it is not worth more than this time, in seconds.
_COUNT_S: Final = 2.0


def _context_option(flag: str, name: str, where: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        flag,
        name,
        type=click.IntRange(min=0, max=_MAX_CONTEXT),
        metavar="N",
        help=f"Also show the N records of the same file {where} each record.",
    )


@click.command(
    epilog=examples(
        "puppylog logs --since 10m timeout",
        "puppylog logs --since yesterday 'status_code>=500 request_route:/shop/* -user_agent:*bot*'",
        "puppylog logs 'severity>=warning (disk or \"no space\")' --source syslog",
        "puppylog logs 'duration_ms > 1000 or message~/took [0-9]+ s/' -l 20 --reverse",
        "puppylog logs 'severity>=error' -C 3",
        "puppylog logs --columns ts,status_code,request_route,attributes.duration_ms",
        "puppylog logs --where \"status_code >= 500 and request_route like '/shop/%'\" --vertical",
        "puppylog logs --group shop -f",
        "puppylog logs --from 2015-05-17 --to 2015-05-18 -l 1000000 -o jsonl > may17.jsonl",
    )
)
@query_argument
@click.option("--where", metavar="SQL", help="Only records that match this SQL, such as lower(host) = 'a'.")
@click.option(
    "-s",
    "--source",
    "sources",
    multiple=True,
    metavar="PATTERN",
    shell_complete=complete_files,
    help="Only records of this source: a path, the end of one, or a pattern such as '/var/log/*'. May be given again.",
)
@range_options
@group_option("Only records of this log group.")
@click.option("-f", "--follow", "follows", is_flag=True, help="Then show new records as they are stored.")
@limit_option("of the newest records (with -f: of those already stored)", 100)
@_context_option("-C", "around", "before and after")
@_context_option("-B", "before", "before")
@_context_option("-A", "after", "after")
@click.option("--reverse", "is_reversed", is_flag=True, help="Show the newest records first.")
@click.option(
    "--columns",
    metavar="NAMES",
    shell_complete=complete_fields,
    help="Show a table of these columns and attributes, such as ts,host,user.",
)
@click.option(
    "--pager/--no-pager",
    "uses_pager",
    default=True,
    help="Whether a pager ($PAGER, or less) shows what is longer than the screen. Default: yes.",
)
@click.option("--vertical", "is_vertical", is_flag=True, help="Show one field per line.")
@timeout_option
@add_output_options({"raw": "Raw is the text as it was, from its file if that still is the same."})
@store_options
@pass_settings
def logs(
    settings: Settings,
    *,
    query: tuple[str, ...],
    where: str | None,
    sources: tuple[str, ...],
    since: str | None,
    from_: str | None,
    to: str | None,
    group: str | None,
    limit: int,
    columns: str | None,
    is_vertical: bool,
    is_reversed: bool,
    follows: bool,
    before: int | None,
    after: int | None,
    around: int | None,
    uses_pager: bool,
) -> None:
    """Search records, and follow new ones.

    QUERY is words, "a phrase", field:value, field:a*, status_code>=500, field~/regular expression/, has:field, joined
    by and, or, not and parentheses: see docs/search.md. Put it into quotes for the shell.

    The newest records come last; stderr says how many more there are. A search that takes long says there how far back
    it has come, and Ctrl-C ends it with what it has found. On a terminal, a record is its time, severity,
    source, request and message, and its attributes. Otherwise it is one line with all of its fields.
    """
    written = read_query(query)
    extent = read_extent(before, after, around)
    shape = Shape(
        columns, is_vertical, is_reversed, follows, extent, None if written is None else written.tree, sources
    )
    check_shape(settings, shape, to)
    wanted = None if where is None else parse_filter(where)
    within = parse_range(settings, since, from_, to)
    with connect(settings.store, timeout_s=settings.timeout_s) as store:
        queries = [written, read_source_query(sources)]
        asked = [translate_for(store, part, settings) for part in queries if part is not None]
        condition = join_conditions(store, wanted, *asked)
        search = Search(condition, within, None if group is None else get_group_id(store, group))
        progress = Progress(settings)  # on the terminal, before a pager keeps what is written to stderr
        with _page_output(shape) if uses_pager else nullcontext():
            _show(settings, store, search, shape, limit=limit, progress=progress)


def _page_output(shape: Shape) -> AbstractContextManager[None]:
    """Return what sends the output to a pager: nothing if it is not for a terminal, or does not end."""
    if shape.follows or not sys.stdout.isatty():
        return nullcontext()
    from puppylog.cli.pager import page_output  # noqa: PLC0415 - only a terminal needs it, and it takes 4 ms of CPU

    return page_output(begins_at_end=not (shape.is_reversed or shape.is_vertical))


def _show(settings: Settings, store: Store, search: Search, shape: Shape, *, limit: int, progress: Progress) -> None:
    """Write the records, and say on stderr how many more there are; then follow new ones if that is asked for.

    Raises:
        KeyboardInterrupt: the search was interrupted. What it had found is written, and how far it had come.
    """
    printer = open_printer(settings, store, shape)
    write = choose_writer(store, shape, printer)
    # The cursor is read first. A record that is committed between the two queries is found by the search and again as
    # a new record; the follower drops the second copy.
    cursor = read_cursor(store) if shape.follows else Cursor({})
    # If the newest record comes first, a program gets each part as it is found. Lines for people are laid out together.
    is_streamed = shape.is_reversed and shape.extent is None and settings.output != "table" and not sys.stdout.isatty()
    on_part = (lambda part: write(part, cursor)) if is_streamed else None
    result = search_records(store, search, records=limit, progress=progress, on_part=on_part)
    found = result.records
    if not is_streamed:
        write(found, cursor if shape.follows or shape.extent is None else read_cursor(store))
    if not shape.follows or result.interrupted_at is not None:
        printer.close()
    sys.stdout.flush()
    if result.interrupted_at is not None:
        tell_interrupted(settings, result.interrupted_at)
        raise KeyboardInterrupt
    if found.num_rows == 0 and limit > 0 and not tell_unknown_sources(settings, store, shape.sources):
        tell_nothing_found(settings, store, search)
    if found.num_rows == limit:
        count = functools.partial(count_newest, store, search, budget_s=_COUNT_S)
        tell_more(settings, "records", found.num_rows, count)
    if shape.follows:
        from puppylog.cli.logs.follower import Follower  # noqa: PLC0415 - only -f needs it

        Follower(settings, store, search, write).run(cursor, found)
