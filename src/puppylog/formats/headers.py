"""The header lines of W3C and Zeek logs, which describe the lines that follow and are not records."""

import re
from typing import Final

NAMES: Final = (
    *("Software", "Version", "Date", "Start-Date", "End-Date", "Fields", "Remark", "Time Format"),
    *("separator", "set_separator", "empty_field", "unset_field", "path", "open", "close", "fields", "types"),
)
"""The words after ``#`` with which a header line begins. A colon, a blank or a tab follows."""

_HEADER: Final = rf"#(?:{'|'.join(NAMES)})[: \t]"
_LEADING: Final = re.compile(rf"(?:(?:{_HEADER}[^\n]*|[ \t\r]*)\n)*".encode())
_ONE: Final = re.compile(_HEADER)


def is_header(line: str) -> bool:
    """Return whether the line is a header."""
    return _ONE.match(line) is not None


def find_data(lines: bytes) -> int:
    """Return the offset of the first line that is neither a header nor blank; the size of ``lines`` if all are.

    Args:
        lines: whole lines.
    """
    found = _LEADING.match(lines)
    return 0 if found is None else found.end()
