"""A layout: a compiled log format of a server."""

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from puppylog.errors import UsageError
from puppylog.formats.layout.apache import DIRECTIVE, compile_apache
from puppylog.formats.layout.configuration import (
    Server,
    WrittenLayout,
    read_apache,
    read_nginx,
    split_apache,
    split_nginx,
)
from puppylog.formats.layout.nginx import VARIABLE, compile_nginx
from puppylog.formats.layout.program import Program
from puppylog.formats.layout.reader import find_mismatch, read_lines
from puppylog.formats.line_format import LineFormat
from puppylog.formats.rows import Rows

_ESCAPES: Final = frozenset({"default", "json", "none"})
_JSON: Final = re.compile(r"""\s*\{\s*\\?["'].*\}\s*""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Layout:
    """A log format with its program."""

    written: WrittenLayout
    program: Program

    def read(self, text: bytes | memoryview) -> Rows:
        """Return the rows of a text; see `puppylog.formats.line_format.Reader`."""
        return read_lines(self.program, text)

    def find_mismatch(self, line: str) -> int:
        """Return the offset of the first character of a rejected line that does not match."""
        return find_mismatch(self.program, line)

    def make_format(self, name: str, zone: ZoneInfo) -> LineFormat:
        """Return the format that reads lines with this layout.

        Args:
            name: the name of the format.
            zone: the time zone of stamps that name no zone.
        """
        return LineFormat(name, self.read, zone, self.find_mismatch)


def is_layout(written: str) -> bool:
    """Return whether the text may be a server's log format: it has a variable of nginx or a directive of Apache."""
    return bool(VARIABLE.search(written) or DIRECTIVE.search(written))


def writes_json(layout: WrittenLayout) -> bool:
    """Return whether lines in this layout are JSON objects, which the format ``json`` reads better."""
    return bool(_JSON.fullmatch(layout.written))


def parse_written(text: str) -> WrittenLayout:
    """Return the log format that the user wrote: the string alone, or a whole directive of a configuration.

    Raises:
        UsageError: the text is neither.
    """
    directive = _add_directive_name(text.strip())
    name = directive.split(None, 1)[0].lower() if directive else ""
    if name == "log_format":
        words = split_nginx(directive)
        if len(words) > 2:
            return read_nginx(words)
    elif name in {"logformat", "customlog"}:
        words = split_apache(directive)
        if name == "customlog":
            words = [words[0], *words[2:3]]
        if len(words) > 1:
            return read_apache(words)
    elif is_layout(text):
        return WrittenLayout("", text, Server.NGINX if VARIABLE.search(text) else Server.APACHE)
    raise UsageError("read", f"log format {text!r}", "it has no variable of nginx and no directive of Apache")


def _add_directive_name(text: str) -> str:
    """Return the text as a whole directive, if it is a string in the quotes and escapes of a configuration."""
    if text.startswith("'"):
        return f"log_format {Server.NGINX.value} {text}"
    if text.startswith('"') and '\\"' in text:
        return f"LogFormat {text}"
    return text


def compile_layout(written: str | WrittenLayout) -> Layout:
    """Compile a log format: the string alone, a whole directive, or a log format of a configuration.

    Raises:
        UsageError: it cannot be compiled. If the error is at an index of the string, it is a FormatError.
    """
    layout = parse_written(written) if isinstance(written, str) else written
    if layout.server is Server.APACHE:
        return Layout(layout, compile_apache(layout.written))
    if layout.escape not in _ESCAPES:
        raise UsageError("read", "log format", f"escape must be default, json or none, not {layout.escape}")
    return Layout(layout, compile_nginx(layout.written, layout.escape))
