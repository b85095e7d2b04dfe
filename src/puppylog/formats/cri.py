"""The format of container runtimes under Kubernetes: ``TIME stdout|stderr F|P[:tag…] message``.

A runtime divides a long message into several lines: the tag of the last line is F, the tag of the other lines is P.
Each line becomes a record. The attribute ``partial`` says that the next record of the stream continues the message.
If the message is a record itself, such as JSON, ``inner`` reads it.
"""

import re
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.entry import Entry, Mismatch, add_entries, find_mismatch
from puppylog.formats.inner import read_inner
from puppylog.formats.names import TABLE
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers

_NO_TIME: Final = "no time at the start"
_TIME_RANGE: Final = "time out of range"
_NO_STREAM: Final = "no stream, stdout or stderr, after the time"
_NO_TAG: Final = "no tag, F or P, after the stream"

REASONS: Final = (_NO_TIME, _TIME_RANGE, _NO_STREAM, _NO_TAG)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_STREAM = re.compile(r"(stdout|stderr) ")
_TAG = re.compile(r"([FP])(?::[^ ]*)?(?: |\Z)")


def read_cri(text: bytes | memoryview) -> Rows:
    """Return the rows of lines of containers; see `puppylog.formats.line_format.Reader`."""
    if native.lines is not None:
        return rows_from_buffers(native.lines.cri(text, TABLE), REASONS)
    builder = RowsBuilder(bytes(text))
    add_entries(builder, _read_line)
    return builder.build()


def find_cri_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    return find_mismatch(_read_line, line)


def _read_line(line: str) -> Entry:
    """Return the record of a line.

    Raises:
        Mismatch: the line does not fit.
    """
    word = line.partition(" ")[0]
    try:
        stamp = clock.parse_iso(word)
    except clock.OutOfRange:
        raise Mismatch(_TIME_RANGE, 0) from None
    if stamp is None:
        raise Mismatch(_NO_TIME, 0)
    stream = _STREAM.match(line, len(word) + 1)
    if stream is None:
        raise Mismatch(_NO_STREAM, min(len(word) + 1, len(line)))
    tag = _TAG.match(line, stream.end())
    if tag is None:
        raise Mismatch(_NO_TAG, stream.end())
    members = [("stream", quote(stream[1]))] + [("partial", "true")] * (tag[1] == "P")
    return read_inner(Entry(stamp.us, stamp.is_local, {"message": line[tag.end() :]}, members))
