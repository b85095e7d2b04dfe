"""The first lines of a file, of which one must begin a record if `auto` is to try a format."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.file.beginnings import Head

_MAX_LINES: Final = 32


@dataclass(frozen=True)
class FirstLines:
    """The first lines that are not blank."""

    texts: tuple[str, ...]
    characters: frozenset[str]  # with which they begin

    @cached_property
    def _column(self) -> pa.Array:
        return pa.array(self.texts, pa.string())

    def match_any(self, heads: Iterable[Head]) -> bool:
        """Return whether one of the lines matches one of the expressions."""
        return any(
            head.may_match(self.texts) and pc.any(pc.match_substring_regex(self._column, head.regex)).as_py()
            for head in heads
        )


@lru_cache(maxsize=2)  # `auto` asks every format about the same lines
def take_first_lines(lines: bytes) -> FirstLines:
    """Return the first of these lines, which are whole."""
    first = [line for line in lines.split(b"\n", 2 * _MAX_LINES)[:-1] if line.strip()][:_MAX_LINES]
    texts = tuple(str(line.removesuffix(b"\r"), "utf-8", "replace") for line in first)
    return FirstLines(texts, frozenset(text[0] for text in texts))
