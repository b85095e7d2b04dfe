"""Reads the time stamps of a whole column, natively if possible."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import native
from puppylog.formats.calendar import Calendar
from puppylog.formats.dating import Dating, Order
from puppylog.formats.named_zones import resolve_zone_names
from puppylog.formats.rows import NO_TIME, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.stamp import read_stamp


@dataclass(frozen=True, slots=True)
class StampColumn:
    """The stamps of many texts."""

    ts_us: pa.Array  # int64: microseconds since the epoch, or NO_TIME if the text is not a stamp
    is_local: pa.Array  # bool: see `puppylog.formats.stamp.Found`; a stamp that names a city is not local
    zone_names: pa.Array  # strings: names of zones that have several meanings, or are unknown; else null
    stamps: pa.Array  # strings: the texts of the stamps; null if there is none


def read_stamps(texts: pa.Array, dating: Dating, *, is_whole: bool = True) -> StampColumn:
    """Return the stamps at the start of texts.

    Args:
        texts: strings of at most 2 GiB, in the order of the file. A null, and a text with a line feed, has no stamp.
        dating: is updated; see `read_stamp`.
        is_whole: whether the stamp must be all of its text.
    """
    # Every text needs a line of its own: a reader makes no record of a blank line.
    has_none = pc.fill_null(pc.match_substring_regex(texts, r"\n|^[ \t\r]*$"), True)
    lines = pc.binary_join_element_wise(pc.if_else(has_none, "-", texts), "", "\n")
    data, ends = lines.buffers()[2], lines.buffers()[1]
    if data is None or ends is None:
        data = ends = pa.py_buffer(bytes(4))
    text = memoryview(data)[: memoryview(ends).cast("i")[len(lines)]]
    rows = _read_lines(text, dating, is_whole=is_whole)
    zone_names = rows.columns["host"]
    ts_us, is_local = resolve_zone_names(rows.ts_us, rows.is_local.cast(pa.bool_()), zone_names)
    unsettled = pc.if_else(is_local, zone_names, pa.scalar(None, pa.string()))
    return StampColumn(ts_us, is_local, unsettled, rows.columns["message"])


def _read_lines(text: memoryview, dating: Dating, *, is_whole: bool) -> Rows:
    if native.lines is None:
        return _read_in_python(bytes(text), dating, is_whole=is_whole)
    known = dating.calendar if dating.calendar is not None else Calendar(0, 0)
    given = (known.year, known.month, known.day, known.is_fixed, int(dating.order), is_whole)
    rows, known.year, known.month, known.day, order = native.lines.stamps(text, *given)
    dating.order = Order(order)
    return rows_from_buffers(rows, ())


def _read_in_python(text: bytes, dating: Dating, *, is_whole: bool) -> Rows:
    """Do the same as ``stamps`` in ``native/stamp_lines.c``: the name of a zone is in the column ``host``."""
    builder = RowsBuilder(text)
    for at, line in builder.iter_lines():
        written = line.decode()
        found = read_stamp(written, 0, dating, is_whole=is_whole)
        if found is None:
            builder.add(at, NO_TIME, columns={})
        else:
            columns = {"host": found.zone_name, "message": written[: found.end]}
            builder.add(at, found.us, is_local=found.is_local, columns=columns)
    return builder.build()
