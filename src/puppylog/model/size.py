"""Sizes as users write them: ``500MB``, ``10GB``, ``2GiB``. Elsewhere they are whole bytes."""

import re
from typing import Final

from puppylog.errors import UsageError

_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_LARGEST_FIRST: Final = ("TB", "GB", "MB", "kB")  # the decimal units in which a size is written
_SIZE: Final = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,6}))?\s*([a-z]*)")
_MAX_BYTES: Final = 1 << 60


def parse_size(text: str, what: str = "size") -> int:
    """Return the size in ``text``, in bytes. A number without a unit is in bytes. Case is ignored.

    Args:
        text: such as ``200MB``, which is 200,000,000 bytes, or ``2GiB``, which is 2 · 1024³ bytes.
        what: the kind of size, for the message of an error.

    Raises:
        UsageError: ``text`` is not a size, or is larger than 1 EiB.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None or match[3] not in _UNITS:
        raise UsageError("read", f"{what} {text!r}", advice="write a number with MB, GB or TB, such as 10GB")
    unit = _UNITS[match[3]]
    fraction = match[2] or ""
    size_bytes = int(match[1]) * unit + int(fraction or 0) * unit // int("1" + "0" * len(fraction))
    if size_bytes > _MAX_BYTES:
        raise UsageError("use", f"{what} {text!r}", "it must be at most 1 EiB")
    return size_bytes


def write_size(size_bytes: int) -> str:
    """Return a size, exactly, in the largest unit that divides it: ``10GB`` for 10,000,000,000.

    >>> write_size(10_000_000_000), write_size(1500), write_size(0)
    ('10GB', '1500B', '0B')
    """
    for unit in _LARGEST_FIRST:
        scale = _UNITS[unit.lower()]
        if size_bytes and size_bytes % scale == 0:
            return f"{size_bytes // scale}{unit}"
    return f"{size_bytes}B"
