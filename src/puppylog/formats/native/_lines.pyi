from typing import Final, TypeAlias

from typing_extensions import Buffer

# What rows.rows_from_buffers takes: the number of records; of each column the number of its nulls; the blocks of
# builder_each_block in builder.c; the number of lines that made no row.
_Rows: TypeAlias = tuple[int, list[int], list[Buffer], int]

# The kind of a field, its ending, its size in bytes, its column or -1, the attribute's name, the text behind the field.
_Step: TypeAlias = tuple[int, int, int, int, bytes, bytes]

# The lists of enums.h: of each the texts of its members, in the order of their numbers.
ENUMS: Final[dict[str, list[str]]]

# Each reader takes whole lines of UTF-8, and raises ValueError if the last one has no newline, or MemoryError.

def access(text: Buffer, variant: int, /) -> _Rows: ...
def cri(text: Buffer, /) -> _Rows: ...
def json(text: Buffer, names: bytes, /) -> _Rows: ...
def layout(
    text: Buffer,
    lead: bytes,
    steps: tuple[_Step, ...],
    has_parts: bool,
    is_delimited: bool,
    year: int,
    month: int,
    day: int,
    /,
) -> _Rows: ...
def logfmt(text: Buffer, names: bytes, /) -> _Rows: ...
def plain(text: Buffer, /) -> _Rows: ...

# Takes and returns the date of the line before, which says the year of a line that names none: see syslog/calendar.py.
def syslog(text: Buffer, year: int, month: int, day: int, /) -> tuple[_Rows, int, int, int]: ...
