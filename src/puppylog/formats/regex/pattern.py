"""Checks an expression of the user and translates it for Arrow.

Arrow returns every group and requires a name for each, so groups without a name become groups that do not capture.
"""

import re
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.errors import UsageError

_PARTS: Final = re.compile(
    r"""
    (?P<quoted> \\Q (?s:.*?) (?: \\E | \Z) )    # literal text
    | (?P<escape> \\ . )
    | (?P<set> \[ \^? \]? (?: \[:\^?[a-z]+:\] | \\. | [^\]\\] )* \] )
    | \( \? P? < (?P<name> [^=!>][^>]* ) >
    | (?P<group> \( (?!\?) )
    """,
    re.VERBOSE,
)
_CAUSE = "Invalid regular expression: "


@dataclass(frozen=True, slots=True)
class Pattern:
    """An expression for Arrow."""

    regex: str
    names: tuple[str, ...]  # the names of the groups, in their order


def is_pattern(written: str) -> bool:
    """Return whether the user means an expression and not the name of a format: it has a named group."""
    return "(?P<" in written or "(?<" in written


def parse_pattern(written: str) -> Pattern:
    """Return the expression for Arrow, and the names of its groups.

    Raises:
        UsageError: the expression is invalid, has no named group, or has two groups with the same name.
    """
    names: list[str] = []
    regex, at = [], 0
    for part in _PARTS.finditer(written):
        regex.append(written[at : part.start()])
        at = part.end()
        if part["escape"] == r"\C":
            raise _make_error(written, r"\C would cut characters into bytes", part.start())
        if part["name"] in names:
            raise _make_error(written, f"two groups have the name {part['name']!r}", part.start())
        if part["name"]:
            names.append(part["name"])
            regex.append(f"(?P<{part['name']}>")
        else:
            regex.append("(?:" if part["group"] else part[0])
    pattern = Pattern("".join([*regex, written[at:]]), tuple(names))
    try:
        pc.extract_regex(pa.array([""]), pattern.regex)
    except pa.ArrowInvalid as error:
        cause = str(error).removeprefix(_CAUSE)
        raise _make_error(written, cause, written.find(cause.rpartition(": ")[2])) from None
    if not names:
        raise _make_error(written, "it has no group with a name, such as (?P<host>[^ ]+)", -1)
    return pattern


def find_fault(written: str) -> str:
    """Return why an expression is invalid; empty if it is valid."""
    try:
        pc.match_substring_regex(pa.array([""]), written)
    except pa.ArrowInvalid as error:
        return str(error).removeprefix(_CAUSE)
    return ""


def _make_error(written: str, cause: str, at: int) -> UsageError:
    place = f", at character {at + 1}" if at >= 0 else ""
    return UsageError("use", f"pattern {written!r}", f"{cause}{place}")
