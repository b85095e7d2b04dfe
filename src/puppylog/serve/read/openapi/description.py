"""What the document says about one path and method."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from puppylog.serve.context import Scope
from puppylog.serve.read.answers import MEDIA_TYPES
from puppylog.serve.read.resource import Common, Parameters, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A path and a method, for the document. A resource has one; a route of another kind declares its own.

    Attributes:
        name: of the operation, unique in the document.
        path: with its parameters in braces.
        method: of HTTP.
        summary: what it answers, in a line.
        details: more sentences.
        parameters: the classes of the parameters.
        body: the class of the body; None if there is none.
        status: of an answer.
        contents: the media types of an answer, each with the class of the JSON, or None if it is not JSON.
        scope: what the token must allow.
    """

    name: str
    path: str
    summary: str
    parameters: tuple[type[Parameters], ...]
    contents: Mapping[str, type[Struct] | None]
    method: str = "GET"
    details: str = ""
    body: type[Struct] | None = None
    status: int = 200
    scope: Scope = "read"
    formats: tuple[str, ...] = field(default=())  # the values of the parameter ``format``


def describe_resource(resource: Resource[Any, Any]) -> Description:
    """Return what the document says about a resource."""
    formats = tuple(MEDIA_TYPES) if resource.rows else ("json", *resource.downloads)
    rows = f"CSV, Arrow and JSON lines have the rows of `{resource.rows}`." if resource.rows else ""
    return Description(
        name=resource.work.__name__,
        path=resource.path.replace(":path}", "}"),  # a parameter that may have a slash
        method=resource.method,
        summary=resource.summary,
        details=rows,
        parameters=(resource.parameters, *([Common] if resource.lane == "read" else [])),
        contents={MEDIA_TYPES[format_]: resource.answer if format_ == "json" else None for format_ in formats},
        body=resource.body,
        status=resource.status,
        scope=resource.scope,
        formats=formats,
    )
