"""The parts of a parsed format string: texts and fields."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from puppylog.errors import FormatError
from puppylog.formats.layout.program import Kind


class Shape(Enum):
    """What the text of a field may contain, as far as it affects where the field ends."""

    WORD = "no blank"
    LIST = "items with a comma or a colon and blanks between them"
    FREE = "anything"
    PATH = "begins with a slash"
    ADDRESS = "may hold colons"


@dataclass(frozen=True, slots=True)
class Field:
    """A field in a format string: what it fills, and what its text may contain."""

    name: str  # the name of the attribute that the field becomes if it fills no column
    kind: Kind = Kind.TEXT  # the kind if the field fills its column or is part of the time
    column: str = ""
    rank: int = 0  # if several fields name one column, the highest rank fills it; if ranks are equal, the first field
    attribute_kind: Kind = Kind.TEXT  # the kind if the field becomes an attribute instead of filling its column
    size: int = 0  # in bytes, if the size is fixed
    shape: Shape = Shape.WORD
    clock: str = ""  # "begin" or "end" if the field is the time when the request began or ended
    has_fraction: bool = False  # whether the time has fractions of a second
    parts: tuple["Token", ...] = ()  # the parts to read instead of the field if it becomes the time of the record
    at: int = 0  # the index of the field in the format string
    written: str = ""  # the text of the field in the format string


Token: TypeAlias = str | Field


def make_error(written: str, at: int, cause: str) -> FormatError:
    """Return the error that points at the index ``at`` of the format string ``written``."""
    return FormatError(f"log format {written!r}", f"{cause} (column {at + 1})", written=written, at=at)
