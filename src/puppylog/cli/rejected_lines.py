"""What ``puppylog rejects list`` writes. On a terminal: where a line is, its reason, and below them the line itself."""

import sys
from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from puppylog.cli.output import open_writer, terminal_width
from puppylog.cli.surroundings import wants_color
from puppylog.cli.tables import Layout
from puppylog.cli.truncation import tell_hidden_columns
from puppylog.model.source import name_source, split_uri
from puppylog.rows.base import Writer
from puppylog.settings import Settings
from puppylog.tui.clean import clean, cut
from puppylog.tui.fields import DIM
from puppylog.tui.runs import Run, paint, wrap
from puppylog.tui.times import format_times

LISTED: Final = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("line_offset", pa.int64()),
        ("rejected_at", pa.timestamp("us", tz="UTC")),
        ("reason", pa.string()),
        ("line", pa.string()),
    ]
)
_LAYOUT: Final = Layout(shown={"source": name_source, "line_offset": str})
_BOLD: Final = "1"
_INDENT: Final = "  "
_BEFORE_LINE: Final = "  │ "
# A line may not be text at all, or be a megabyte long. The first lines of the terminal show what it is.
_MAX_LINES: Final = 6


def open_list_writer(settings: Settings) -> Writer:
    """Return a writer of batches of the schema LISTED."""
    width = terminal_width()
    if settings.output != "table" or width is None:
        return open_writer(settings, LISTED, _LAYOUT)
    return _ScreenWriter(settings, width)


class _ScreenWriter:
    """Writes rejected lines to a terminal of a given width in cells."""

    def __init__(self, settings: Settings, width: int) -> None:
        self._settings, self._width, self._color = settings, width, wants_color(settings)
        self._has_cut = False

    def write(self, batch: pa.RecordBatch) -> None:
        times = format_times(batch["rejected_at"].to_pylist(), self._settings.zone, self._settings.clock())
        available = self._width - len(_INDENT)
        for time, row in zip(times, batch.to_pylist(), strict=True):
            location = clean(_write_location(row["source"], row["file"]))
            head = [Run(f"{time} {location} at byte {row['line_offset']}: "), Run(clean(row["reason"]), _BOLD)]
            first, *others = wrap(head, self._width, available)
            shown = [first, *([Run(_INDENT), *runs] for runs in others), *self._draw_line(row["line"])]
            sys.stdout.writelines(f"{paint(runs, color=self._color)}\n" for runs in shown)
        sys.stdout.flush()

    def _draw_line(self, line: str) -> Iterator[list[Run]]:
        """Yield the first lines of the terminal that a rejected line takes."""
        available = self._width - len(_BEFORE_LINE)
        text = clean(line.replace("\t", "    ").rstrip("\r"))
        drawn = wrap([Run(text[: available * (_MAX_LINES + 1)])], available, available)
        if len(drawn) > _MAX_LINES:
            self._has_cut = True
            drawn[_MAX_LINES - 1 :] = [[Run(cut(f"{drawn[_MAX_LINES - 1][0].text} …", available))]]
        yield from ([Run(_BEFORE_LINE, DIM), *runs] for runs in drawn)

    def close(self) -> None:
        tell_hidden_columns(self._settings, ["line"] if self._has_cut else [], width=self._width)


def _write_location(source_uri: str, file: str) -> str:
    """Return the name of a source, with the path of the file if that is another one, because it was rotated."""
    name = name_source(source_uri)
    return name if file in {split_uri(source_uri)[1], source_uri} else f"{name} ({file})"
