r"""The smallest parts of a query: blanks, bare words, quoted texts and regular expressions, each with its position.

A bare word ends at a blank, a parenthesis or a quote. A backslash before one of the characters that mean something in a
query makes that character an ordinary one. Before any other character, a backslash stands for itself.
"""

import re
from typing import Final

from puppylog.errors import SearchError
from puppylog.model.query.tree import Regex, Span, Value

_BARE: Final = re.compile(r'(?:\\[\\*"():=<>~!\-/ ]|[^\s()"])+')
_ESCAPED: Final = re.compile(r'\\([\\*"():=<>~!\-/ ])|(\*)')
_QUOTED: Final = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_QUOTED_ESCAPE: Final = re.compile(r'\\(["\\])')
REGEX: Final = re.compile(r"/((?:\\.|[^/\\]|/(?![\s)]|$))+)/(?=[\s)]|$)", re.DOTALL)
_BLANKS: Final = re.compile(r"\s*")


def refuse(query: str, at: int, cause: str, advice: str = "") -> SearchError:
    """Return the error for something in ``query`` that starts at ``at``."""
    return SearchError(f"{cause} (column {at + 1})", advice, written=query, at=at)


def skip_blanks(query: str, at: int) -> int:
    found = _BLANKS.match(query, at)
    return found.end() if found else at


def find_bare(query: str, at: int) -> int:
    """Return where the bare word that starts at ``at`` ends; ``at`` if there is none."""
    found = _BARE.match(query, at)
    return found.end() if found else at


def read_bare(query: str, start: int, end: int) -> Value:
    """Return a bare word as a value: ``*`` stands for any characters."""
    parts = [""]
    at = start
    for found in _ESCAPED.finditer(query, start, end):
        parts[-1] += query[at : found.start()] + (found[1] or "")
        if found[2]:
            parts.append("")
        at = found.end()
    parts[-1] += query[at:end]
    return Value(_without_repeats(parts), span=Span(start, end))


def _without_repeats(parts: list[str]) -> tuple[str, ...]:
    """Return the parts without empty ones in the middle: two ``*`` in a row mean the same as one."""
    return (parts[0], *(part for part in parts[1:-1] if part), *parts[-1:]) if len(parts) > 1 else (parts[0],)


def read_quoted(query: str, start: int) -> Value:
    """Return the text that the quote at ``start`` opens.

    Raises:
        SearchError: it is not closed.
    """
    found = _QUOTED.match(query, start)
    if found is None:
        raise refuse(query, start, "the quote is not closed", 'close it with ", or write \\" for a quote in a text')
    text = _QUOTED_ESCAPE.sub(r"\1", found[1])
    return Value((text,), is_quoted=True, span=Span(start, found.end()))


def read_regex(query: str, start: int) -> Regex:
    """Return the regular expression that the slash at ``start`` opens.

    Raises:
        SearchError: it is not closed, or empty.
    """
    found = REGEX.match(query, start)
    if found is None:
        cause = "the regular expression is not closed"
        raise refuse(query, start, cause, 'close it with /, or put a path into quotes, as in "/var/log"')
    return Regex(found[1], Span(found.start(1), found.end(1)))
