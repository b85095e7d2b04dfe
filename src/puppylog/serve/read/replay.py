"""``POST /api/v1/rejects/replay``: parses rejected lines again. Those that fit become records, each exactly once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from puppylog.collect.replay import Summary, replay
from puppylog.formats.base import Format
from puppylog.formats.regex.pattern import is_pattern
from puppylog.formats.registry import find_format
from puppylog.monitor.rejects import KnownFile, RejectFilter, count_reasons, iter_rejects, read_files
from puppylog.serve.read.choice import placed
from puppylog.serve.read.rejects import RejectChoice, read_reject_filter
from puppylog.serve.read.resource import Answer, Asked, Parameters, Resource
from puppylog.serve.read.stream_formats import StreamFormats, read_options
from puppylog.serve.refusal import Refusal
from puppylog.stores.base import Store

_MAX_REASONS: Final = 100


class ReplayParameters(Parameters, frozen=True, kw_only=True):
    """No parameters: the body has all of them."""


class ReplayBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which lines are parsed again, and how."""

    q: Annotated[str, Meta(description="A query for rejected lines, in the language of docs/search.md.")] = ""
    since: Annotated[str | None, Meta(description="Only lines that were rejected from this time on.")] = None
    until: Annotated[str | None, Meta(description="Only lines that were rejected before this time.")] = None
    tz: Annotated[str, Meta(description="The zone of times without an offset: UTC, local, or Area/City.")] = "UTC"
    group: Annotated[str | None, Meta(description="Only lines of this log group.")] = None
    reason: Annotated[str, Meta(description="Only lines whose reason contains this; case is ignored.")] = ""
    source: Annotated[str | None, Meta(description="Only lines of this source: a path or a pattern.")] = None
    format: Annotated[
        str | None,
        Meta(
            description="The name of a format, or a log_format or LogFormat of a web server. Without it, the format "
            "that the collector of each stream has reported: lines fit it after Puppylog has learnt to read them."
        ),
    ] = None
    is_dry: Annotated[bool, Meta(description="Whether the lines are only parsed and counted.")] = False


class ReasonCount(Struct, kw_only=True):
    """Why lines stay rejected."""

    reason: str
    lines: int


class Replay(Answer, kw_only=True):
    """What became of the lines, or would become of them."""

    lines: Annotated[int, Meta(description="The number of rejected lines that were read.")]
    became_records: Annotated[int, Meta(description="Those that are records now, or would be.")]
    still_rejected: Annotated[int, Meta(description="Those that stay rejected, with their old reasons.")]
    already_records: Annotated[int, Meta(description="Those that another replay has stored meanwhile.")]
    reasons: Annotated[list[ReasonCount], Meta(description="Why lines would be rejected again, at most 100 reasons.")]


def replay_rejects(asked: Asked[ReplayParameters], store: Store) -> Replay:
    """Parse rejected lines again."""
    body: ReplayBody = asked.body
    choice = RejectChoice(
        q=body.q,
        since=body.since,
        until=body.until,
        tz=body.tz,
        group=body.group,
        reason=body.reason,
        source=() if body.source is None else (body.source,),
    )
    chosen = None if body.format is None else _find_format(body.format, asked)
    files = read_files(store)
    choosing = Asked(choice, None, asked.caller, asked.settings, asked.now)
    wanted = read_reject_filter(choosing, store, files)
    total = Summary()
    unknown = 0
    parts = [(wanted, chosen)] if chosen is not None else _iter_streams(asked, store, wanted, files)
    for part, format_ in parts:
        if format_ is None:
            unknown += sum(count_reasons(store, part)["lines"].to_pylist())
        else:
            _add(total, replay(None if body.is_dry else store, iter_rejects(store, part), format_))
    reasons: Counter[str] = Counter({**total.reasons})
    if unknown:
        reasons["no collector has reported the format of the stream"] = unknown
    if total.rowless:
        reasons["the line makes no row, as directives do"] += total.rowless
    return Replay(
        lines=total.read + unknown,
        became_records=total.records,
        still_rejected=total.unchanged + unknown,
        already_records=total.missed,
        reasons=[ReasonCount(reason=reason, lines=lines) for reason, lines in reasons.most_common(_MAX_REASONS)],
    )


def _find_format(written: str, asked: Asked[ReplayParameters]) -> Format:
    """Return the format that a request names.

    Raises:
        Refusal: 400: there is none; or it is a regular expression, which could take all of the server's time.
    """
    if is_pattern(written):
        cause = "a regular expression can be used on the command line only"
        raise Refusal(400, cause, place="format")
    with placed("format"):
        return find_format(written, read_options(asked.settings))


def _iter_streams(
    asked: Asked[Any], store: Store, wanted: RejectFilter, files: dict[int, KnownFile]
) -> Iterator[tuple[RejectFilter, Format | None]]:
    """Yield a filter for the lines of each stream, and the format that its collector has reported."""
    formats = StreamFormats(store, asked.settings)
    for stream_id in sorted({*count_reasons(store, wanted)["stream_id"].to_pylist()}):
        file_ids: Sequence[int] = [file_id for file_id, file in files.items() if file.stream_id == stream_id]
        if wanted.file_ids is not None:
            file_ids = sorted({*file_ids} & {*wanted.file_ids})
        yield replace(wanted, file_ids=file_ids), formats.find(stream_id)


def _add(total: Summary, part: Summary) -> None:
    total.read += part.read
    total.records += part.records
    total.rowless += part.rowless
    total.missed += part.missed
    total.reasons.update(part.reasons)


RESOURCES: Final = (
    Resource(
        path="/api/v1/rejects/replay",
        summary="Parse rejected lines again; those that fit become records",
        method="POST",
        parameters=ReplayParameters,
        body=ReplayBody,
        answer=Replay,
        work=replay_rejects,
        scope="admin",
        lane="define",
    ),
)
