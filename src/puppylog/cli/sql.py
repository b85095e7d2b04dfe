"""``puppylog sql``: run one statement that only reads."""

import sys
from itertools import chain
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.options import examples, output_options, pass_settings, store_options, timeout_option
from puppylog.cli.output import write_batches
from puppylog.cli.tables import Layout
from puppylog.errors import UsageError
from puppylog.settings import Settings
from puppylog.stores.connect import connect

# The answer of a statement that returns no batch.
_NOTHING: Final = pa.RecordBatch.from_pylist([], pa.schema([]))


@click.command(
    epilog=examples(
        "puppylog sql 'select count(*) from log_records'",
        "puppylog sql 'select reason, count(*) from rejected_lines group by 1' -o csv",
        "puppylog sql 'select * from metrics.total_traffic order by bucket desc limit 5'",
        "puppylog sql - < question.sql",
    )
)
@click.argument("query")
@timeout_option
@output_options
@store_options
@pass_settings
def sql(settings: Settings, query: str) -> None:
    """Query the store in SQL (read-only).

    QUERY is one statement, or - to read it from standard input. It can name log_records, rejected_lines, log_streams,
    log_files, metrics, alerts, alert_history and metrics.NAME without a schema. Rows are written as they arrive.
    """
    text = sys.stdin.read() if query == "-" else query
    if not text.strip():
        raise UsageError("query", "the store", "the query is empty")
    with connect(settings.store, timeout_s=settings.timeout_s) as store, store.stream_query(text) as batches:
        first = next(batches, _NOTHING)
        write_batches(first.schema, chain([first], batches), settings, Layout(has_fractions=True))
