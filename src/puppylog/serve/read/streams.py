"""``/api/v1/streams``: all streams, and whether their lines are being stored."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from puppylog.model.source import name_source, split_uri
from puppylog.monitor.collectors import StoredStream, list_streams
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.resource import Answer, Asked, Instant, Parameters, Reader, Resource

State: TypeAlias = Annotated[
    Literal["ok", "behind", "stalled", "finished", "ended", "unreported"],
    Meta(
        description="ok: every line is stored; behind: lines wait, and are being stored; stalled: lines wait and none "
        "is stored, the file cannot be read, or the collector does not report; finished: the file is gone, and every "
        "line of it is stored; ended: the collector has ended normally; unreported: no collector reports the stream."
    ),
]
_UNREPORTED: Final = "unreported"


class StreamsParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/streams``."""

    group: Annotated[str, Meta(description="Only streams of this log group.")] | None = None


class StreamRow(Struct, kw_only=True):
    """A stream: one source of lines, such as a log with its rotated files."""

    stream_id: int
    source: Annotated[str, Meta(description="The source as users write it, such as a path.")]
    source_uri: str
    group: str | None
    labels: Annotated[dict[str, str], Meta(description="The labels of the stream, such as namespace and pod.")]
    host: Annotated[str | None, Meta(description="The machine that the lines are from.")]
    state: State
    problem: Annotated[str | None, Meta(description="Why the stream has stalled.")]
    lag_bytes: Annotated[int | None, Meta(description="Bytes that are not stored yet.")]
    lag_s: Annotated[float | None, Meta(description="How long the oldest of these bytes has been waiting.")]
    lines_per_s: Annotated[float | None, Meta(description="Lines that are stored, in a second.")]
    records: Annotated[int | None, Meta(description="Records stored since the collector has started.")]
    rejects: Annotated[int | None, Meta(description="Rejected lines since the collector has started.")]
    rejected_lines: Annotated[int, Meta(description="Rejected lines that the store has now.")]
    files: int
    stored_bytes: Annotated[int, Meta(description="Bytes of its lines that are stored.")]
    stored_at: Annotated[Instant | None, Meta(description="When lines were last stored.")]
    format: Annotated[str | None, Meta(description="The format of its lines, as the collector has reported it.")]
    report_age_s: Annotated[float | None, Meta(description="How old the collector's last report is.")]


class Streams(Answer, kw_only=True):
    """All streams, in the order of their sources."""

    streams: list[StreamRow]


def get_streams(asked: Asked[StreamsParameters], reader: Reader) -> Streams:
    """List the streams."""
    return Streams(streams=[_describe(stream) for stream in list_streams(reader, group=asked.parameters.group or None)])


def _describe(stream: StoredStream) -> StreamRow:
    followed = stream.followed
    return StreamRow(
        stream_id=stream.stream_id,
        source=name_source(stream.source_uri),
        source_uri=stream.source_uri,
        group=stream.group,
        labels=dict(stream.labels),
        host=split_uri(stream.source_uri)[0],
        state=_UNREPORTED if followed is None else followed.state.value,
        problem=None if followed is None else followed.problem,
        lag_bytes=None if followed is None else followed.lag_bytes,
        lag_s=None if followed is None else round(followed.lag_s, 1),
        lines_per_s=None if followed is None else round(followed.lines_per_s, 1),
        records=None if followed is None else followed.records,
        rejects=None if followed is None else followed.rejects,
        rejected_lines=stream.rejected_lines,
        files=stream.files,
        stored_bytes=stream.bytes,
        stored_at=None if stream.stored_at is None else format_instant(stream.stored_at),
        format=None if followed is None else followed.format or None,
        report_age_s=None if followed is None else round(followed.report_age_s, 1),
    )


RESOURCES: Final = (
    Resource(
        path="/api/v1/streams",
        summary="All streams, and whether their lines are being stored",
        parameters=StreamsParameters,
        answer=Streams,
        work=get_streams,
        rows="streams",
    ),
)
