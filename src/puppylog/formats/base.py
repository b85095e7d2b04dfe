"""What a format must do."""

from dataclasses import dataclass
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from puppylog.model.record import Parsed

UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Options:
    """What a person says about a log's stamps, because the log does not."""

    zone: ZoneInfo = UTC
    """Of stamps that name no zone."""
    year: int | None = None
    """Of the first stamps without a year; None for the latest that does not put them after the file's last change."""


class Parser(Protocol):
    """Reads the lines of one file, in their order."""

    @property
    def name(self) -> str:
        """The format in use, as a person would ask for it; empty while there is none yet."""

    @property
    def context(self) -> str:
        """What the lines so far have taught: all that `Format.open` needs to go on from here.

        It is kept with the position, so it must be small, and mostly stay what it is.
        """

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        r"""Make rows of the lines in ``data``, which follow those of the call before.

        Each line becomes a record, or a reject with its reason and its bytes, or it is counted as ``rowless``: a
        directive, a continuation line or an empty line. Must never drop a line, nor fail because of the bytes in a
        line. The same lines must give the same rows, however they are split over calls.

        Args:
            data: whole lines, each ended by ``\n``; it may be empty.
            offset: where ``data`` starts in its file.
            read_at_us: the time of lines that have none, in microseconds since the epoch.

        Raises:
            ValueError: the last line has no end.
        """


class Format(Protocol):
    """A way to read lines."""

    @property
    def name(self) -> str:
        """What a person writes to ask for it."""

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        """Return a parser for one file.

        Args:
            context: that of the parser that read the lines before; empty at a file's start. One that is not
                understood counts as empty.
            modified_at_us: when the file was last changed, in microseconds since the epoch: about then its lines were
                written. None for now.
        """

    def find_mismatch(self, line: str) -> int:
        """Return where a line that is rejected stops to fit, as far as it can be told; in characters."""
