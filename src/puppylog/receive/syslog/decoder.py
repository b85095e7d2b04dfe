"""Makes a record of each message that arrived, with its peer, in any form that devices write.

The reader of the format ``syslog``, or another format if the user wants one, reads all messages at once. What it
rejects becomes a record, too, never a rejected line. If it has a priority, the record has facility and severity, and
the rest as its text. Otherwise the format ``plain`` reads it. The attribute ``unparsed`` says what does not fit.

A reader reads lines, but a message may have newlines. They are replaced by a character that no message has, and put
back into the records. In the bytes that a refused row keeps they are ``#012``, as rsyslog writes them. A NUL, which
PostgreSQL refuses, is ``#000`` in the records, too.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.base import UTC, Format
from puppylog.formats.calendar import Calendar
from puppylog.formats.line_format import Reader, parse_lines
from puppylog.formats.plain import read_plain
from puppylog.formats.quoting import quote
from puppylog.formats.record_times import ArrivalTimes, set_untimed
from puppylog.formats.rows import Rows
from puppylog.formats.syslog.reasons import NO_MESSAGE
from puppylog.formats.syslog.syslog import read_syslog
from puppylog.model.record import NO_REJECTS, RECORDS, Parsed
from puppylog.receive.received import Received, ReceivedLines, use_time_of_receipt
from puppylog.receive.syslog.framing import Messages

_FORMAT: Final = "syslog"
_PRIORITY = re.compile(rb"<([0-9]{1,2}|1[0-8][0-9]|19[01])>")
_NO_HEADER = b"1 - - - - - - "
_BYTE_ORDER_MARK: Final = "\ufeff"
_ESCAPED_NEWLINE: Final = b"#012"
_ESCAPED_NUL: Final = b"#000"
_PRIVATE_CHARACTERS: Final = range(0xF0000, 0xF0010)
"""Characters without a meaning; one of them stands for a newline while messages are read. In UTF-8 each has four bytes,
like `_ESCAPED_NEWLINE`, so offsets stay true. If the messages have all of them, newlines stay escaped in records."""


@dataclass(frozen=True, slots=True)
class Listening:
    """How the messages of one listener are read."""

    source: str
    """The name of the listener, which is the source of its stream."""
    group: str | None = None
    """The log group; None for the default."""
    zone: ZoneInfo = UTC
    """The time zone of stamps that name no zone."""
    format: Format | None = None
    """The format of the messages; None for syslog."""
    uses_time_of_receipt: bool = False
    """Whether a record gets the time of receipt, and its own time becomes the attribute ``sent_at``."""


@dataclass(slots=True)
class Arrived(Messages):
    """Messages that arrived at about the same time."""

    peers: list[str] = field(default_factory=list)
    """The address of the sender of each message in ``texts``."""

    def extend(self, messages: Messages, peer: str) -> None:
        """Add the messages of one peer."""
        count = len(self.texts)
        self.defects |= {count + index: defect for index, defect in messages.defects.items()}
        self.texts += messages.texts
        self.peers += [peer] * len(messages.texts)

    def halve(self) -> "tuple[Arrived, Arrived]":
        """Return the first half of the messages, and the second half."""
        middle = len(self.texts) // 2
        first = {index: defect for index, defect in self.defects.items() if index < middle}
        second = {index - middle: defect for index, defect in self.defects.items() if index >= middle}
        return (
            Arrived(self.texts[:middle], first, self.peers[:middle]),
            Arrived(self.texts[middle:], second, self.peers[middle:]),
        )


def decode(arrived: Arrived, received_at_us: int, listening: Listening) -> Received:
    """Return one record for each message, in their order.

    Args:
        arrived: messages, at most some hundred MiB.
        received_at_us: when they arrived, in microseconds since the epoch.
        listening: how they are read.
    """
    reading = _Reading(listening, received_at_us, Calendar.open_at_arrival(received_at_us))
    data, newline = _join(arrived.texts)
    parsed = reading.parse_messages(data)
    starts = list(accumulate((len(line) + 1 for line in data.split(b"\n")[:-1]), initial=0))[:-1]
    reasons = _reasons_by_message(parsed.rejects, starts)
    records = reading.add_unread(parsed) if reasons else parsed.records
    indices = _message_of_each(records, starts)
    if newline or _BYTE_ORDER_MARK.encode() in data:
        records = _restore_texts(records, newline)
    peers, members = pa.array(arrived.peers, pa.string()), pa.array(_write_members(arrived, reasons), pa.string())
    if indices is not None:
        peers, members = peers.take(indices), members.take(indices)
    if listening.uses_time_of_receipt:
        records = set_untimed(records, pa.scalar(received_at_us, RECORDS.field("ts").type), None)
        records, members = _use_time_of_receipt(records, members, received_at_us)
    kept = data.replace(newline.encode(), _ESCAPED_NEWLINE) if newline else data
    rows = Parsed(_add_members(records, peers, members), NO_REJECTS, data=kept)
    name = _FORMAT if listening.format is None else listening.format.name
    return Received((ReceivedLines(listening.source, listening.group, rows, len(data), name),))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How lines are read that arrived at one time."""

    listening: Listening
    received_at_us: int
    calendar: Calendar

    def read(self, text: bytes | memoryview) -> Rows:
        return read_syslog(text, self.calendar)

    def parse_messages(self, data: bytes) -> Parsed:
        if self.listening.format is None:
            return self.parse(self.read, data)
        parsed = self.listening.format.open().parse(data, 0, self.received_at_us)
        return use_time_of_receipt(parsed, self.received_at_us)

    def parse(self, reader: Reader, data: bytes) -> Parsed:
        times = ArrivalTimes(self.received_at_us)
        return parse_lines(reader, data, 0, self.received_at_us, self.listening.zone, times=times)

    def add_unread(self, parsed: Parsed) -> pa.RecordBatch:
        """Return all records, with those of the rejected lines in their places."""
        with_priority: dict[int, bytes] = {}
        plain: dict[int, bytes] = {}
        rejects = zip(parsed.rejects["line_offset"].to_pylist(), parsed.rejects["line"].to_pylist(), strict=True)
        for at, line in rejects:
            priority = _PRIORITY.match(line)
            if priority is None:
                plain[at] = line
            else:
                with_priority[at] = priority[0] + _NO_HEADER + line[priority.end() :]
        batches = [parsed.records]
        for lines, reader in ((with_priority, self.read), (plain, read_plain)):
            if lines:
                records = self.parse(reader, b"\n".join(lines.values()) + b"\n").records
                batches.append(_move(records, lines))
        table = pa.Table.from_batches(batches).sort_by("line_offset").combine_chunks()
        return table.to_batches()[0] if table.num_rows else parsed.records


def _join(texts: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the messages as lines, and the character that stands for newlines within them; empty if there are none."""
    data = _write_lines(texts)
    if b"\xef\xbb\xbf<" in data:  # before a priority
        texts = [text.removeprefix(_BYTE_ORDER_MARK.encode()) for text in texts]
        data = _write_lines(texts)
    newline = ""
    if data.count(b"\n") != len(texts):
        newline = next((chr(code) for code in _PRIVATE_CHARACTERS if chr(code).encode() not in data), "")
        data = _write_lines([text.replace(b"\n", newline.encode() or _ESCAPED_NEWLINE) for text in texts])
    return data.replace(b"\0", _ESCAPED_NUL), newline


def _write_lines(texts: Sequence[bytes]) -> bytes:
    return b"\n".join(texts) + b"\n" if texts else b""


def _reasons_by_message(rejects: pa.RecordBatch, starts: Sequence[int]) -> dict[int, str]:
    offsets, reasons = rejects["line_offset"].to_pylist(), rejects["reason"].to_pylist()
    return {bisect_right(starts, at) - 1: reason for at, reason in zip(offsets, reasons, strict=True)}


def _move(records: pa.RecordBatch, lines: dict[int, bytes]) -> pa.RecordBatch:
    """Return the records of some lines with the offsets that are the keys of ``lines``."""
    moved = pa.array(list(lines), pa.int64())
    places = _message_of_each(records, list(accumulate((len(line) + 1 for line in lines.values()), initial=0))[:-1])
    return _set_column(records, "line_offset", moved if places is None else moved.take(places))


def _message_of_each(records: pa.RecordBatch, starts: Sequence[int]) -> pa.Array | None:
    """Return for each record the index of its message; None if each message has one record.

    A message has several records if each of its parts has its size, and none if it is only a byte order mark. A mark at
    the start of all messages is not part of the first one, whose record then has another offset.

    Args:
        records: of the messages, in their order.
        starts: the offset of each message.
    """
    if records["line_offset"].equals(pa.array(starts, pa.int64())):
        return None
    return pa.array([bisect_right(starts, at) - 1 for at in records["line_offset"].to_pylist()], pa.int64())


def _write_members(arrived: Arrived, reasons: dict[int, str]) -> list[str]:
    """Return the members of JSON that are added to the attributes of each message's record."""
    member_of = {peer: f'"peer": {quote(peer)}' for peer in set(arrived.peers)}
    members = [member_of[peer] for peer in arrived.peers]
    for index, defect in arrived.defects.items():
        members[index] += f', "{defect.value}": true'
    for index, reason in reasons.items():
        if reason != NO_MESSAGE:  # such a message is read as a whole
            members[index] += f', "unparsed": {quote(reason)}'
    return members


def _use_time_of_receipt(
    records: pa.RecordBatch, members: pa.Array, received_at_us: int
) -> tuple[pa.RecordBatch, pa.Array]:
    """Return the records with the time of receipt, and the members with the times that the messages had."""
    received_at = pa.scalar(received_at_us, pa.int64()).cast(RECORDS.field("ts").type)
    sent_at = pc.strftime(records["ts"], format="%Y-%m-%dT%H:%M:%SZ")
    own = pc.if_else(pc.equal(records["ts"], received_at), None, sent_at)
    members = pc.coalesce(pc.binary_join_element_wise(members, ', "sent_at": "', own, '"', ""), members)
    return _set_column(records, "ts", pa.repeat(received_at, records.num_rows)), members


def _add_members(records: pa.RecordBatch, peers: pa.Array, members: pa.Array) -> pa.RecordBatch:
    """Return the records with further attributes. The peer is the host of a message that names none."""
    if records["host"].null_count:
        records = _set_column(records, "host", pc.coalesce(records["host"], peers))
    start = pc.utf8_slice_codeunits(records["attributes"], 0, -1)
    extended = pc.binary_join_element_wise(start, members, ", ")
    attributes = pc.coalesce(extended, pc.binary_join_element_wise("{", members, ""))
    return _set_column(records, "attributes", pc.binary_join_element_wise(attributes, "}", ""))


def _restore_texts(records: pa.RecordBatch, newline: str) -> pa.RecordBatch:
    """Return the records with newlines in their texts, and without byte order marks before their messages."""
    for name in ("host", "severity", "message", "attributes"):
        texts = records[name]
        if newline:
            texts = pc.replace_substring(texts, newline, "\\n" if name == "attributes" else "\n")
        if name == "message":
            texts = pc.replace_substring_regex(texts, "^" + _BYTE_ORDER_MARK, "")
        records = _set_column(records, name, texts)
    return records


def _set_column(records: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    place = RECORDS.get_field_index(name)
    return records.set_column(place, RECORDS.field(place), column)
