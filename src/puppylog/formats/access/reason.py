"""Why a line is rejected: a small closed set, in the order in which a line is judged. The first reason counts.

While a line is parsed its reason is a code, and the least code is the first reason.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from puppylog.formats.reasons import TextReason
from puppylog.formats.words import Flags

Reasons: TypeAlias = npt.NDArray[np.uint8]


class Reason(TextReason):
    """Its code beside each line, its text in the store."""

    EMPTY = 0, "empty line"
    NO_REQUEST = 1, "no time in brackets before a quoted request"
    TIME_FORM = 2, "time is not dd/Mon/yyyy:HH:MM:SS +zzzz"
    TIME_RANGE = 3, "time out of range"
    HEAD = 4, "no host, ident and user before the time"
    OPEN_QUOTE = 5, "an unclosed quote"
    STATUS = 6, "status is not three digits"
    BYTES = 7, "bytes is not a whole number of 63 bits"
    NO_REFERER = 8, "no referer and user agent"
    NO_AGENT = 9, "a referer but no user agent"
    NONE = 10, "none: the line fits"


def judge(*verdicts: tuple[Flags, Reason]) -> Reasons:
    """Return for each line the first reason whose verdict is true; verdicts come in the order of their reasons."""
    reasons = np.full(verdicts[0][0].size, Reason.NONE, np.uint8)
    for is_so, reason in reversed(verdicts):
        reasons[is_so] = reason
    return reasons


def first_reasons(*parts: Reasons) -> Reasons:
    """Return for each line the first reason that a part has found."""
    first = parts[0]
    for reasons in parts[1:]:
        first = np.minimum(first, reasons)
    return first


def reason_texts(reasons: Reasons) -> pa.Array:
    """Return what the store says."""
    return pa.array([reason.text for reason in Reason]).take(pa.array(reasons))
