from typing import Final, TypeAlias

from typing_extensions import Buffer

# See rows.rows_from_buffers: the number of records; the number of nulls of each column; the blocks in the order of
# builder_each_block in builder.c; the number of lines without a row.
_Rows: TypeAlias = tuple[int, list[int], list[Buffer], int]

# The kind of a field, its ending, its size in bytes, its column or -1, the attribute's name, the text after the field.
_Step: TypeAlias = tuple[int, int, int, int, bytes, bytes]

# The enumerations of enums.h by name: the texts of the members, in the order of their numbers.
ENUMS: Final[dict[str, list[str]]]

# Each reader takes whole lines. It raises ValueError if the last line has no newline, UnicodeError if the text is not
# UTF-8, or MemoryError.

def access(text: Buffer, variant: int, /) -> _Rows: ...
def cri(text: Buffer, /) -> _Rows: ...
def json(text: Buffer, names: bytes, /) -> _Rows: ...
def layout(
    text: Buffer,
    prefix: bytes,
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

# Takes and returns the date of the line before, from which a stamp without a year gets its year: see calendar.py.
def syslog(text: Buffer, year: int, month: int, day: int, is_fixed: bool = False, /) -> tuple[_Rows, int, int, int]: ...
