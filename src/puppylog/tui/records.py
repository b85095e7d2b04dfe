"""Records as lines of text: time, severity, source, message or request, attributes.

On a terminal, a record takes as many lines as its message needs: nothing of a message is cut. The date has a line of
its own when it changes. Only the time is in the column of the time, so that the eye finds where a record begins.
Without a terminal, a record is one line of any length, with its whole time, so that other programs can search it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from puppylog.model.query.matches import Matches
from puppylog.model.severity import find_step
from puppylog.tui.clean import clean, cut, width_of
from puppylog.tui.fields import DIM, Row, join_fields, short_fields, text_runs, whole_fields
from puppylog.tui.runs import Run, margin_of, paint, wrap
from puppylog.tui.times import localize

_BOLD: Final = "1"
_RED: Final = "31"
_GREEN: Final = "32"
_YELLOW: Final = "33"
_CYAN: Final = "36"
# A narrower terminal has severities of one letter, times without fractions, and a hanging indent of _NARROW_INDENT.
_NARROW: Final = 60
_NARROW_INDENT: Final = 2

_SEVERITIES: Final = ("trace", "debug", "info", "notice", "warn", "error", "crit", "alert", "emerg")
_LETTERS: Final = "TDINWECA!"
_SEVERITY_STYLES: Final = (DIM, DIM, _CYAN, _CYAN, _YELLOW, _RED, "1;31", "1;31", "1;31")
_MAX_SEVERITY: Final = 6  # cells of a severity that is not on the scale
_STATUS_STYLES: Final = {1: "", 2: _GREEN, 3: _CYAN, 4: _YELLOW, 5: _RED}
# Colours of sources: those that are not the colour of a severity.
_SOURCE_STYLES: Final = ("34", "35", "94", "95", "32", "92")
# A source takes at most this part of a line, and at least _MIN_SOURCE cells.
_SOURCE_SHARE: Final = 6
_MIN_SOURCE: Final = 6

# A date and time at the start of a message, and the severity after it, as the format ``plain`` reads them.
_STAMP: Final = re.compile(
    r"[\[(]?[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[Tt ][0-9]{2}:([0-9]{2}:[0-9]{2})(?:[.,][0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?| [+-][0-9]{4})?(?: (?:UTC|GMT))?[])]?(?=[ \t|\[(-])[ \t|-]*"
)
_WORD: Final = re.compile(r"[\[(]?([A-Za-z]{3,8})(?:[])]:?|:|(?=[ \t|-]))[ \t|-]*")


@dataclass(slots=True)
class RecordLayout:
    """Draws records one after another. It remembers the date and the widths of the columns before the message.

    Attributes:
        width: of the terminal, in cells; None if the output is not a terminal.
        zone: of the times; None is this machine's own.
        color: whether lines have escape sequences.
        name_stream: returns the short name of a stream; called only if records of several streams are shown.
        matches: what finds the parts of texts to highlight.
        has_marks: whether lines have a margin, in which the lines of a record that is not context are marked.
        left_out: the columns that were not shown of some record, and ``attributes`` if some were cut.
    """

    width: int | None
    zone: tzinfo | None
    color: bool = False
    name_stream: Callable[[int], str] = str
    matches: Matches = field(default_factory=Matches)
    has_marks: bool = False
    left_out: dict[str, None] = field(default_factory=dict)
    _date: str = ""
    _severity_width: int = 0
    _source_width: int = 0
    _has_fractions: bool = False
    _streams: set[int] = field(default_factory=set)

    def prepare(self, rows: Sequence[Row]) -> None:
        """Widen the columns before the message, so that they are right for these rows, too."""
        self._streams.update(row["stream_id"] for row in rows)
        widths = [width_of(self._severity(row).text) for row in rows]
        self._severity_width = max(self._severity_width, *widths, 0)
        if len(self._streams) > 1:
            self._source_width = max(width_of(self._source(stream_id).text) for stream_id in self._streams)
        if not self._is_narrow:
            self._has_fractions = self._has_fractions or any(row["ts"].microsecond for row in rows)

    def draw(self, row: Row, *, is_context: bool = False) -> Iterator[str]:
        """Yield the lines of a record. A record that is context is dim, or not marked."""
        instant = localize(row["ts"], self.zone)
        margin = margin_of(is_context=is_context) if self.has_marks else ""
        if self.width is None:
            yield margin + paint(self._draw_whole(row, instant), color=self.color)
            return
        if date_line := self._change_date(instant):
            yield " " * len(margin) + paint([Run(date_line, _BOLD)], color=self.color)
        for line in self._draw_lines(row, instant, self.width - len(margin)):
            yield margin + paint([Run(text, DIM) for text, _ in line] if is_context else line, color=self.color)

    def draw_rejected(self, line: str) -> Iterator[str]:
        """Yield the lines of a line of a log that is not a record, and so has no time: dim, and indented."""
        margin = margin_of(is_context=True) if self.has_marks else ""
        if self.width is None:
            yield f"{margin}rejected {clean(line)}"
            return
        available = self.width - len(margin) - len(self._indent)
        text = clean(line.replace("\t", "    ").rstrip("\r"))
        for drawn in wrap([Run(text, DIM)], available, available):
            yield margin + self._indent + paint(drawn, color=self.color)

    @property
    def _is_narrow(self) -> bool:
        return self.width is not None and self.width < _NARROW

    @property
    def _indent(self) -> str:
        """The blanks before a line that does not begin with a time."""
        if self._is_narrow:
            return " " * _NARROW_INDENT
        return " " * len("12:00:00.000 " if self._has_fractions else "12:00:00 ")

    def _change_date(self, instant: datetime) -> str:
        """Return the line that says the date; empty if the record before was of the same date."""
        date = f"{instant:%A %Y-%m-%d %Z}".rstrip()
        if date == self._date:
            return ""
        self._date = date
        return date

    def _draw_whole(self, row: Row, instant: datetime) -> list[Run]:
        """Return a record as one line."""
        head = [Run(instant.isoformat(timespec="microseconds" if self._has_fractions else "seconds"))]
        if self._severity_width:
            text, style = self._severity(row)
            head.append(_pad(Run(text or "-", style), self._severity_width))
        if self._source_width:
            head.append(_pad(self._source(row["stream_id"]), self._source_width))
        body = [*self._request(row), *text_runs(row["message"] or "", self.matches, "message")]
        body = join_fields(body, whole_fields(row, self.matches))
        return [*_spaced(head), *body] if body else _spaced(head)[:-1]

    def _draw_lines(self, row: Row, instant: datetime, width: int) -> Iterator[list[Run]]:
        """Yield the lines of a record on a terminal; the lines of its message below the first one are indented."""
        time = f"{instant:%H:%M:%S}" + (f".{instant.microsecond // 1000:03}" if self._has_fractions else "")
        head = [Run(time)]
        if self._severity_width:
            head.append(_pad(self._severity(row), self._severity_width))
        if self._source_width:
            head.append(_pad(self._source(row["stream_id"]), self._source_width))
        head = _spaced(head)
        first, *others = (row["message"] or "").replace("\t", "    ").split("\n")
        body = [*self._request(row), *self._first_line(first.rstrip("\r"), row, instant)]
        fields = short_fields(row, self.matches, width, self.left_out)
        indent = Run(self._indent)
        available = width - len(indent.text)
        top, *below = wrap(join_fields(body, fields), width - sum(width_of(run.text) for run in head), available)
        yield [*head, *top]
        for text in others:
            below += wrap(text_runs(text.rstrip("\r"), self.matches, "message"), available, available)
        for line in below:
            yield [indent, *line]

    def _severity(self, row: Row) -> Run:
        word = row["severity"]
        if word is None:
            return Run("")
        step = find_step(word)
        if step is None:
            return Run(clean(word[:1].lower()) if self._is_narrow else cut(clean(word.lower()), _MAX_SEVERITY))
        return Run(_LETTERS[step] if self._is_narrow else _SEVERITIES[step], _SEVERITY_STYLES[step])

    def _source(self, stream_id: int) -> Run:
        name = clean(self.name_stream(stream_id))
        if self.width is not None:
            name = cut(name, max(self.width // _SOURCE_SHARE, _MIN_SOURCE))
        return Run(name, _SOURCE_STYLES[stream_id % len(_SOURCE_STYLES)])

    def _request(self, row: Row) -> list[Run]:
        """Return status, method and route of a request, with a blank after them if a message follows."""
        parts: list[list[Run]] = []
        if (status := row["status_code"]) is not None:
            parts.append(text_runs(str(status), self.matches, "status_code", _STATUS_STYLES.get(status // 100, "")))
        names = [name for name in ("request_method", "request_route") if row[name] is not None]
        parts += [text_runs(row[name], self.matches, name) for name in names]
        runs = join_fields([], parts)
        return [*runs, Run(" ")] if runs and row["message"] else runs

    def _first_line(self, text: str, row: Row, instant: datetime) -> list[Run]:
        """Return the first line of a message, without a time and a severity at its start that were shown before it."""
        runs = text_runs(text, self.matches, "message")
        start = find_message_start(text, row["severity"], instant)
        if runs and start < min(len(runs[0].text), len(text)):  # no match is in what is left out
            return [Run(runs[0].text[start:], runs[0].style), *runs[1:]]
        return runs


def find_message_start(text: str, severity: str | None, instant: datetime) -> int:
    """Return the index after a time and a severity at the start of a message that are those of the record.

    The time is the record's if minutes and seconds are: the message may have another zone, or a comma for the point.

    >>> find_message_start("2026-03-01 12:00:01,5 [WARN] no space", "warn", datetime(2026, 3, 1, 13, 0, 1))
    29
    """
    stamp = _STAMP.match(text)
    if stamp is None or stamp[1] != f"{instant:%M:%S}":
        return 0
    word = _WORD.match(text, stamp.end())
    if word is None or severity is None or find_step(word[1]) is None or find_step(word[1]) != find_step(severity):
        return stamp.end()
    return word.end()


def _pad(run: Run, width: int) -> Run:
    return Run(run.text + " " * (width - width_of(run.text)), run.style)


def _spaced(runs: Sequence[Run]) -> list[Run]:
    """Return the runs, each with a blank after it."""
    return [part for run in runs for part in (run, Run(" "))]
