"""A record with one field per line, for records that have too many fields, or too long ones, for a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from puppylog.model.query.matches import Matches
from puppylog.tui.clean import clean, width_of
from puppylog.tui.fields import DIM, text_runs
from puppylog.tui.runs import Run, margin_of, paint, wrap

_NAME_SHARE: Final = 40  # per cent of the width: the most of the column of names
_GAP: Final = 2


@dataclass(slots=True)
class VerticalLayout:
    """Draws records one after another, with an empty line between two of them.

    Attributes:
        width: of the terminal, in cells; None if the output is not a terminal: then each field is one line.
        color: whether lines have escape sequences.
        matches: what finds the parts of texts to highlight.
        has_marks: whether lines have a margin, in which the lines of a record that is not context are marked.
    """

    width: int | None
    color: bool = False
    matches: Matches = field(default_factory=Matches)
    has_marks: bool = False
    _is_first: bool = True

    def draw(self, fields: Sequence[tuple[str, str]], *, is_context: bool = False) -> Iterator[str]:
        """Yield the lines of a record, of which ``fields`` are the names and the values."""
        if not self._is_first:
            yield ""
        self._is_first = False
        margin = margin_of(is_context=is_context) if self.has_marks else ""
        available = None if self.width is None else self.width - len(margin)
        widths = [width_of(clean(name)) for name, _ in fields]
        most = None if available is None else available * _NAME_SHARE // 100
        column = max((width for width in widths if most is None or width <= most), default=0) + _GAP
        for width, (name, text) in zip(widths, fields, strict=True):
            label = Run(clean(name) + " " * (column - width), DIM)
            if width > column - _GAP:  # a longer name has a line of its own
                yield margin + paint([label], color=self.color)
                label = Run(" " * column)
            for line in self._draw_value(name, text, None if available is None else available - column):
                runs = [label, *line]
                yield margin + paint([Run(text, DIM) for text, _ in runs] if is_context else runs, color=self.color)
                label = Run(" " * column)

    def _draw_value(self, name: str, text: str, width: int | None) -> Iterator[list[Run]]:
        if width is None:
            yield text_runs(text, self.matches, name)
            return
        for line in text.replace("\t", "    ").split("\n"):
            yield from wrap(text_runs(line.rstrip("\r"), self.matches, name), width, width)
