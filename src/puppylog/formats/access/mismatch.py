"""Where a line stops to be one of an access log: for a person who wonders why it was rejected."""

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
    """Return where the first part of the line begins that is not as it should be, in characters."""
    at = 0
    parts = _PARTS if variant is Variant.COMMON else (*_PARTS, *_MORE)
    for part in parts:
        match = re.compile(part).match(line, at)
        if match is None:
            break
        at = match.end()
    return at if at == len(line) else at + (line[at] == " ")
