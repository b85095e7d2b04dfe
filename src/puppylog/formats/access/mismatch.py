"""Finds where a rejected line differs from an access log, to show it to the user."""

import re
from typing import Final

from puppylog.formats.access.line import Variant

_STAMP = r" \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\]"
_QUOTED = r' "(?:\\.|[^"\\])*"'
_PARTS: Final = (
    r"[^ ]+",
    r" [^ ]*",
    rf" .*?(?={_STAMP} \")",
    _STAMP,
    _QUOTED,
    r" (?:[0-9]{3}|-)(?= |$)",
    r" (?:[0-9]{1,19}|-)(?= |$)",
)
_MORE: Final = (_QUOTED, _QUOTED)


def find_mismatch(line: str, variant: Variant) -> int:
    """Return the offset in characters of the first part of the line that does not match."""
    at = 0
    parts = _PARTS if variant is Variant.COMMON else (*_PARTS, *_MORE)
    for part in parts:
        match = re.compile(part).match(line, at)
        if match is None:
            break
        at = match.end()
    return at if at == len(line) else at + (line[at] == " ")
