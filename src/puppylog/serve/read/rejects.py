"""``/api/v1/rejects``: the lines that do not fit their formats, why, and what becomes of them in another format."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from puppylog.model.query.fields import REJECTS
from puppylog.model.source import name_source
from puppylog.monitor.reject_pages import (
    RejectCursor,
    RejectedLine,
    count_reject_reasons,
    find_reject_page,
)
from puppylog.monitor.rejects import KnownFile, RejectFilter, get_file_ids, read_files
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.choice import find_group_id, placed, read_condition, read_range
from puppylog.serve.read.resource import Answer, Asked, Choice, Instant, Reader, Resource
from puppylog.serve.read.stream_formats import StreamFormats
from puppylog.serve.refusal import Refusal

_CURSOR: Final = re.compile(r"([0-9T:.+-]{19,40})~([0-9]{1,9})~([0-9]{1,9})~([0-9]{1,18})")
_SHOWN: Final = 8192  # characters of a line
_UNKNOWN: Final = KnownFile(0, 0, "", "")


class RejectChoice(Choice, frozen=True, kw_only=True):
    """Which rejected lines. ``since`` and ``until`` are of the time when a line was rejected."""

    source: Annotated[
        tuple[str, ...], Meta(description="Only lines of this source: a path, or a pattern such as `*/nginx/*`.")
    ] = ()
    reason: Annotated[str, Meta(description="Only lines whose reason contains this; case is ignored.")] = ""


class RejectsParameters(RejectChoice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/rejects``."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="The greatest number of lines.")] = 100
    cursor: Annotated[str, Meta(description="The cursor of an answer: the lines that come after it.")] | None = None


class RejectRow(Struct, kw_only=True):
    """A line that does not fit its format."""

    rejected_at: Instant
    reason: str
    line: Annotated[str, Meta(description="The line. Bytes that are not UTF-8 are replaced.")]
    is_cut: Annotated[bool, Meta(description="Whether the line is longer.")]
    column: Annotated[
        int | None,
        Meta(description="How many characters of the line fit its format; null if this is not known."),
    ]
    source: Annotated[str, Meta(description="The source as users write it, such as a path.")]
    file: Annotated[str, Meta(description="The path at which the file was last seen.")]
    stream_id: int
    file_id: int
    line_offset: Annotated[int, Meta(description="Where the line starts in its file, in bytes.")]


class Rejects(Answer, kw_only=True):
    """Some rejected lines, the newest first."""

    lines: list[RejectRow]
    has_more: Annotated[bool, Meta(description="Whether more lines come after these.")]
    cursor: Annotated[str | None, Meta(description="Where the next page begins; null without lines.")]


class ReasonsParameters(RejectChoice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/rejects/reasons``."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="The greatest number of reasons.")] = 100


class ReasonRow(Struct, kw_only=True):
    """A reason, and its rejected lines."""

    reason: str
    lines: Annotated[int, Meta(description="The number of lines.")]
    streams: Annotated[int, Meta(description="The number of streams that they are of.")]
    first_at: Instant
    last_at: Instant
    example: Annotated[RejectRow | None, Meta(description="The newest of the lines.")]


class Reasons(Answer, kw_only=True):
    """The reasons of rejected lines, the most frequent first."""

    reasons: list[ReasonRow]
    lines: Annotated[int, Meta(description="The number of lines of all reasons.")]
    left_out: Annotated[int, Meta(description="How many other reasons there are.")]


def get_rejects(asked: Asked[RejectsParameters], reader: Reader) -> Rejects:
    """Return a page of rejected lines."""
    written = asked.parameters.cursor
    after = None if written is None else _read_cursor(written)
    files = read_files(reader)
    wanted = read_reject_filter(asked, reader, files)
    found, has_more = find_reject_page(reader, wanted, lines=asked.parameters.limit, after=after)
    formats = StreamFormats(reader, asked.settings)
    return Rejects(
        lines=[_describe(line, files, formats) for line in found],
        has_more=has_more,
        cursor=_write_cursor(found[-1].cursor) if found else None,
    )


def get_reasons(asked: Asked[ReasonsParameters], reader: Reader) -> Reasons:
    """Count the rejected lines of each reason."""
    files = read_files(reader)
    counted = count_reject_reasons(reader, read_reject_filter(asked, reader, files))
    formats = StreamFormats(reader, asked.settings)
    shown = counted[: asked.parameters.limit]
    return Reasons(
        reasons=[
            ReasonRow(
                reason=count.reason,
                lines=count.lines,
                streams=count.streams,
                first_at=format_instant(count.first_at),
                last_at=format_instant(count.last_at),
                example=None if count.example is None else _describe(count.example, files, formats),
            )
            for count in shown
        ],
        lines=sum(count.lines for count in counted),
        left_out=len(counted) - len(shown),
    )


def read_reject_filter(asked: Asked[RejectChoice], reader: Reader, files: dict[int, KnownFile]) -> RejectFilter:
    """Return the filter for the rejected lines that a request chooses.

    Args:
        asked: the request.
        reader: the store.
        files: all files of the store.

    Raises:
        Refusal: 400: one of the parameters is wrong.
    """
    wanted = RejectFilter(read_range(asked), asked.parameters.reason, find_group_id(asked, reader))
    if asked.parameters.source:
        with placed("source"):
            wanted = replace(wanted, file_ids=get_file_ids(files, asked.parameters.source))
    return replace(wanted, condition=read_condition(asked, reader, REJECTS))


def _describe(line: RejectedLine, files: dict[int, KnownFile], formats: StreamFormats) -> RejectRow:
    file = files.get(line.file_id, _UNKNOWN)
    text = line.line.decode(errors="replace")
    column = None if line.is_cut else formats.find_column(line.stream_id, text)
    return RejectRow(
        rejected_at=format_instant(line.rejected_at),
        reason=line.reason,
        line=text[:_SHOWN],
        is_cut=line.is_cut or len(text) > _SHOWN,
        column=None if column is None or column > _SHOWN else column,
        source=name_source(file.source_uri) if file.source_uri else "",
        file=file.path,
        stream_id=line.stream_id,
        file_id=line.file_id,
        line_offset=line.line_offset,
    )


def _write_cursor(cursor: RejectCursor) -> str:
    return f"{cursor.rejected_at}~{cursor.stream_id}~{cursor.file_id}~{cursor.line_offset}"


def _read_cursor(written: str) -> RejectCursor:
    found = _CURSOR.fullmatch(written)
    if found is None:
        raise Refusal(400, "it is not the cursor of an answer", place="cursor")
    try:
        datetime.fromisoformat(found[1])
    except ValueError:
        raise Refusal(400, "it is not the cursor of an answer", place="cursor") from None
    return RejectCursor(found[1], int(found[2]), int(found[3]), int(found[4]))


RESOURCES: Final = (
    Resource(
        path="/api/v1/rejects",
        summary="Rejected lines, a page at a time",
        parameters=RejectsParameters,
        answer=Rejects,
        work=get_rejects,
        rows="lines",
    ),
    Resource(
        path="/api/v1/rejects/reasons",
        summary="The reasons of rejected lines, and how many lines each has",
        parameters=ReasonsParameters,
        answer=Reasons,
        work=get_reasons,
        rows="reasons",
    ),
)
