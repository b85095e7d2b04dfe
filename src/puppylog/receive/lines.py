"""Decodes lines as they are in a file: JSON lines, an access log, any format that a collector reads.

The format ``auto`` is remembered for each source: the context of the parser is committed with the position of the
stream, and the next request of the source starts with it. So a request of one line has the format of the lines before.
"""

from dataclasses import replace
from typing import Final

from puppylog.formats.base import Format, Parser
from puppylog.formats.listed_formats import AUTO
from puppylog.formats.record_times import without_last_time
from puppylog.formats.registry import LAST_RESORT
from puppylog.model.record import Parsed
from puppylog.receive.json_array import split_array
from puppylog.receive.received import Received, ReceivedLines

_MANY_LINES: Final = 20  # as many as `auto` reads in the last resort before it stops looking for a better format


def decode_lines(
    body: bytes, format_: Format, *, context: str = "", source: str = "", group: str | None = None, read_at_us: int
) -> Received:
    r"""Return the records and rejected lines of a body.

    Args:
        body: lines. The last one may have no newline; it counts as complete. With the formats ``auto`` and ``json``, an
            array of objects counts as lines, one for each object.
        format_: of the lines.
        context: that of the lines that were received of this source before, as this function returned it.
        source: see `ReceivedLines`.
        group: see `ReceivedLines`.
        read_at_us: the time of records without a time if no record before them in the body has one, in microseconds
            since the epoch.

    >>> from puppylog.formats.registry import find_format
    >>> received = decode_lines(b'{"message": "one"}\nno object', find_format("json"), read_at_us=0)
    >>> received.records, received.rejects, received.lines[0].size
    (1, 1, 29)
    """
    if format_.name in {AUTO, "json"}:
        body = body if (objects := split_array(body)) is None else objects
    if not body:
        return Received(())
    if not body.endswith(b"\n"):
        body += b"\n"
    parser, parsed = _parse(body, format_, context, read_at_us)
    if context and format_.name == AUTO and not parsed.records.num_rows:
        # The source may have another format now. A sender of single lines never sends the long run of lines for which
        # the parser would look for another format itself.
        other, parsed_anew = _parse(body, format_, "", read_at_us)
        if parsed_anew.records.num_rows and other.name != LAST_RESORT:
            parser, parsed = other, parsed_anew
    inner = without_last_time(parser.context)  # the next request may come much later
    learnt: str | None = inner if format_.name == AUTO else f"{format_.name}\n{inner}"
    if format_.name == AUTO and parser.name == LAST_RESORT and parsed.lines < _MANY_LINES:
        learnt = None  # too few lines to tell that no format fits this source
    lines = ReceivedLines(source, group, replace(parsed, data=body), len(body), parser.name or format_.name, learnt)
    return Received((lines,))


def _parse(body: bytes, format_: Format, context: str, read_at_us: int) -> tuple[Parser, Parsed]:
    parser = format_.open(_open_context(context, format_))
    return parser, parser.parse(body, 0, read_at_us)


def _open_context(context: str, format_: Format) -> str:
    """Return the part of a source's context that is meant for the format.

    The first line of the context names the format that wrote the rest. So a source may change its format.
    """
    name, _, inner = context.partition("\n")
    if format_.name == AUTO:
        return context
    return inner if name == format_.name else ""
