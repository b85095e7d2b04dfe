"""What the tallies of the embedded store count: the fields, and the SQL of their values.

The engine makes tallies, and the code that counts records reads them.
"""

import zlib
from dataclasses import dataclass
from typing import Final

from puppylog.stores.shapes import masked_sql, shape_sql

HOUR_S: Final = 3600
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class TallyField:
    """What a tally counts the records by.

    Attributes:
        name: stands in the column ``field`` of the table ``tallies``.
        value: SQL of the value, from the columns of ``log_records``.
        counted: SQL of the number of records.
        where: SQL; records for which this is not true are left out.
        has_sums: whether server errors and bytes are summed up for each value.
        has_times: whether the times of the first and the last record are kept for each value.
        is_column: whether the value is that of a column.
        is_list: whether ``value`` and ``counted`` are lists, with a row for each of their elements.
        is_number: whether the values are in the column ``number``, and not in ``value``.
        is_words: whether ``value`` is a text, with a row for each of its words, without their numbers of records.
    """

    name: str
    value: str
    counted: str = "count(*)"
    where: str = "true"
    has_sums: bool = False
    has_times: bool = False
    is_column: bool = False
    is_list: bool = False
    is_number: bool = False
    is_words: bool = False


COLUMNS: Final[dict[str, str]] = {
    "stream_id": "INTEGER",
    "file_id": "INTEGER",
    "host": "VARCHAR",
    "ident": "VARCHAR",
    "ruser": "VARCHAR",
    "request_method": "VARCHAR",
    "request_route": "VARCHAR",
    "request_proto": "VARCHAR",
    "status_code": "SMALLINT",
    "response_bytes": "BIGINT",
    "referer": "VARCHAR",
    "user_agent": "VARCHAR",
    "severity": "VARCHAR",
}
"""The columns of ``log_records`` by whose values records are counted, with their types.

Each costs 25 ns of CPU a line. The messages and the attributes have too many values.
"""

NUMBERS: Final = frozenset({"response_bytes"})
"""The columns whose values are kept as numbers, because there are very many.

DuckDB reads the whole dictionary of a block of texts: with these as texts, each question about another field took ten
times as long.
"""

PRESENT: Final = ("status_code", "severity", "request_route", "host", "message")
"""The columns of which the tally of `PRESENCE` says how many records have a value."""

_SHAPE: Final = shape_sql(masked_sql("message"))
_MIN_ERROR: Final = 17  # the number of "error" by OpenTelemetry

# The name has a checksum, so that tallies of another rule are not read.
SHAPES: Final = f"shape {zlib.crc32(_SHAPE.encode()):08x}"
ERROR_SHAPES: Final = f"shape of errors {zlib.crc32(_SHAPE.encode()):08x}"
FAILING_ROUTES: Final = "failing routes"
PRESENCE: Final = "presence"

MIN_LETTERS: Final = 3
"""The letters of the shortest words that the tallies of `WORDS` have."""

WORD_PATTERN: Final = (
    f"[A-Za-z\u017f\u212a]{{{MIN_LETTERS},}}"  # a long s and the Kelvin sign are letters, too: cases of s and k
    r"|\\u00[4-7]|\\u017|\\u212"  # the beginning of an escape in JSON that may stand for a letter
)
"""A regular expression of a word: as many letters as there are in a row."""

ESCAPE: Final = "\\"
"""A word of a tally of `WORDS` that begins so is an escape: the texts of the day may have any word."""

_WORDS_RULE: Final = f"{zlib.crc32(WORD_PATTERN.encode()):08x}"

WORDS: Final = {column: f"words of {column} {_WORDS_RULE}" for column in ("message", "attributes")}
"""The names of the fields that have all words of a column, by the column. A column of `COLUMNS` has its values."""

FIELDS: Final = (
    *(
        TallyField(
            name,
            name,
            has_sums=name in {"stream_id", "host", "request_route"},
            has_times=name == "stream_id",
            is_column=True,
            is_number=name in NUMBERS,
        )
        for name in COLUMNS
    ),
    TallyField(FAILING_ROUTES, "request_route", where="status_code BETWEEN 500 AND 599", has_sums=True),
    TallyField(
        PRESENCE,
        str(list(PRESENT)),
        counted=f"[{', '.join(f'count({name})' for name in PRESENT)}]",
        is_list=True,
    ),
    TallyField(SHAPES, _SHAPE, has_times=True),
    TallyField(ERROR_SHAPES, _SHAPE, where=f"puppylog.severity_number(severity) >= {_MIN_ERROR}", has_times=True),
    *(TallyField(name, f"CAST({column} AS VARCHAR)", is_words=True) for column, name in WORDS.items()),
)
