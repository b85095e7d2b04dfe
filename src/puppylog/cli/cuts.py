"""What an answer leaves out is said on stderr, so that nobody takes a part for the whole."""

from collections.abc import Callable, Sequence
from typing import Final

from puppylog.cli.talk import tell
from puppylog.errors import PuppylogError
from puppylog.settings import Settings

MOST_COUNTED: Final = 1_000_000
"""What is beyond this is not counted: a store may hold billions, and the count is only a hint."""


def tell_cut(settings: Settings, what: str, *, shown: int, limit: int, count: Callable[[int], int]) -> None:
    """Say that an answer has only the newest of what was asked for, if it has.

    Args:
        settings: of the command.
        what: what is shown, in the plural.
        shown: how many are.
        limit: at most how many the answer could have.
        count: returns how many there are, counting to the number it gets. It is asked only if the limit was reached.
    """
    if shown < limit:
        return
    try:
        there = count(MOST_COUNTED + 1)
    except PuppylogError:  # the answer is there; that it could not be counted what it is a part of makes it no failure
        tell(settings, f"the newest {shown:,} {what}, and there may be more; -l for more")
        return
    if there > shown:
        of = f"{there:,}" if there <= MOST_COUNTED else f"more than {MOST_COUNTED:,}"
        tell(settings, f"{shown:,} of {of} {what}, the newest; -l for more")


def tell_narrowed(settings: Settings, cut: Sequence[str], left_out: Sequence[str] = ()) -> None:
    """Say which columns of a table are cut to the terminal, and which are left out, if any."""
    said = [f"{words}: {', '.join(names)}" for words, names in (("cut", cut), ("not shown", left_out)) if names]
    if said:
        tell(settings, f"{'; '.join(said)}; -o jsonl shows all of it")
