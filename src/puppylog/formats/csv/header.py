"""The header of a table: the delimiter, and the names of the columns."""

import re
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.formats.csv.rows import split_fields
from puppylog.formats.names import find_name, normalize
from puppylog.formats.regex.fields import TIME, assign_fields

_DELIMITERS: Final = ("\t", ",", ";", "|")
_QUOTED: Final = re.compile('"(?:[^"]|"")*"')
_LONGEST: Final = 4000  # characters; the context of the parser has the header, and is stored with every position
_MAX_COLUMNS: Final = 500
_LAST_RESORT: Final = {"severitylevel": "severity", "content": "message"}  # names of columns in tables only


@dataclass(frozen=True, slots=True)
class Header:
    """A header line."""

    line: str  # as it is written
    delimiter: str
    names: tuple[str, ...]

    @property
    def first_field(self) -> str:
        """The text of the line before the first delimiter."""
        return self.line.partition(self.delimiter)[0]

    @property
    def names_record(self) -> bool:
        """Whether a column has the time or the message of a record."""
        columns = assign_columns(self.names)
        return TIME in columns or "message" in columns


def read_header(line: str) -> Header | None:
    """Return the header that a line is: at least two different names, none of them a number; None for other lines."""
    if len(line) > _LONGEST:
        return None
    unquoted = _QUOTED.sub("", line)
    delimiter = max(_DELIMITERS, key=unquoted.count)
    if delimiter not in unquoted:
        return None
    written = line.lstrip("#").lstrip(" ") if line.startswith("#") else line
    fields, _ = split_fields(pa.array([written]), delimiter, has_quotes=True)
    names = [name.strip() for name in fields.to_pylist()]
    if len(names) > _MAX_COLUMNS or not all(map(_is_name, names)):
        return None
    return Header(line, delimiter, tuple(names)) if len({*names}) == len(names) else None


def assign_columns(names: tuple[str, ...]) -> dict[str, str]:
    """Return by column the name that fills it; see `puppylog.formats.regex.fields.assign_fields`.

    Names of tables may have blanks: ``Date and Time``.
    """
    keys = {_to_key(name): name for name in reversed(names)}
    columns = {column: keys[key] for column, key in assign_fields(list(dict.fromkeys(map(_to_key, names)))).items()}
    for name in names:
        column = _LAST_RESORT.get(normalize(name.replace(" ", "")))
        if column is not None:
            columns.setdefault(column, name)
    return columns


def find_date_and_time(names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the names of two columns that make up the time: ``date`` and ``time``; None if the table has none."""
    keys = {normalize(name): name for name in names}
    date, time = keys.get("date"), keys.get("time") or keys.get("timeofday")
    return (date, time) if date is not None and time is not None else None


def _to_key(name: str) -> str:
    joined = name.replace(" ", "_")
    if normalize(joined) in {"dateandtime", "date&time", "datetime", "timegenerated", "timecreated", "createdat"}:
        return "timestamp"
    return joined.lower() if find_name(normalize(joined)) is None else joined


def _is_name(name: str) -> bool:
    """Return whether a field may be the name of a column: it begins with a letter, @, _ or #, and is short."""
    return 0 < len(name) <= 80 and (name[0].isalpha() or name[0] in "@_#%$") and "\n" not in name
