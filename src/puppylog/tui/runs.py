"""Lines of styled text: runs of characters with one style each, wrapped to a width and painted with escapes."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from puppylog.tui.clean import width_of

# A line is never narrower than this, however narrow the terminal is.
_MIN_WIDTH: Final = 8


class Run(NamedTuple):
    """Cleaned text in one style."""

    text: str
    style: str = ""  # the numbers of an SGR sequence, such as "1;31"; empty: the terminal's own style


def paint(runs: Sequence[Run], *, color: bool) -> str:
    """Return the runs as one text, with escape sequences if ``color`` is true."""
    if not color:
        return "".join(run.text for run in runs)
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style and text else text for text, style in runs)


def wrap(runs: Sequence[Run], first: int, rest: int) -> list[list[Run]]:
    """Return the runs as lines that are at most ``first`` (the first line) or ``rest`` cells wide.

    A line ends at blanks, which are dropped. A word that is longer than a whole line is broken where the line ends. No
    other character is lost.
    """
    text = "".join(run.text for run in runs)
    if width_of(text) <= first:
        return [list(runs)]
    return [_cut_out(runs, start, end) for start, end in _iter_lines(text, first, rest)]


def _iter_lines(text: str, first: int, rest: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of every line; the last one is not part of the line."""
    rest = max(rest, _MIN_WIDTH)
    limit = max(first, _MIN_WIDTH)
    start = 0
    while start < len(text):
        end = _find_end(text, start, limit)
        if end == len(text):
            yield start, end
            return
        blank = text.rfind(" ", start, end + 1)
        if blank > start and text[start:blank].strip() and _fits(text, blank + 1, rest):
            yield start, start + len(text[start:blank].rstrip(" "))  # attributes follow two blanks
            start = blank + 1
        else:
            yield start, end
            start = end
        limit = rest


def _find_end(text: str, start: int, limit: int) -> int:
    """Return the index after the last character that fits into ``limit`` cells from ``start`` on."""
    if text.isascii():
        return min(start + limit, len(text))
    cells = 0
    for at in range(start, len(text)):
        cells += width_of(text[at])
        if cells > limit:
            return max(at, start + 1)
    return len(text)


def _fits(text: str, start: int, width: int) -> bool:
    """Return whether the word that begins at ``start`` fits into ``width`` cells."""
    end = text.find(" ", start, start + width + 1)
    return width_of(text[start : end if end >= 0 else start + width + 1]) <= width


def _cut_out(runs: Sequence[Run], start: int, end: int) -> list[Run]:
    found = []
    at = 0
    for text, style in runs:
        low, high = max(start - at, 0), min(end - at, len(text))
        if low < high:
            found.append(Run(text[low:high], style))
        at += len(text)
        if at >= end:
            break
    return found


def margin_of(*, is_context: bool) -> str:
    """Return the margin of a line, which marks a line of a record that matches: no colour tells it from context."""
    return "  " if is_context else "> "
