from typing import Final, TypeAlias

from typing_extensions import Buffer

# See rows.rows_from_buffers: the number of records; the number of nulls of each column; the blocks in the order of
# builder_each_block in builder.c; the numbers of directives and blank lines, of continuation lines, and of records that
# begin with a continuation line; long runs of continuation lines, each as its offset in bytes and its number of lines;
# the number of records whose stamp names a zone that can mean several; the number of lines that are a part of a longer
# line of a container, and not the last part.
_Rows: TypeAlias = tuple[int, list[int], list[Buffer], int, int, int, list[tuple[int, int]], int, int]

# The kind of a field, its ending, its size in bytes, its column or -1, the attribute's name, the text after the field.
_Step: TypeAlias = tuple[int, int, int, int, bytes, bytes]

# The enumerations of enums.h by name: the texts of the members, in the order of their numbers.
ENUMS: Final[dict[str, list[str]]]

# Returns whether the text contains the word.
def contains(text: Buffer, word: bytes, /) -> bool: ...

# Each reader takes whole lines. It raises ValueError if the last line has no newline, UnicodeError if the text is not
# UTF-8, or MemoryError. With `joins`, lines that do not begin a record are joined to the record before.

def access(text: Buffer, variant: int, /) -> _Rows: ...
def apache_error(text: Buffer, joins: bool, /) -> _Rows: ...
def cri(text: Buffer, names: bytes, joins: bool, /) -> _Rows: ...
def envoy(text: Buffer, /) -> _Rows: ...
def haproxy(text: Buffer, /) -> _Rows: ...
def json(text: Buffer, names: bytes, joins: bool, /) -> _Rows: ...
def layout(
    text: Buffer,
    prefix: bytes,
    steps: tuple[_Step, ...],
    has_parts: bool,
    is_delimited: bool,
    is_utc: bool,
    year: int,
    month: int,
    day: int,
    /,
) -> _Rows: ...
def logfmt(text: Buffer, names: bytes, /) -> _Rows: ...
def postgresql(
    text: Buffer,
    is_known: bool,
    literal: bytes,
    steps: tuple[tuple[int, bool, bytes], ...],
    optional: int,
    joins: bool,
    /,
) -> _Rows: ...
def postgresql_csv(text: Buffer, joins: bool, /) -> _Rows: ...
def nginx_error(text: Buffer, joins: bool, /) -> _Rows: ...

# Takes and returns the date of the line before, from which a stamp without a year gets its year: see calendar.py.
def syslog(
    text: Buffer, names: bytes, year: int, month: int, day: int, is_fixed: bool, joins: bool, /
) -> tuple[_Rows, int, int, int]: ...

# Takes and returns the date of the line before, and the order of day and month: see stamp.py.
def stamps(
    text: Buffer, year: int, month: int, day: int, is_fixed: bool, order: int, is_whole: bool, /
) -> tuple[_Rows, int, int, int, int]: ...
def app(
    text: Buffer, year: int, month: int, day: int, is_fixed: bool, order: int, joins: bool, heads: int, /
) -> tuple[_Rows, int, int, int, int, int]: ...
def klog(
    text: Buffer, year: int, month: int, day: int, is_fixed: bool, joins: bool, /
) -> tuple[_Rows, int, int, int]: ...
def plain(
    text: Buffer, year: int, month: int, day: int, is_fixed: bool, order: int, joins: bool, /
) -> tuple[_Rows, int, int, int, int]: ...
