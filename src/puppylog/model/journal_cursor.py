"""The cursor of an entry of systemd's journal: where the entry is, and the order of two entries."""

import re
from dataclasses import dataclass
from typing import Final, Self

_PARTS: Final = re.compile(
    "s=(?P<s>[0-9a-f]{32});i=(?P<i>[0-9a-f]{1,16});b=(?P<b>[0-9a-f]{32});m=(?P<m>[0-9a-f]{1,16});"
    "t=(?P<t>[0-9a-f]{1,16});x=(?P<x>[0-9a-f]{1,16})"
)


@dataclass(frozen=True, slots=True)
class JournalCursor:
    """A cursor, as journalctl prints it.

    Example:
        >>> first = JournalCursor.parse(f"s={'a' * 32};i=9;b={'b' * 32};m=3e8;t=6445941624000;x=a14c50ef956ed8f0")
        >>> second = JournalCursor.parse(f"s={'a' * 32};i=a;b={'b' * 32};m=3e9;t=6445941624001;x=130b78ad23875716")
        >>> first.seqnum, second.is_after(first), first.is_after(first)
        (9, True, False)
    """

    text: str
    seqnum_id: str
    """Of the numbers: files that one journald writes one after another have the same."""
    seqnum: int
    boot_id: str
    monotonic_us: int
    """Microseconds since that boot."""
    realtime_us: int
    """Microseconds since the epoch."""
    content_hash: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the cursor in ``text``.

        Raises:
            ValueError: the text is not a cursor.
        """
        found = _PARTS.fullmatch(text)
        if found is None:
            raise ValueError(f"not a cursor of the journal: {text[:200]!r}")
        numbers = {name: int(found[name], 16) for name in "imtx"}
        return cls(text, found["s"], numbers["i"], found["b"], numbers["m"], numbers["t"], numbers["x"])

    def is_after(self, other: "JournalCursor") -> bool:
        """Return whether the entry comes after the other one in the order in which systemd reads several files.

        That order is by number if both have numbers of one kind; else by the time since the boot if both are of one
        boot; else by the time of day. Entries of one time are ordered by their hashes.
        """
        if self.seqnum_id == other.seqnum_id:
            return self.seqnum > other.seqnum
        if self.boot_id == other.boot_id and self.monotonic_us != other.monotonic_us:
            return self.monotonic_us > other.monotonic_us
        return (self.realtime_us, self.content_hash) > (other.realtime_us, other.content_hash)
