"""What a push request says, before its lines are read: streams of entries, in columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from puppylog.formats.clock import FIRST_YEAR, LAST_YEAR, to_epoch_us
from puppylog.formats.quoting import quote
from puppylog.receive.received import NotDecoded

Members: TypeAlias = Mapping[str, str]
"""Members of a JSON object: values in JSON by key."""

EARLIEST_US: Final = to_epoch_us((FIRST_YEAR, 1, 1), (0, 0, 0), 0)
LATEST_US: Final = to_epoch_us((LAST_YEAR, 12, 31), (23, 59, 59), 0)
"""The first and last time that an entry may have, in microseconds since the epoch."""

MAX_ENTRIES: Final = 1_000_000
MAX_STREAMS: Final = 100_000
"""The most entries and streams of a request. Senders send some thousands; a body of 64 MiB may contain 30 million,
and each takes memory before it is read.
"""

_MAX_SHORT_KEY_LENGTH: Final = 100  # in characters; longer keys take no memory in the cache


@dataclass(slots=True)
class PushedStream:
    """The entries of one set of labels. The lists have one item for each entry, in the order of the request."""

    labels: Members
    times_us: list[int | None] = field(default_factory=list)  # since the epoch; None: not readable
    lines: list[bytes] = field(default_factory=list)  # as sent; a line may have newlines
    metadata: dict[int, Members] = field(default_factory=dict)  # structured metadata by the number of its entry
    rejected: list[bytes] = field(default_factory=list)  # the JSON of values that are not entries

    @property
    def size(self) -> int:
        """The number of values: entries, and values that are none."""
        return len(self.lines) + len(self.rejected)

    def add(self, time_us: int | None, line: bytes, metadata: Members) -> None:
        """Add an entry; ``time_us`` is None, or outside the range that a store keeps, if the time is not readable."""
        if metadata:
            self.metadata[len(self.lines)] = metadata
        self.times_us.append(time_us if time_us is not None and EARLIEST_US <= time_us <= LATEST_US else None)
        self.lines.append(line)


class TooLarge(NotDecoded):
    """The request is larger than allowed: its content after decompression, or the number of its parts."""


def check_sizes(streams: int, entries: int) -> None:
    """Check the numbers of streams and entries of a request.

    Raises:
        TooLarge: a number is larger than allowed.
    """
    if streams > MAX_STREAMS:
        raise TooLarge("", f"the request has more than {MAX_STREAMS:,} streams")
    if entries > MAX_ENTRIES:
        raise TooLarge("", f"the request has more than {MAX_ENTRIES:,} entries")


def quote_text(text: str) -> str:
    r"""Return a text as JSON that every store accepts: NUL and halves of surrogate pairs become U+FFFD.

    >>> print(quote_text('a "b"'), quote_text("\0") == quote_text("\ud800") == '"\ufffd"')
    "a \"b\"" True
    """
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'  # most texts: five times as fast
    return quote(clean_text(text))


def write_key(key: str) -> str:
    """Return a key of an object in JSON, with the colon and the blank after it."""
    return _write_short_key(key) if len(key) <= _MAX_SHORT_KEY_LENGTH else f"{quote(clean_text(key))}: "


@lru_cache(maxsize=1024)
def _write_short_key(key: str) -> str:
    return f"{quote(clean_text(key))}: "


def clean_text(text: str) -> str:
    """Return a text without NUL and halves of surrogate pairs; U+FFFD is in their places."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text
