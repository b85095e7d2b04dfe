"""Joins the lines that a container wrote as one message. ``native/container.h`` does the same in C.

A runtime keeps each line that a container writes, with a time and the name of the stream, and divides a long line into
parts. A line belongs to the record before if the line directly before it is of the same stream, within a second, and

- is a part that is not the last one: the text goes on without a newline; or
- is not JSON, and this line is indented, closes a bracket, or is of a stack trace.

Whether a line continues a record depends on nothing but these two lines.
"""

from dataclasses import dataclass
from typing import Final

from puppylog.formats.continuation import is_continuation, is_exception
from puppylog.formats.rows import NO_TIME, RowsBuilder

_STREAMS: Final = frozenset({"stdout", "stderr"})
_SECOND_US: Final = 1_000_000
_TRACEBACK: Final = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class ContainerLine:
    """A line of a container."""

    stream: str
    ts_us: int  # microseconds since the epoch, or NO_TIME
    text: str  # what the container wrote
    is_part: bool  # the next line of the stream continues the text

    @property
    def is_json(self) -> bool:
        """Whether the text is a JSON object by its first and last character. Nothing continues one."""
        return self.text[:1] == "{" and self.text[-1:] == "}"

    def continues(self, before: "ContainerLine") -> bool:
        """Return whether the line belongs to the record of the line directly before it."""
        if self.stream != before.stream or self.stream not in _STREAMS or NO_TIME in {self.ts_us, before.ts_us}:
            return False
        if abs(self.ts_us - before.ts_us) > _SECOND_US:
            return False
        if before.is_part:
            return True
        return not before.is_json and (
            is_continuation(self.text)
            or is_exception(self.text, is_in_trace=is_continuation(before.text))
            or self.text.startswith(_TRACEBACK)
        )


class ContainerJoiner:
    """Joins lines while a reader in Python reads them."""

    def __init__(self, *, joins: bool) -> None:
        self._joins = joins
        self._before: ContainerLine | None = None
        self._end = -1  # the offset of the line after it

    def join(self, builder: RowsBuilder, at: int, line: ContainerLine) -> bool:
        """Append the text of a line, which starts at the offset ``at``, to the record before if it continues that.

        Return whether it did. In any case the line becomes the line before.
        """
        builder.parts += line.is_part
        before, end = self._before, self._end
        self._before, self._end = line, builder.text.index(b"\n", at) + 1
        if not self._joins or before is None or end != at or not line.continues(before):
            return False
        return builder.append(at, line.text, is_line=not before.is_part)
