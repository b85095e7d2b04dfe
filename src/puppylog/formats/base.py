"""The interfaces that every format implements."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from puppylog.formats.listed_formats import AUTO
from puppylog.model.record import Parsed

UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says about the time stamps of a log, because the log itself does not say it."""

    zone: ZoneInfo = UTC
    """The time zone of stamps that name no zone."""
    year: int | None = None
    """The year of the first stamp that has no year; None: the latest year in which that stamp is not after the time
    when the file was last modified."""
    joins_lines: bool = True
    """Whether a line that does not begin a record belongs to the record before, in formats whose records have a clear
    beginning."""


class Parser(Protocol):
    """Reads the lines of one file, in the order of the file."""

    @property
    def name(self) -> str:
        """The name of the format in use; empty until the parser has chosen a format."""

    @property
    def context(self) -> str:
        """What the parser must remember of the lines so far. With it, `Format.open` continues after these lines.

        The store keeps the context with every position, so the context must be small and must seldom change.
        """

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        r"""Return the rows of the lines in ``data``, which follow the lines of the call before.

        Each line becomes a record, or a rejected line with its reason and its bytes, or is joined to the record before,
        or is counted as ``rowless``: a directive or a blank line. The parser must not drop a line, and must not fail
        because of the bytes in a line. The same lines must give the same rows, however they are divided between calls
        at the beginnings of records.

        Args:
            data: whole lines, each ended by ``\n``; may be empty.
            offset: the offset in bytes of ``data`` in its file.
            read_at_us: the time of records whose lines have no time, in microseconds since the epoch.

        Raises:
            ValueError: the last line does not end with a newline.
        """

    def find_last_start(self, lines: bytes) -> int:
        r"""Return the offset in bytes at which the last record of ``lines`` begins, which may still go on.

        Return the size of ``lines`` if the last record is complete, as every record of one line is, and -1 if all lines
        continue the record before. This is called with lines that follow those of the call before, and that may not
        have been parsed yet.

        Args:
            lines: whole lines, each ended by ``\n``.
        """


class Format(Protocol):
    """Reads the lines of a kind of log."""

    @property
    def name(self) -> str:
        """What the user writes to choose this format."""

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        """Return a parser for one file.

        Args:
            context: the context of the parser that read the lines before; empty at the start of a file. A context
                that the format does not understand counts as empty.
            modified_at_us: the time when the file was last modified, in microseconds since the epoch; None for now.
                Stamps without a year are placed by this time.
        """

    def find_mismatch(self, line: str) -> int:
        """Return the offset of the first character of a rejected line that does not match; 0 if it is unknown."""


KEPT: Final = "="
"""What precedes the name of the format in a context if the user has chosen the format for the whole stream: the format
``auto`` then keeps it, in this file and in the next ones."""


def keep_format(context: str) -> str:
    """Return a context that begins with the name of a format, marked so that the stream keeps the format."""
    return KEPT + context.removeprefix(KEPT)


def find_kept(contexts: Iterable[str]) -> str:
    """Return the context of a new file of a stream: that of the format that the stream keeps, or an empty one.

    Args:
        contexts: of the positions of the stream's files, the oldest first. The last one that is not empty counts.
    """
    last = next((context for context in reversed([*contexts]) if context), "")
    return last.partition("\n")[0] + "\n" if last.startswith(KEPT) else ""


def name_context(name: str, context: str) -> str:
    r"""Return the context of a parser with the name of its format before it, as the format ``auto`` stores it.

    >>> name_context("w3c", "#Fields: date"), name_context("json", "json\n")
    ('w3c\n#Fields: date', 'json\n')
    """
    return context if context.partition("\n")[0] == name else f"{name}\n{context}"


def own_context(format: Format, context: str) -> str:  # noqa: A002 - the word
    """Return the part of a stored context that a parser of this format has made: without the name of the format."""
    name, newline, own = context.partition("\n")
    if name.startswith(KEPT) and format.name != AUTO:
        return own if name == KEPT + format.name else ""
    return own if newline and name == format.name else context
