"""A column of stamps as times, each in any form that is known. Equal stamps, which are many, are read only once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import clock
from puppylog.formats.clock import OutOfRange, Stamp
from puppylog.formats.rows import NO_TIME
from puppylog.formats.syslog.calendar import Calendar
from puppylog.formats.syslog.stamp import find_stamp

_FORMS: Final[tuple[Callable[[str], Stamp | None], ...]] = (clock.parse_iso, clock.parse_access, clock.parse_epoch)
_ABSENT: Final = ("", "-")
_READ, _UNKNOWN, _OUT_OF_RANGE = range(3)

_Verdict = tuple[int, bool, int]  # microseconds or NO_TIME, whether they are local, and one of the three


@dataclass(frozen=True, slots=True)
class Times:
    us: pa.Array  # int64: microseconds since the epoch, or NO_TIME
    is_local: pa.Array  # bool: they name no zone, and say what the clock on the wall showed
    is_unknown: pa.Array  # bool: a stamp in no known form
    is_out_of_range: pa.Array  # bool: one that is formed as it should, and names no instant


def read_times(stamps: pa.Array, calendar: Calendar) -> Times:
    """Read strings; an empty one and a dash are no time. Stamps without a year get it from ``calendar``, in order."""
    encoded = stamps.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    alone = [_read_alone(text) for text in texts]
    runs = pc.run_end_encode(encoded.indices)  # of equal stamps that follow one another
    verdicts = [alone[code] or _read_in_order(texts[code], calendar) for code in runs.values.to_pylist()]

    def spread(values: list[Any], kind: pa.DataType) -> pa.Array:
        """Return for each stamp the value of its run."""
        return pc.run_end_decode(pa.RunEndEncodedArray.from_arrays(runs.run_ends, pa.array(values, kind)))

    return Times(
        spread([us for us, _, _ in verdicts], pa.int64()),
        spread([is_local for _, is_local, _ in verdicts], pa.bool_()),
        spread([found == _UNKNOWN for *_, found in verdicts], pa.bool_()),
        spread([found == _OUT_OF_RANGE for *_, found in verdicts], pa.bool_()),
    )


def _read_alone(text: str) -> _Verdict | None:
    """Read a stamp that needs no other; None if it is none."""
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


def _read_in_order(text: str, calendar: Calendar) -> _Verdict:
    try:
        found = find_stamp(text, 0, calendar)
    except OutOfRange:
        return NO_TIME, False, _OUT_OF_RANGE
    if found is None or found.end < len(text):
        return NO_TIME, False, _UNKNOWN
    return found.us, found.is_local, _READ
