"""What a format string consists of, as those who read such strings write it down: texts, and fields between them."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from puppylog.errors import FormatError
from puppylog.formats.layout.program import Kind


class Shape(Enum):
    """What a field's text may hold, as far as it matters to where it ends."""

    WORD = "no blank"
    LIST = "items with a comma or a colon and blanks between them"
    FREE = "anything"
    PATH = "begins with a slash"
    ADDRESS = "may hold colons"


@dataclass(frozen=True, slots=True)
class Field:
    name: str  # of the attribute that it becomes if it fills no column
    kind: Kind = Kind.TEXT  # in its column, or in the time
    column: str = ""
    rank: int = 0  # of several fields for one column that with the highest one fills it, of equal ones the first
    attribute_kind: Kind = Kind.TEXT  # its kind as an attribute
    size: int = 0  # in bytes, where it is always the same
    shape: Shape = Shape.WORD
    clock: str = ""  # which time it tells: "begin" or "end" of the request
    has_fraction: bool = False  # it tells fractions of a second
    parts: tuple["Token", ...] = ()  # what it is made of, if it becomes the record's time
    at: int = 0  # where it stands in the string
    written: str = ""  # as it stands there


Token: TypeAlias = str | Field


def make_error(written: str, at: int, cause: str) -> FormatError:
    """Return the error that points into the string."""
    return FormatError(f"log format {written!r}", f"{cause} (column {at + 1})", written=written, at=at)
