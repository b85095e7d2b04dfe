"""A compiled layout: a program of steps. Each step reads a field and the text after it.

A reader performs the steps in their order and never goes back in the line. ``native/enums.h`` has the same numbers.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from puppylog.formats.reasons import TextReason
from puppylog.formats.rows import FILLED

TEXT_COLUMNS: Final = tuple(name for name in FILLED if name not in {"status_code", "response_bytes", "attributes"})
"""The columns that hold texts. `Step.column` is an index in this tuple."""

ATTRIBUTE: Final = -1
"""The value of `Step.column` for a field that fills no column: the field becomes an attribute."""


class Kind(IntEnum):
    """What the text of a field means."""

    SKIP = 0  # the text is ignored
    TEXT = 1
    USER = 2  # a text; two quotes mean that the user is unknown
    NUMBER = 3  # an attribute that is a number, or a text if the field is not a number
    REQUEST = 4  # METHOD route PROTO; another text becomes the message
    STATUS = 5
    BYTES = 6
    AGENT = 7  # W3C: a user agent, in which blanks were replaced
    STEM = 8  # W3C: the path of the route
    QUERY = 9  # W3C: the query of the route
    STAMP = 10  # dd/Mon/yyyy:HH:MM:SS +zzzz that is not the time of the record: a text
    # The time of the record as a whole
    ACCESS = 11  # dd/Mon/yyyy:HH:MM:SS +zzzz
    ISO = 12
    EPOCH = 13
    # Parts of the time of the record
    YEAR = 14
    YEAR_OF_CENTURY = 15
    MONTH = 16
    MONTH_NAME = 17  # only the first three letters count
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

    SIZED = 0  # after a fixed number of bytes
    LITERAL = 1  # before the first occurrence of the text after the field
    QUOTE = 2  # before the first quote that is not escaped
    LIST = 3  # before the first blank that is not part of ", " or " : "
    ADDRESS = 4  # before the last colon before a blank, because an address may contain colons
    BEFORE_PROTO = 5  # before the first " HTTP/"; as LITERAL if there is none
    AFTER_PROTO = 6  # as LITERAL, but not before the end of the first " HTTP/"
    SLASH = 7  # before the first slash
    REST = 8  # at the end of the line, before the text after the field


class Step(NamedTuple):
    """Reads a field and the text after it."""

    kind: Kind
    ending: Ending
    size: int  # in bytes, if the ending is SIZED
    column: int  # an index in TEXT_COLUMNS, or ATTRIBUTE
    name: bytes  # the name of the attribute
    literal: bytes  # the text after the field


class Day(NamedTuple):
    """The day of lines that have only a time of day; all zero if it is unknown."""

    year: int = 0
    month: int = 0
    day: int = 0


NO_DAY: Final = Day()


@dataclass(frozen=True, slots=True)
class Program:
    """What a reader does with each line."""

    prefix: bytes  # the text before the first field; of a delimited line, the delimiter; empty: tabs or blanks
    steps: tuple[Step, ...]
    has_parts: bool = False  # whether the time is read in parts
    is_delimited: bool = False  # W3C: tabs or blanks separate the fields, and lines that begin with # are directives
    day: Day = NO_DAY
    is_local: bool = False  # whether the times of delimited lines are local, and not in UTC


class Reason(TextReason):
    """Why a line is rejected."""

    TEXT = 0, "a text that the format has between its fields is missing"
    OPEN_QUOTE = 1, "an unclosed quote"
    TIME_FORM = 2, "time is not as the format writes it"
    TIME_RANGE = 3, "time out of range"
    STATUS = 4, "status is not a number of up to three digits"
    BYTES = 5, "bytes is not a whole number of 63 bits"
    MORE = 6, "more than the format has"
    NO_FIELDS = 7, "no #Fields before it"
    FEWER = 8, "fewer fields than in #Fields"
    MORE_FIELDS = 9, "more fields than in #Fields"
    FITS = 10, "none: the line fits"


REASONS: Final = tuple(reason.text for reason in Reason)
