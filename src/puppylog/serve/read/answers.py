"""Renders answers: as JSON, and a list of rows as JSON lines, CSV or Arrow."""

import io
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pyarrow as pa
from msgspec import Struct, inspect
from starlette.requests import Request
from starlette.responses import Response

from puppylog.rows.arrow import ArrowWriter
from puppylog.rows.cells import csv_cell
from puppylog.rows.text import CsvRows
from puppylog.serve.refusal import Refusal

MEDIA_TYPES: Final = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""The media type of each value of the parameter ``format``."""


def format_instant(instant: datetime) -> str:
    """Return an instant as answers have it.

    >>> format_instant(datetime(2026, 11, 27, 10, tzinfo=UTC))
    '2026-11-27T10:00:00.000000Z'
    """
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def format_instants(column: pa.ChunkedArray) -> list[Any]:
    """Return the instants of a column as answers have them. One that Python cannot hold is written as Arrow does."""
    try:
        return [None if instant is None else format_instant(instant) for instant in column.to_pylist()]
    except (OverflowError, ValueError):
        return list(column.cast(pa.string()).to_pylist())


def choose_format(request: Request, written: str | None, *, has_rows: bool) -> str:
    """Return the format of the answer: that of the parameter ``format``, or one that the client accepts.

    Raises:
        Refusal: 400: there is no such format.
    """
    known = list(MEDIA_TYPES) if has_rows else ["json"]
    if written is not None:
        if written not in known:
            raise Refusal(400, f"{written[:40]!r} is not {' or '.join(known)}", place="format")
        return written
    accepted = request.headers.get("accept", "")
    named = [part.partition(";")[0].strip() for part in accepted.split(",")]
    return next((format_ for format_ in known if MEDIA_TYPES[format_] in named), "json")


def render_answer(answer: Struct, *, rows: str, format_: str, status: int) -> Response:
    """Return the response with an answer.

    Args:
        answer: of a resource.
        rows: the member of the answer that is the list of rows; not needed for JSON.
        format_: a key of MEDIA_TYPES.
        status: of HTTP.
    """
    if format_ == "json":
        body = msgspec.json.encode(answer)
    elif format_ == "jsonl":
        encoder = msgspec.json.Encoder()
        body = b"".join(encoder.encode(row) + b"\n" for row in getattr(answer, rows))
    else:
        table = make_table(find_row_kind(type(answer), rows), getattr(answer, rows))
        body = render_csv(table) if format_ == "csv" else render_arrow(table)
    return Response(body, status, {"cache-control": "no-store"}, MEDIA_TYPES[format_])


def render_csv(table: pa.Table) -> bytes:
    """Return a table as CSV: null is an empty cell, empty text is two quotes, and no cell is a formula."""
    rows = CsvRows(table.schema, UTC)
    header = ",".join(map(csv_cell, table.schema.names)) + "\n"
    return b"".join([header.encode(), *(part for batch in table.to_batches() for part in rows.iter_bytes(batch))])


def render_arrow(table: pa.Table) -> bytes:
    """Return a table as a stream of Arrow's IPC format."""
    out = io.BytesIO()
    writer = ArrowWriter(out, table.schema)
    for batch in table.to_batches():
        writer.write(batch)
    writer.close()
    return out.getvalue()


def find_row_kind(answer: type[Struct], rows: str) -> type[Struct]:
    """Return the class of the rows of an answer, given its class and the name of the member that is their list."""
    [member] = [field for field in msgspec.structs.fields(answer) if field.encode_name == rows]
    listed = inspect.type_info(member.type)
    listed = listed.type if isinstance(listed, inspect.Metadata) else listed
    kind: type[Struct] = listed.item_type.cls  # type: ignore[attr-defined]  # the type of a list of a Struct
    return kind


def make_table(kind: type[Struct], rows: Sequence[Struct]) -> pa.Table:
    """Return rows as a table with a column for each member of their class. Lists and objects become text of JSON."""
    columns = {
        field.encode_name: _make_column(field.type, [getattr(row, field.name) for row in rows])
        for field in msgspec.structs.fields(kind)
    }
    return pa.table(columns)


def _make_column(type_: Any, values: Sequence[Any]) -> pa.Array:  # noqa: ANN401 - as a field of msgspec has it
    [schema], components = msgspec.json.schema_components([type_])
    schema = components.get(schema.get("$ref", "").rpartition("/")[2], schema)  # an enumeration is a component
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    types = {kind.get("type") for kind in kinds}
    if types <= {"integer", "number", "boolean"}:
        return pa.array(values, _SCALARS["number" if len(types) > 1 else types.pop()])
    if types != {"string"} and "enum" not in schema:
        return pa.array(
            [None if value is None else msgspec.json.encode(value).decode() for value in values], pa.string()
        )
    texts = pa.array(values, pa.string())
    if any(kind.get("format") == "date-time" for kind in kinds):
        with suppress(pa.ArrowInvalid):  # a time that is not a date of four digits stays a text
            return texts.cast(pa.timestamp("us", "UTC"))
    return texts


_SCALARS: Final = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
