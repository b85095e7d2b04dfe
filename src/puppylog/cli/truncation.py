"""Notes on stderr about rows and columns that an answer leaves out."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from puppylog.cli.messages import PREFIX, tell, warn
from puppylog.errors import PuppylogError
from puppylog.settings import Settings
from puppylog.tui.times import format_instant

if TYPE_CHECKING:  # loads Arrow
    from puppylog.monitor.search import Count

MAX_COUNTED: Final = 1_000_000
"""Rows beyond this number are not counted: a store may hold billions, and the count is only a hint."""


def tell_truncated(settings: Settings, what: str, *, shown: int, limit: int, count: Callable[[int], int]) -> None:
    """If an answer was cut by the limit, say how many rows there are.

    Args:
        settings: the settings of the command.
        what: the name of the rows, in the plural.
        shown: the number of rows shown.
        limit: the greatest number of rows that the answer could have.
        count: returns the number of rows, counting no further than its argument. Called only if the limit was reached.
    """
    if shown < limit:
        return
    try:
        total = count(MAX_COUNTED + 1)
    except PuppylogError:  # the rows have been shown, so a failure to count the others is no failure of the command
        tell(settings, f"the newest {shown:,} {what}, and there may be more; -l shows more")
        return
    if total > shown:
        of = f"{total:,}" if total <= MAX_COUNTED else f"more than {MAX_COUNTED:,}"
        tell(settings, f"the newest {shown:,} of {of} {what}; -l shows more")


def tell_more(settings: Settings, what: str, shown: int, count: "Callable[[int], Count]") -> None:
    """Say how many rows an answer has left out, as `tell_truncated` does; the count may be of a part of the store."""
    try:
        found = count(MAX_COUNTED + 1)
        total, is_complete = max(found.records, shown), found.is_complete
    except PuppylogError:  # the rows have been shown, so a failure to count the others is no failure of the command
        total, is_complete = shown, False
    if total > MAX_COUNTED:
        tell(settings, f"the newest {shown:,} of more than {MAX_COUNTED:,} {what}; -l shows more")
    elif not is_complete:
        tell(settings, f"the newest {shown:,} of {total:,} or more {what}; -l shows more")
    elif total > shown:
        tell(settings, f"the newest {shown:,} of {total:,} {what}; -l shows more")


def tell_later(settings: Settings, later: int, end: datetime) -> None:
    """Say how many records a chart leaves out after its end, also with ``--quiet``: a part is not the whole."""
    is_or_are = "is" if later == 1 else "are"
    at = format_instant(end, settings.zone)
    warn(f"{later:,} record{'s' * (later > 1)} later than {at} {is_or_are} not shown; --to shows more")


def tell_left_out(settings: Settings, names: Sequence[str]) -> None:
    """Name the fields of records that a terminal does not show, if any."""
    if names:
        tell(settings, f"not shown: {', '.join(names)}; --vertical shows all")


def tell_hidden_columns(
    settings: Settings, cut: Sequence[str], left_out: Sequence[str] = (), width: int | None = None
) -> None:
    """Name the columns in which cells were cut to fit the terminal, and those that are left out, if any.

    Args:
        settings: the settings of the command.
        cut: names of the columns in which a cell was cut.
        left_out: names of the columns that are not shown.
        width: of the terminal, in cells: only the names that fit are listed, and the others counted.
    """
    parts = [(words, names) for words, names in (("cut", cut), ("not shown", left_out)) if names]
    if not parts:
        return
    listed = [len(names) for _, names in parts]
    while width is not None and len(_describe(parts, listed)) > width - len(PREFIX) and max(listed) > 1:
        listed[listed.index(max(listed))] -= 1
    tell(settings, _describe(parts, listed))


def _describe(parts: Sequence[tuple[str, Sequence[str]]], listed: Sequence[int]) -> str:
    """Return each part's words and its first names, as many as ``listed`` says, and how many more there are."""
    said = []
    for (words, names), number in zip(parts, listed, strict=True):
        others = f" and {len(names) - number} more" if number < len(names) else ""
        said.append(f"{words}: {', '.join(names[:number])}{others}")
    return f"{'; '.join(said)}; -o jsonl shows all"
