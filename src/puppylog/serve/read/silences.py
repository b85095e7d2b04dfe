"""``/api/v1/silences``: what holds notifications back. It can be made and ended; alerts are evaluated as before."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from puppylog.model.silence import Silence, check_silence, find_silence_state, name_silence
from puppylog.monitor.notifications import read_silences
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.author import name_author
from puppylog.serve.read.choice import placed, read_time
from puppylog.serve.read.resource import Answer, Asked, Instant, Parameters, Reader, Resource
from puppylog.serve.refusal import Refusal
from puppylog.stores.base import Store

_MAX_S: Final = 10 * 366 * 86_400.0


class SilencesParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``GET /api/v1/silences``."""

    all: Annotated[bool, Meta(description="Whether silences that have ended are listed, too.")] = False


class SilenceRow(Struct, kw_only=True):
    """A silence. In a pattern, `*` is any text and `?` is any character."""

    name: str
    alert: Annotated[str, Meta(description="A pattern of the names of alerts.")]
    segment: Annotated[str, Meta(description="A pattern of segments.")]
    starts_at: Instant
    ends_at: Instant
    author: str
    comment: str
    is_declared: Annotated[bool, Meta(description="Whether a configuration file has it.")]
    state: Literal["planned", "active", "ended"]


class Silences(Answer, kw_only=True):
    """The silences, in the order of their names."""

    silences: list[SilenceRow]


class SilenceBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """A silence to make. One of `ends_at` and `for_s` must be given."""

    alert: Annotated[str, Meta(description="The name of an alert, or a pattern.")]
    segment: Annotated[str, Meta(description="A pattern of segments.")] = "*"
    name: Annotated[
        str | None, Meta(description="Without it, the patterns. A silence of the same name is replaced.")
    ] = None
    starts_at: Annotated[str | None, Meta(description="An instant, as `since` of a query. Without it: now.")] = None
    ends_at: Annotated[str | None, Meta(description="An instant, as `since` of a query.")] = None
    for_s: Annotated[float, Meta(gt=0, le=_MAX_S, description="How long, in seconds.")] | None = None
    comment: Annotated[str, Meta(description="Why, for others to read.")] = ""
    author: Annotated[str | None, Meta(description="Who says so. Without it, the name of the token, or `page`.")] = None


class NoParameters(Parameters, frozen=True, kw_only=True):
    """No parameters."""


class NameParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``DELETE /api/v1/silences/{name}``."""

    name: Annotated[str, Meta(description="The name of the silence.")]


class Ended(Answer, kw_only=True):
    """A silence that was ended."""

    ended: Annotated[str, Meta(description="Its name.")]


def get_silences(asked: Asked[SilencesParameters], reader: Reader) -> Silences:
    """List the silences."""
    rows = [describe_silence(silence, asked.now) for silence in read_silences(reader)]
    return Silences(silences=[row for row in rows if asked.parameters.all or row.state != "ended"])


def make_silence(asked: Asked[NoParameters], store: Store) -> SilenceRow:
    """Make a silence, or replace the one of its name."""
    body: SilenceBody = asked.body
    starts_at = asked.now if body.starts_at is None else read_time(body.starts_at, "starts_at", asked.now)
    silence = Silence(
        name=name_silence(body.alert, body.segment) if body.name is None else body.name,
        alert=body.alert,
        segment=body.segment,
        starts_at=starts_at,
        ends_at=_read_end(body, starts_at, asked.now),
        author=name_author(body.author, asked.caller),
        comment=body.comment,
    )
    with placed("body"):
        check_silence(silence)
    _refuse_declared(store, silence.name)
    store.set_silence(silence)
    return describe_silence(silence, asked.now)


def _read_end(body: SilenceBody, starts_at: datetime, now: datetime) -> datetime:
    if (body.ends_at is None) == (body.for_s is None):
        raise Refusal(400, "one of ends_at and for_s must be given", place="ends_at")
    if body.ends_at is not None:
        return read_time(body.ends_at, "ends_at", now)
    try:
        return starts_at + timedelta(seconds=body.for_s or 0.0)
    except OverflowError:
        raise Refusal(400, "the silence ends too late", place="for_s") from None


def end_silence(asked: Asked[NameParameters], store: Store) -> Ended:
    """End a silence now. What is true now is sent."""
    name = asked.parameters.name
    _refuse_declared(store, name)
    store.end_silence(name, asked.now)
    return Ended(ended=name)


def _refuse_declared(store: Store, name: str) -> None:
    """Refuse to change a silence that a configuration file has: the file would bring it back.

    Raises:
        Refusal: 409.
    """
    if any(silence.name == name and silence.is_declared for silence in store.list_silences()):
        raise Refusal(409, f"silence {name!r} is declared in a configuration file; change it there", place="name")


def describe_silence(silence: Silence, now: datetime) -> SilenceRow:
    """Return a silence as answers have it."""
    return SilenceRow(
        name=silence.name,
        alert=silence.alert,
        segment=silence.segment,
        starts_at=format_instant(silence.starts_at),
        ends_at=format_instant(silence.ends_at),
        author=silence.author,
        comment=silence.comment,
        is_declared=silence.is_declared,
        state=find_silence_state(silence, now),
    )


RESOURCES: Final = (
    Resource(
        path="/api/v1/silences",
        summary="The silences that hold notifications back, and those that will",
        parameters=SilencesParameters,
        answer=Silences,
        work=get_silences,
        rows="silences",
    ),
    Resource(
        path="/api/v1/silences",
        summary="Hold back the notifications of alerts for a time",
        method="POST",
        parameters=NoParameters,
        body=SilenceBody,
        answer=SilenceRow,
        work=make_silence,
        scope="admin",
        lane="write",
        status=201,
    ),
    Resource(
        path="/api/v1/silences/{name:path}",  # the name of a silence may have a slash
        summary="End a silence now",
        method="DELETE",
        parameters=NameParameters,
        answer=Ended,
        work=end_silence,
        scope="admin",
        lane="write",
    ),
)
