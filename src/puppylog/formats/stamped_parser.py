"""The parser of formats whose stamps can be read only with what earlier stamps have shown, such as the year."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from puppylog.formats.base import Options
from puppylog.formats.last_start import find_last_start
from puppylog.formats.line_format import parse_lines
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows
from puppylog.model.record import Parsed


class Stamps(Protocol):
    """What the stamps so far have shown."""

    @property
    def context(self) -> str:
        """The stamps so far as a parser's context."""


S = TypeVar("S", bound=Stamps)
S_contra = TypeVar("S_contra", bound=Stamps, contravariant=True)


class ReadText(Protocol[S_contra]):
    """Returns the rows of a text, whose stamps update ``stamps``."""

    def __call__(self, text: bytes | memoryview, stamps: S_contra, /, *, joins: bool) -> Rows:
        """Return the rows."""


@dataclass(frozen=True, slots=True)
class StampedParser(Generic[S]):
    """Implements `puppylog.formats.base.Parser`. Its context is that of the stamps and of `RecordTimes`."""

    name: str
    reader: ReadText[S]
    options: Options
    stamps: S
    times: RecordTimes

    @property
    def context(self) -> str:
        return self.times.extend(self.stamps.context)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        def read(text: bytes | memoryview) -> Rows:
            return self.reader(text, self.stamps, joins=self.options.joins_lines)

        return parse_lines(read, data, offset, read_at_us, self.options.zone, times=self.times)

    def find_last_start(self, lines: bytes) -> int:
        if not self.options.joins_lines:
            return len(lines)
        stamps = deepcopy(self.stamps)
        return find_last_start(lambda text: self.reader(text, stamps, joins=True), lines)
