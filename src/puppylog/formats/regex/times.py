"""A column of stamps as times, each in any form that is known. Equal stamps, which are many, are read only once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from puppylog.formats import clock
from puppylog.formats.clock import OutOfRange, Stamp
from puppylog.formats.rows import NO_TIME
from puppylog.formats.syslog.calendar import Calendar
from puppylog.formats.syslog.stamp import find_stamp
from puppylog.formats.words import Flags, Positions

_FORMS: Final[tuple[Callable[[str], Stamp | None], ...]] = (clock.parse_iso, clock.parse_access, clock.parse_epoch)
_ABSENT: Final = ("", "-")
_READ, _UNKNOWN, _OUT_OF_RANGE = range(3)

_Verdict = tuple[int, bool, int]  # microseconds or NO_TIME, whether they are local, and one of the three


@dataclass(frozen=True, slots=True)
class Times:
    us: Positions  # microseconds since the epoch, or NO_TIME
    is_local: Flags  # they name no zone: what the clock on the wall showed
    is_unknown: Flags  # a stamp in no known form
    is_out_of_range: Flags  # one that is formed as it should, and names no instant


def read_times(stamps: pa.Array, calendar: Calendar) -> Times:
    """Read strings; an empty one and a dash are no time. Stamps without a year get it from ``calendar``, in order."""
    encoded = stamps.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    alone = [_read_alone(text) for text in texts]
    codes = encoded.indices.to_numpy()
    is_new = np.diff(codes, prepend=-1) != 0
    runs = [alone[code] or _read_in_order(texts[code], calendar) for code in codes[is_new].tolist()]
    verdicts = np.array(runs, np.int64).reshape(-1, 3)[np.cumsum(is_new) - 1]
    return Times(
        np.ascontiguousarray(verdicts[:, 0]),
        verdicts[:, 1].astype(np.bool_),
        verdicts[:, 2] == _UNKNOWN,
        verdicts[:, 2] == _OUT_OF_RANGE,
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
    if found is None or found.until < len(text):
        return NO_TIME, False, _UNKNOWN
    return found.us, found.is_local, _READ
