"""What all tables of the file have in common: their base class, and types that many keys have."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
from msgspec import Meta

from puppylog.config.kinds import Duration, Size, SocketAddress


def written(kind: type[Duration | Size | SocketAddress], text: str, *, name: str | None = None) -> Any:  # noqa: ANN401 - as msgspec.field
    """Return a default that is written in the file as ``text``. The key may have another name than the field."""
    return msgspec.field(default_factory=partial(kind.parse, text), name=name)


Year: TypeAlias = Annotated[int, Meta(ge=2, le=9998)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Instant: TypeAlias = Annotated[datetime, Meta(tz=True)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""

    title: ClassVar[str]
    """The name of the table in the file; ``listen.syslog`` is a table within the table ``listen``."""

    needs_one_of: ClassVar[tuple[str, ...]] = ()
    """Keys of which at least one must be given, if any are listed."""


def find_entry(values: Mapping[str, Any], title: str) -> Any:  # noqa: ANN401 - what a file has there, right or wrong
    """Return what a file has under the name of a table; None if it has nothing there."""
    found: Any = values
    for name in title.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
