"""The format of container runtimes under Kubernetes: ``TIME stdout|stderr F|P[:tag…] message``.

A runtime divides a long message into several lines: the tag of the last line is F, the tag of the other lines is P.
Each line becomes a record. The attribute ``partial`` says that the next record of the stream continues the message.
"""

import re
from typing import Final

from puppylog.formats import clock, native
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
        return rows_from_buffers(native.lines.cri(text), REASONS)
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        reason = _read_line(builder, at, line.decode())
        if reason is not None:
            builder.reject(at, reason)
    return builder.build()


def find_cri_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    time_until = len(line.partition(" ")[0])
    stream = _STREAM.match(line, time_until + 1)
    match _read_line(RowsBuilder(b""), 0, line):
        case reason if reason == _NO_STREAM:
            return min(time_until + 1, len(line))
        case reason if reason == _NO_TAG and stream is not None:
            return stream.end()
    return 0


def _read_line(builder: RowsBuilder, at: int, line: str) -> str | None:
    """Add the record of a line and return None, or return the reason to reject the line."""
    word = line.partition(" ")[0]
    try:
        stamp = clock.parse_iso(word)
    except clock.OutOfRange:
        return _TIME_RANGE
    if stamp is None:
        return _NO_TIME
    stream = _STREAM.match(line, len(word) + 1)
    if stream is None:
        return _NO_STREAM
    tag = _TAG.match(line, stream.end())
    if tag is None:
        return _NO_TAG
    members = [("stream", quote(stream[1]))] + [("partial", "true")] * (tag[1] == "P")
    builder.add(at, stamp.us, is_local=stamp.is_local, members=members, columns={"message": line[tag.end() :]})
    return None
