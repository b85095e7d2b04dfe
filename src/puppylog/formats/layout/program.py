"""What a layout is when it is compiled: steps, each a field and the text that stands behind it.

Readers do one step after another and never go back. ``native/enums.h`` has the same numbers.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from puppylog.formats.reasons import TextReason
from puppylog.formats.rows import FILLED

TEXT_COLUMNS: Final = tuple(name for name in FILLED if name not in {"status_code", "response_bytes", "attributes"})
"""The columns of texts, by their numbers in a step."""

ATTRIBUTE: Final = -1
"""In place of a column's number: the value becomes an attribute."""


class Kind(IntEnum):
    """What a field's text means."""

    SKIP = 0  # nothing
    TEXT = 1
    USER = 2  # a text; two quotes say nothing
    NUMBER = 3  # a number as an attribute, or the text that is there instead of one
    REQUEST = 4  # METHOD route PROTO, or a message
    STATUS = 5
    BYTES = 6
    AGENT = 7  # a text of W3C: escapes are decoded
    STEM = 8  # of W3C: the first part of the route
    QUERY = 9  # of W3C: the second one
    STAMP = 10  # dd/Mon/yyyy:HH:MM:SS +zzzz, as a text
    # Of the time, all of it
    ACCESS = 11  # dd/Mon/yyyy:HH:MM:SS +zzzz
    ISO = 12
    EPOCH = 13
    # Of the time, a part
    YEAR = 14
    YEAR_OF_CENTURY = 15
    MONTH = 16
    MONTH_NAME = 17  # its first three letters count
    DAY = 18
    HOUR = 19
    HOUR_OF_TWELVE = 20
    HALF_DAY = 21  # AM or PM
    MINUTE = 22
    SECOND = 23
    FRACTION = 24  # of a second, in digits
    ZONE = 25  # +zzzz
    DATE = 26  # yyyy-mm-dd
    TIME = 27  # HH:MM[:SS[.fraction]]


class Ending(IntEnum):
    """Where a field ends."""

    SIZED = 0  # after so many bytes
    LITERAL = 1  # where the text behind it first stands
    QUOTE = 2  # at the first quote that is not escaped
    LIST = 3  # as LITERAL, a blank; but that of ", " and " : " goes on
    ADDRESS = 4  # at the last colon before a blank: addresses have colons of their own
    BEFORE_PROTO = 5  # before " HTTP/", or as LITERAL
    BEHIND_PROTO = 6  # as LITERAL, behind " HTTP/"
    SLASH = 7  # before a slash
    REST = 8  # with the line, but for the text behind it


class Step(NamedTuple):
    kind: Kind
    ending: Ending
    size: int  # of a field that is SIZED
    column: int  # in TEXT_COLUMNS, or ATTRIBUTE
    name: bytes  # of the attribute
    literal: bytes  # what stands behind the field


class Day(NamedTuple):
    """That of lines that tell only the time of day; all zero where it is not known."""

    year: int = 0
    month: int = 0
    day: int = 0


NO_DAY: Final = Day()


@dataclass(frozen=True, slots=True)
class Program:
    """What a reader does with each line."""

    lead: bytes  # what stands before the first field
    steps: tuple[Step, ...]
    has_parts: bool = False  # the time is made of parts
    is_delimited: bool = False  # W3C: fields are parted by tabs or blanks, and lines with # before are no records
    day: Day = NO_DAY


class Reason(TextReason):
    """Why a line is rejected."""

    EMPTY = 0, "empty line"
    TEXT = 1, "a text that the format has between its fields is missing"
    OPEN_QUOTE = 2, "an unclosed quote"
    TIME_FORM = 3, "time is not as the format writes it"
    TIME_RANGE = 4, "time out of range"
    STATUS = 5, "status is not a number of up to three digits"
    BYTES = 6, "bytes is not a whole number of 63 bits"
    MORE = 7, "more than the format has"
    NO_FIELDS = 8, "no #Fields before it"
    FEWER = 9, "fewer fields than in #Fields"
    MORE_FIELDS = 10, "more fields than in #Fields"
    FITS = 11, "none: the line fits"


REASONS: Final = tuple(reason.text for reason in Reason)
