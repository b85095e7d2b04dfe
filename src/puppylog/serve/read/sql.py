"""``/api/v1/sql``: the first rows of a statement that only reads, in JSON; `download` sends all rows."""

import time
from collections.abc import Iterator
from datetime import UTC
from typing import Annotated, Any, Final

import pyarrow as pa
from msgspec import Meta, Raw, Struct

from puppylog.errors import QueryError
from puppylog.rows.cells import json_text
from puppylog.rows.values import plain_rows
from puppylog.serve.read.resource import Answer, Asked, Parameters, Reader, Resource
from puppylog.serve.refusal import Refusal

PATH: Final = "/api/v1/sql"

_MAX_BYTES: Final = 32 << 20  # of the rows of one answer as JSON; the page holds them all


class SqlParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/sql``: none. ``format`` names the format of a download."""


class Statement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request."""

    sql: Annotated[
        str,
        Meta(
            min_length=1,
            description="One statement that only reads, in the SQL of the store. It can name log_records, "
            "rejected_lines, log_streams, log_files, metrics, alerts, alert_history and metrics.NAME without a schema.",
        ),
    ]
    limit: Annotated[
        int, Meta(ge=1, le=10_000, description="The greatest number of rows; a download has all rows.")
    ] = 1000
    timeout_s: (
        Annotated[float, Meta(gt=0, description="After how many seconds the statement is ended, at most.")] | None
    ) = None


class Column(Struct, kw_only=True):
    """A column of the result."""

    name: str
    type: Annotated[str, Meta(description="The type as Arrow names it, such as int64, string, timestamp[us, tz=UTC].")]


class Rows(Answer, kw_only=True):
    """The result of a statement."""

    columns: list[Column]
    rows: Annotated[
        list[list[Any]],
        Meta(description="The values of each row. Instants are RFC 3339, NaN and infinities null, bytes text."),
    ]
    has_more: Annotated[bool, Meta(description="Whether the statement has more rows than these.")]


def run_sql(asked: Asked[SqlParameters], reader: Reader) -> Rows:
    """Return the first rows of a statement.

    Raises:
        Refusal: 400: the store refuses the statement, or it fails; 504: it takes longer than its time.
    """
    started = time.monotonic()
    statement: Statement = asked.body
    rows: list[Any] = []
    size = 0
    try:
        with reader.stream_query(statement.sql, timeout_s=statement.timeout_s) as batches:
            first = next(batches)
            for row in _iter_rows(first, batches, statement.limit + 1):
                size += len(row)
                if len(rows) == statement.limit or size > _MAX_BYTES:
                    return Rows(columns=describe_columns(first.schema), rows=rows, has_more=True)
                rows.append(Raw(row))
    except QueryError as error:
        if statement.timeout_s is not None and time.monotonic() - started >= statement.timeout_s:
            raise Refusal(504, f"the statement took longer than {statement.timeout_s:g} s, and was ended") from error
        raise Refusal(400, error.message, place="sql", error=error) from error
    return Rows(columns=describe_columns(first.schema), rows=rows, has_more=False)


def describe_columns(schema: pa.Schema) -> list[Column]:
    """Return names and types of the columns of a result."""
    return [Column(name=field.name, type=str(field.type)) for field in schema]


def _iter_rows(first: pa.RecordBatch, others: Iterator[pa.RecordBatch], most: int) -> Iterator[bytes]:
    """Yield at most ``most`` rows, each as a JSON list. Numbers keep all of their digits."""
    batch: pa.RecordBatch | None = first
    while batch is not None and most > 0:
        for row in plain_rows(batch.slice(0, most), UTC):
            yield json_text(list(row)).encode(errors="replace")
        most -= batch.num_rows
        batch = next(others, None) if most > 0 else None


RESOURCES: Final = (
    Resource(
        path=PATH,
        summary="The first rows of a statement in SQL that only reads; with ?format=csv, jsonl or arrow, all rows",
        parameters=SqlParameters,
        answer=Rows,
        work=run_sql,
        downloads=("csv", "jsonl", "arrow"),
        method="POST",
        body=Statement,
    ),
)
