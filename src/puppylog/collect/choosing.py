"""How lines are parsed: the format and the multi-line rule that an option, or a key of a file, asks for."""

from pathlib import Path

from puppylog.errors import UsageError
from puppylog.formats.base import Format, Options
from puppylog.formats.listed import AUTO
from puppylog.formats.registry import find_format, list_configured_formats, make_auto
from puppylog.tail.boundary import Boundary, IndentationBoundary, PatternBoundary


def choose_format(written: str, configuration: Path | None, options: Options) -> Format:
    """Return a format.

    Args:
        written: a name, or one of the forms in `puppylog.formats.listed.WRITTEN`; with a configuration, a nickname.
        configuration: an nginx.conf or httpd.conf that has the format; None if ``written`` is the format.
        options: how stamps without a zone or a year are read.

    Raises:
        UsageError: no such format exists, or the server's configuration cannot be read.
    """
    if configuration is None:
        return find_format(written, options)
    try:
        text = configuration.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError("read", str(configuration), (error.strerror or str(error)).lower()) from None
    nickname = "" if written == AUTO else written
    found = list_configured_formats(text, str(configuration), options, nickname)
    return found[0] if nickname else make_auto(options, found)


def choose_boundary(written: str | None) -> Boundary | None:
    """Return the rule by which a line begins a record: ``indent``, or a pattern. Without one, each line is a record.

    Raises:
        UsageError: ``written`` is not a regular expression.
    """
    if written is None:
        return None
    return IndentationBoundary() if written == "indent" else PatternBoundary(written)
