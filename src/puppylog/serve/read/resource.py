"""A resource: the declaration of a path of the read interface, and what its work is given."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Meta, Struct

from puppylog.monitor.condition import DescribedReader
from puppylog.serve.context import Caller, Scope
from puppylog.settings import Settings

Instant: TypeAlias = Annotated[
    str,
    Meta(description="An instant in UTC, RFC 3339 with microseconds.", extra_json_schema={"format": "date-time"}),
]
"""An instant as an answer has it; `puppylog.serve.read.answers.format_instant` writes it."""


class Parameters(Struct, frozen=True, kw_only=True):
    """The parameters of a resource. A subclass has a field for each, with its description and its limits in `Meta`."""


class Common(Parameters, frozen=True, kw_only=True):
    """The parameters that every resource of lane "read" has in addition to its own."""

    timeout_s: (
        Annotated[
            float, Meta(gt=0, description="After how many seconds the query is ended. The server has a limit, too.")
        ]
        | None
    ) = None
    format: Annotated[str, Meta(description="Of the answer. Without it, the header Accept decides.")] | None = None


class Interval(Parameters, frozen=True, kw_only=True):
    """The parameters of every resource that has a range of time; see `puppylog.serve.read.choice`."""

    since: (
        Annotated[
            str,
            Meta(description="The first instant: RFC 3339, or a time of docs/search.md such as 1h, today or now-2h."),
        ]
        | None
    ) = None
    until: Annotated[str, Meta(description="The instant before which the range ends, written as `since`.")] | None = (
        None
    )
    tz: Annotated[str, Meta(description="The zone of times without an offset: UTC, local, or Area/City.")] = "UTC"


class Choice(Interval, frozen=True, kw_only=True):
    """The parameters of every resource that chooses records or rejected lines; see `puppylog.serve.read.choice`."""

    q: Annotated[str, Meta(description="A query in the language of docs/search.md. Empty: everything.")] = ""
    group: Annotated[str, Meta(description="A log group.")] | None = None


class BudgetedChoice(Choice, frozen=True, kw_only=True):
    """The parameters of a resource that can end early, and then says where; see `puppylog.monitor.budget`."""

    budget_s: (
        Annotated[
            float,
            Meta(
                gt=0,
                description="After about how many seconds the work may end early; the answer then says where. "
                "Without it, everything is searched.",
            ),
        ]
        | None
    ) = None


class Answer(Struct, kw_only=True):
    """An answer in JSON. A subclass has a field for each member, with its description in `Meta`."""

    took_s: Annotated[float, Meta(ge=0, description="How long the answer took, in seconds.")] = 0.0


P = TypeVar("P", bound=Parameters)
P_co = TypeVar("P_co", bound=Parameters, covariant=True)
A = TypeVar("A", bound=Struct)


@dataclass(frozen=True, slots=True)
class Asked(Generic[P_co]):
    """A request, as the work of a resource gets it."""

    parameters: P_co
    body: Any  # of the resource's class `body`; None if it has none
    caller: Caller
    settings: Settings
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Generic[P, A]):
    """A path of the read interface.

    Attributes:
        path: with its parameters in braces, such as ``/api/v1/metrics/{name}``. They are fields of ``parameters``, too.
        summary: what it answers, in a line, for the OpenAPI document.
        parameters: the class of the parameters of the path and of the query.
        answer: the class of the answer.
        work: makes the answer, in a thread. It gets the request and a connected store. Of ``lane`` "read" the store can
            only be queried, and a query ends when the client goes away.
        rows: the member of the answer that is the list of rows; the answer can then also be JSON lines, CSV or Arrow.
        downloads: the formats in which `puppylog.serve.read.download` answers instead.
        method: of HTTP.
        body: the class of the JSON body of a POST.
        scope: what the token must allow.
        lane: "read", or "write" and "define" as `puppylog.serve.stores.StoreAccess` has them.
        status: of an answer.
    """

    path: str
    summary: str
    parameters: type[P]
    answer: type[A]
    work: Callable[[Asked[P], Any], A]
    rows: str = ""
    downloads: tuple[str, ...] = ()
    method: Literal["GET", "POST", "DELETE"] = "GET"
    body: type[Struct] | None = None
    scope: Scope = "read"
    lane: Literal["read", "write", "define"] = "read"
    status: int = 200


Reader: TypeAlias = DescribedReader
"""The store as the work of a resource of lane "read" gets it."""
