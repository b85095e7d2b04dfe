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


def format_size(size_bytes: int) -> str:
    """Return a size in a decimal unit, with at most one decimal place: ``200 MB``, ``1.5 GB``, ``512 B``."""
    for unit in ("TB", "GB", "MB", "kB"):
        scale = _UNITS[unit.lower()]
        if size_bytes >= scale:
            return f"{size_bytes / scale:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size_bytes} B"
