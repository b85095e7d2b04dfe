"""``/api/v1/records/one`` and ``/api/v1/records/context``: a record as it is, and the records around it in its file."""

from typing import Annotated, Final

import pyarrow as pa
from msgspec import Meta, Struct

from puppylog.monitor.context import Extent, LineLocation, find_lines_around, read_records
from puppylog.monitor.pages import TEXT_CHARACTERS, read_cut_records
from puppylog.monitor.source_text import SourceText, read_source_texts
from puppylog.serve.read.record_rows import Record, make_records
from puppylog.serve.read.resource import Answer, Asked, Parameters, Reader, Resource
from puppylog.serve.refusal import Refusal

_MAX_AROUND: Final = 1000


class LocationParameters(Parameters, frozen=True, kw_only=True):
    """Where a record is stored."""

    file_id: Annotated[int, Meta(ge=0, le=2**31 - 1, description="The `file_id` of the record.")]
    line_offset: Annotated[int, Meta(ge=0, le=2**63 - 1, description="The `line_offset` of the record.")]


class ContextParameters(LocationParameters, frozen=True, kw_only=True):
    """A record, and how many records around it."""

    before: Annotated[int, Meta(ge=0, le=_MAX_AROUND, description="The number of records before it.")] = 10
    after: Annotated[int, Meta(ge=0, le=_MAX_AROUND, description="The number of records after it.")] = 10


class OneRecord(Answer, kw_only=True):
    """A record with all of its text."""

    record: Record
    text: Annotated[str | None, Meta(description="The line as it was written. Bytes that are not UTF-8 are replaced.")]
    is_exact: Annotated[
        bool,
        Meta(description="Whether `text` is read from the file; otherwise it is put together from the columns."),
    ]


class RejectedLine(Struct, kw_only=True):
    """A line that does not fit its format."""

    line_offset: int
    reason: str
    line: Annotated[str, Meta(description="The line. Bytes that are not UTF-8 are replaced.")]
    is_cut: Annotated[bool, Meta(description="Whether the line is longer.")]


class RecordContext(Answer, kw_only=True):
    """Consecutive records of a file."""

    records: Annotated[list[Record], Meta(description="In the order of the file, with the record itself.")]
    rejected: Annotated[list[RejectedLine], Meta(description="The first 1000 rejected lines between the records.")]
    has_before: Annotated[bool, Meta(description="Whether the file has more records before these.")]
    has_after: Annotated[bool, Meta(description="Whether the store has more records of the file after these.")]


def get_record(asked: Asked[LocationParameters], reader: Reader) -> OneRecord:
    """Return a record and its line."""
    table = read_records(reader, [_location_of(asked)])
    if table.num_rows == 0:
        raise _no_record(asked)
    [record] = make_records(reader, table, is_whole=True)
    text = _read_text(reader, table, asked.settings.host)
    return OneRecord(
        record=record,
        text=None if text is None else text.text.decode(errors="replace"),
        is_exact=text is not None and text.is_exact,
    )


def _read_text(reader: Reader, table: pa.Table, host: str) -> SourceText | None:
    try:
        rows = table.to_pylist()
    except (OverflowError, ValueError):  # Python has no such time
        return None
    return read_source_texts(reader, rows, host)[0]


def get_context(asked: Asked[ContextParameters], reader: Reader) -> RecordContext:
    """Return the records around a record."""
    extent = Extent(asked.parameters.before, asked.parameters.after)
    found = find_lines_around(reader, _location_of(asked), extent)
    if found is None:
        raise _no_record(asked)
    return RecordContext(
        records=make_records(reader, read_cut_records(reader, found.locations)),
        rejected=[_describe_rejected(line.line_offset, line.reason, line.line) for line in found.rejected],
        has_before=found.has_before,
        has_after=found.has_after,
    )


def _describe_rejected(line_offset: int, reason: str, line: bytes) -> RejectedLine:
    text = line.decode(errors="replace")
    return RejectedLine(
        line_offset=line_offset, reason=reason, line=text[:TEXT_CHARACTERS], is_cut=len(text) > TEXT_CHARACTERS
    )


def _location_of(asked: Asked[LocationParameters]) -> LineLocation:
    return asked.parameters.file_id, asked.parameters.line_offset


def _no_record(asked: Asked[LocationParameters]) -> Refusal:
    file_id, line_offset = _location_of(asked)
    return Refusal(404, f"cannot find the record: the store has none at offset {line_offset} of file {file_id}")


RESOURCES: Final = (
    Resource(
        path="/api/v1/records/one",
        summary="A record with all of its text, and its line",
        parameters=LocationParameters,
        answer=OneRecord,
        work=get_record,
    ),
    Resource(
        path="/api/v1/records/context",
        summary="The records around a record in its file",
        parameters=ContextParameters,
        answer=RecordContext,
        work=get_context,
        rows="records",
    ),
)
