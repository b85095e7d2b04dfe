"""The format of access logs. It uses the reader in C, or the reader in ``line`` if the C module was not built."""

from dataclasses import dataclass
from typing import Final

from puppylog.formats import native
from puppylog.formats.access.line import Variant, read_lines
from puppylog.formats.access.mismatch import find_mismatch
from puppylog.formats.access.reason import Reason
from puppylog.formats.base import UTC
from puppylog.formats.line_format import Colours, begins_record, parse_lines
from puppylog.formats.rows import Rows, rows_from_buffers
from puppylog.model.record import Parsed

_REASONS: Final = tuple(reason.text for reason in Reason)
_NUMBERS: Final = {variant: number for number, variant in enumerate(Variant)}


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Implements `puppylog.formats.base.Format`.

    The format is also its own parser, because reading a line needs nothing from the lines before.
    """

    variant: Variant
    known_as: str = ""  # the name of the format; empty for the name of the variant
    context: str = ""

    @property
    def name(self) -> str:
        return self.known_as or self.variant.value

    def open(self, context: str = "", modified_at_us: int | None = None) -> "AccessLog":  # noqa: ARG002 - the protocol's
        return self

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        # Servers write control characters of a request in other characters, so their lines have no colours.
        return parse_lines(self._read, data, offset, read_at_us, UTC, colours=Colours.KEPT)

    def find_last_start(self, lines: bytes) -> int:
        return len(lines)

    def may_fit(self, sample: bytes) -> bool:
        return begins_record(self._read, sample)

    def find_mismatch(self, line: str) -> int:
        return find_mismatch(line, self.variant)

    def _read(self, text: bytes | memoryview) -> Rows:
        if native.lines is None:
            return read_lines(text, self.variant)
        return rows_from_buffers(native.lines.access(text, _NUMBERS[self.variant]), _REASONS)
