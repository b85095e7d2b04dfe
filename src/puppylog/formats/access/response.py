"""What stands after the request: ``status bytes``, then ``"referer" "user agent"``, then what is nobody's.

A line is combined when a quote follows its bytes after one blank; otherwise it is common. A format that asks for one of
the two holds every line to it.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.access.lines import Entries
from puppylog.formats.access.reason import Reason, Reasons, first_reasons, judge
from puppylog.formats.block import Block
from puppylog.formats.spans import Spans, Taker
from puppylog.formats.words import Bytes, Flags, Positions, parse_digits, word

_BLANK = 32

_STATUS_SIZE = 5  # " 200 " after the request
_FOUR_BYTES = np.uint64(32)  # moves the status to a word's end
_STATUS_BLANKS = word(" \0\0\0 ")
_STATUS_BLANKS_MASK = np.uint64(0xFF000000FF)

_DASH = word("-")
_LAST_BYTE = np.uint64(56)  # bits below a word's last byte

_ODD_STATUS = r"^ (?P<status>[0-9]{3}|-)(?: |$)"
_ODD_BYTES = r"^ (?:[0-9]{3}|-) (?P<bytes>[0-9]{1,19}|-)(?: |$)"
_MOST_BYTES = (1 << 63) - 1
_ODD_SIZE = 32  # of a tail are looked at: more than status, bytes and what ends them can take


class Variant(Enum):
    """Which of the two a line has to be; the native reader knows them by their order."""

    ACCESS = "access"  # either of them, line by line
    COMMON = "common"
    COMBINED = "combined"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The status and the bytes of each line, and where the bytes end."""

    status: Positions
    has_status: Flags
    size_bytes: Positions
    has_size: Flags
    until: Positions
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Response:
    numbers: Numbers
    referer: Spans
    agent: Spans
    extra: Spans
    reasons: Reasons


def read_response(block: Block, entries: Entries, variant: Variant) -> Response:
    """Read what stands after the second quote of each line."""
    numbers = _read_numbers(block, entries)
    _, _, referer_open, referer_close, agent_open, agent_close = entries.quotes
    count = entries.quote_count
    is_combined = (count >= 4) & (referer_open == numbers.until + 1) & (variant is not Variant.COMMON)
    has_agent = is_combined & (count >= 6) & (agent_open == referer_close + 2)
    has_agent &= block.text[referer_close + 1] == _BLANK
    reasons = judge(
        (count % 2 != 0, Reason.OPEN_QUOTE),
        (~is_combined & (variant is Variant.COMBINED), Reason.NO_REFERER),
        (is_combined & ~has_agent, Reason.NO_AGENT),
    )
    extra = np.where(is_combined, agent_close + 1, numbers.until)
    extra = np.minimum(extra + (block.text[extra] == _BLANK), entries.until)
    return Response(
        numbers,
        referer=Spans(referer_open + 1, referer_close).where(is_combined).without_dashes(block.text),
        agent=Spans(agent_open + 1, agent_close).where(is_combined).without_dashes(block.text),
        extra=Spans(extra, entries.until),
        reasons=first_reasons(reasons, numbers.reasons),
    )


def _read_numbers(block: Block, entries: Entries) -> Numbers:
    closing, next_quote = entries.quotes[1], entries.quotes[2]
    is_before_quote = (entries.quote_count >= 3) & (block.text[next_quote - 1] == _BLANK)
    until = np.where(is_before_quote, next_quote - 1, entries.until)
    start = block.words[closing + 1]
    status, is_regular = parse_digits(start << _FOUR_BYTES, 3)
    is_regular &= (start & _STATUS_BLANKS_MASK) == _STATUS_BLANKS
    size = until - (closing + 1 + _STATUS_SIZE)
    last = block.words[until - 8]
    size_bytes, has_size = parse_digits(last, size)
    is_regular &= has_size | ((size == 1) & (last >> _LAST_BYTE == _DASH))
    reasons = np.full(size.size, Reason.NONE, np.uint8)
    numbers = Numbers(status, np.ones_like(is_regular), size_bytes, has_size, until, reasons)
    odd = np.flatnonzero(~is_regular & (entries.quote_count >= 2))
    if odd.size:
        _read_odd(
            block.text,
            numbers,
            odd,
            Spans(closing[odd] + 1, np.minimum(entries.until[odd], closing[odd] + 1 + _ODD_SIZE)),
        )
    return numbers


def _read_odd(text: Bytes, numbers: Numbers, odd: Positions, tails: Spans) -> None:
    """Read the tails of the ``odd`` lines by regular expressions and write what they say into ``numbers``."""
    written = Taker(text, odd.size).take_bytes(tails)
    status = pc.struct_field(pc.extract_regex(written, _ODD_STATUS), "status")
    size = pc.struct_field(pc.extract_regex(written, _ODD_BYTES), "bytes")
    size_bytes, has_size = _to_numbers(size)
    is_too_large = size_bytes > _MOST_BYTES
    numbers.reasons[odd] = judge(
        (np.asarray(status.is_null()), Reason.STATUS),
        (np.asarray(size.is_null()) | is_too_large, Reason.BYTES),
    )
    numbers.size_bytes[odd] = np.where(is_too_large, 0, size_bytes)
    numbers.has_size[odd] = has_size
    numbers.status[odd], numbers.has_status[odd] = _to_numbers(status)
    lengths = pc.add(pc.binary_length(status), pc.binary_length(size)).fill_null(0)
    numbers.until[odd] = tails.since + 2 + np.asarray(lengths)


def _to_numbers(written: pa.Array) -> tuple[npt.NDArray[np.uint64], Flags]:
    """Return the numbers, 0 for a dash and for null, and which of them are numbers."""
    digits = pc.if_else(pc.equal(written, b"-"), None, written)
    numbers = digits.cast(pa.string()).cast(pa.uint64())
    return np.asarray(numbers.fill_null(0)), np.asarray(numbers.is_valid())
