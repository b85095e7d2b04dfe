"""How ``puppylog logs`` shows the records that it finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from puppylog.errors import UsageError
from puppylog.settings import Settings

if TYPE_CHECKING:  # most runs of the command have neither a query nor context
    from puppylog.model.query.tree import Query
    from puppylog.monitor.context import Extent

# Formats whose document has an end.
_WHOLE: Final = {"json": "one JSON document", "parquet": "one Parquet file"}


@dataclass(frozen=True, slots=True)
class Shape:
    """How the records are shown."""

    columns: str | None
    is_vertical: bool
    is_reversed: bool
    follows: bool
    extent: "Extent | None"  # of the context
    query: "Query | None"  # whose matches are highlighted
    sources: Sequence[str]  # the patterns of the sources to which the records are limited


def read_extent(before: int | None, after: int | None, around: int | None) -> "Extent | None":
    """Return the extent of the context; None without any of the options."""
    if before is None and after is None and around is None:
        return None
    from puppylog.monitor.context import Extent  # noqa: PLC0415 - see above

    return Extent(*(around or 0 if count is None else count for count in (before, after)))


def check_shape(settings: Settings, shape: Shape, to: str | None) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: two options cannot be used together.
    """
    if shape.follows and to is not None:
        raise UsageError("follow", "to an end", advice="use --to without -f")
    if shape.follows and settings.output in _WHOLE:
        raise UsageError("follow", f"as {_WHOLE[settings.output]}", advice="use -o jsonl or arrow")
    if shape.follows and shape.is_reversed:
        raise UsageError("follow", "newest first", "new records come last", "use --reverse without -f")
    if shape.columns is not None and settings.output == "raw":
        raise UsageError("show", "columns of the text as it was", advice="use --columns without -o raw")
    if shape.is_vertical and settings.output != "table":
        raise UsageError("show", f"one field per line as {settings.output}", advice="use --vertical without -o")
