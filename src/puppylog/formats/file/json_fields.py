"""Reads fields that hold a JSON object, with the reader of the format ``json``."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.file.texts import NULL
from puppylog.formats.json_lines import read_json
from puppylog.formats.names import ALL_NAMES, NameTable
from puppylog.formats.rows import NO_TIME


@dataclass(frozen=True, slots=True)
class JsonFields:
    """What the objects in a column of texts hold; each array has one value for each text."""

    columns: Mapping[str, pa.Array]
    members: pa.Array  # strings: the members of JSON objects that fill no column, or nulls
    ts_us: pa.Array  # int64: microseconds since the epoch, or NO_TIME
    is_local: pa.Array  # bool
    unread: pa.Array  # strings: the texts that are not objects, or nulls


def read_json_field(texts: pa.Array, names: NameTable = ALL_NAMES) -> JsonFields:
    """Return what JSON objects hold.

    Args:
        texts: strings without nulls.
        names: the names of members that fill columns.
    """
    lines = pc.replace_substring(texts, "\n", " ")  # in JSON a newline stands between values only
    sizes = pc.add(pc.binary_length(lines).cast(pa.int64()), 1)
    starts = pc.subtract(pc.cumulative_sum(sizes), sizes)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "\n")[0].as_py()
    rows = read_json(f"{joined}\n".encode() if len(lines) else b"", names)
    place = pc.index_in(starts, value_set=rows.starts)
    columns = {
        name: column.take(place)
        for name, column in rows.columns.items()
        if name != "attributes" and column.null_count < len(column)
    }
    return JsonFields(
        columns,
        pc.utf8_slice_codeunits(rows.columns["attributes"].take(place), 1, -1),
        rows.ts_us.take(place).fill_null(NO_TIME),
        rows.is_local.cast(pa.bool_()).take(place).fill_null(False),
        pc.if_else(place.is_valid(), NULL, texts),
    )
