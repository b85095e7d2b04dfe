"""Reads a column of stamps, each in any known form. Equal stamps, which are frequent, are read only once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import clock
from puppylog.formats.calendar import Calendar
from puppylog.formats.clock import OutOfRange, Stamp
from puppylog.formats.rows import NO_TIME
from puppylog.formats.syslog.stamp import find_stamp

_FORMS: Final[tuple[Callable[[str], Stamp | None], ...]] = (clock.parse_iso, clock.parse_access, clock.parse_epoch)
_ABSENT: Final = ("", "-")
_READ, _UNKNOWN, _OUT_OF_RANGE = range(3)

_Result = tuple[int, bool, int]  # microseconds or NO_TIME; whether the stamp is local; one of the three numbers above


@dataclass(frozen=True, slots=True)
class Times:
    """The times of a column of stamps; each array has one value for each stamp."""

    us: pa.Array  # int64: microseconds since the epoch, or NO_TIME
    is_local: pa.Array  # bool: the stamp names no zone, and ``us`` is local time, counted as if in UTC
    is_unknown: pa.Array  # bool: the stamp has no known form
    is_out_of_range: pa.Array  # bool: the stamp has a known form but names a day or time that does not exist


def read_times(stamps: pa.Array, calendar: Calendar) -> Times:
    """Return the times of the stamps.

    Args:
        stamps: strings; an empty string or a dash is not a time.
        calendar: gives the year of stamps without a year, in the order of the stamps, and is updated.
    """
    encoded = stamps.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    alone = [_read_alone(text) for text in texts]
    runs = pc.run_end_encode(encoded.indices)  # runs of equal stamps
    results = [alone[code] or _read_in_order(texts[code], calendar) for code in runs.values.to_pylist()]

    def spread(values: list[Any], kind: pa.DataType) -> pa.Array:
        """Return for each stamp the value of its run of equal stamps."""
        return pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(runs.run_ends, pa.array(values, kind)))

    return Times(
        spread([us for us, _, _ in results], pa.int64()),
        spread([is_local for _, is_local, _ in results], pa.bool_()),
        spread([found == _UNKNOWN for *_, found in results], pa.bool_()),
        spread([found == _OUT_OF_RANGE for *_, found in results], pa.bool_()),
    )


def _read_alone(text: str) -> _Result | None:
    """Return the time of a stamp that has a year; None if the text is no such stamp."""
    if text in _ABSENT:
        return NO_TIME, False, _READ
    for parse in _FORMS:
        try:
            stamp = parse(text)
        except OutOfRange:
            return NO_TIME, False, _OUT_OF_RANGE
        if stamp is not None:
            return stamp.us, stamp.is_local, _READ
    return None


def _read_in_order(text: str, calendar: Calendar) -> _Result:
    try:
        found = find_stamp(text, 0, calendar)
    except OutOfRange:
        return NO_TIME, False, _OUT_OF_RANGE
    if found is None or found.end < len(text):
        return NO_TIME, False, _UNKNOWN
    return found.us, found.is_local, _READ
