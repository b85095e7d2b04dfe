"""Tells lines that continue a record by their form. ``native/continuation.h`` does the same in C."""

import re

_CONTINUATION = re.compile(r"[ \t)\]}]|Caused by: |Suppressed: |\.\.\. [0-9]+ ")
_EXCEPTION = re.compile(r"[0-9A-Za-z_.$]*(?:Error|Exception|Throwable|Exit|Interrupt|Warning)(?::|\Z)")
_PACKAGE_BYTES = 8


def is_continuation(line: str) -> bool:
    """Return whether the line is indented, closes a bracket, or is of a stack trace."""
    return _CONTINUATION.match(line) is not None


def is_exception(line: str, *, is_in_trace: bool) -> bool:
    """Return whether the line begins with the name of an exception.

    A name is sure only within a stack trace, as ``ValueError: no cart``, or with a package of few letters before it, as
    ``java.io.IOException: no cart``: the first eight bytes of the line have a dot.
    """
    start = line[:_PACKAGE_BYTES].encode()[:_PACKAGE_BYTES]
    is_sure = is_in_trace or (len(line.encode()) >= _PACKAGE_BYTES and b"." in start)
    return is_sure and _EXCEPTION.match(line) is not None
