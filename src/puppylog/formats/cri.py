"""The format of container runtimes under Kubernetes: ``TIME stdout|stderr F|P[:tag…] message``.

A runtime divides a long message into several lines: the tag of the last line is F, the tag of the other lines is P.
`container_lines` joins the lines of a message. The attribute ``partial`` says that the last part of it is missing here.
If the message is a record itself, such as JSON, ``inner`` reads it.
"""

import re
from collections.abc import Sequence
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.container_lines import ContainerJoiner, ContainerLine
from puppylog.formats.entry import Entry, Mismatch, add_entries_at, find_mismatch
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
_HEAD = re.compile(rb"([^ ]+ (?:stdout|stderr) )([FP](?::[^ ]*)?)(?: |\Z)")

PARTS: Final = re.compile(rb"^[^ \n]+ (?:stdout|stderr) P", re.MULTILINE)
"""Matches at the start of a line that is a part, and not the last one."""


def read_cri(text: bytes | memoryview, *, joins: bool = False) -> Rows:
    """Return the rows of lines of containers; see `puppylog.formats.line_format.Reader`.

    Args:
        text: the lines.
        joins: whether lines of one message are joined. Lines of a message of several parts are joined, too, but a
            record in such a message is not read: see `container_parts`.
    """
    if native.lines is not None:
        return rows_from_buffers(native.lines.cri(text, TABLE, joins), REASONS)
    builder = RowsBuilder(bytes(text))
    joiner = ContainerJoiner(joins=joins)

    def read(at: int, line: str) -> Entry | None:
        entry, written = _read_head(line)
        return None if joiner.join(builder, at, written) else read_inner(entry)

    add_entries_at(builder, read)
    return builder.build()


def join_cri_parts(lines: Sequence[bytes]) -> bytes | None:
    """Return the lines of a message of several parts as one line. It has the tag of the last one."""
    heads = [_HEAD.match(line) for line in lines]
    if not all(heads):
        return None
    texts = [line.removesuffix(b"\r")[head.end() :] for head, line in zip(heads, lines, strict=True) if head]
    first, last = heads[0], heads[-1]
    return None if first is None or last is None else first[1] + last[2] + b" " + b"".join(texts)


def find_cri_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    return find_mismatch(_read_head, line)


def read_container_line(line: str) -> ContainerLine | None:
    """Return a line of a container; None if the line does not fit."""
    try:
        return _read_head(line)[1]
    except Mismatch:
        return None


def _read_head(line: str) -> tuple[Entry, ContainerLine]:
    """Return the record of a line, and the line of the container.

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
    entry = Entry(stamp.us, stamp.is_local, {"message": line[tag.end() :]}, members)
    return entry, ContainerLine(stream[1], stamp.us, line[tag.end() :], is_part=tag[1] == "P")
