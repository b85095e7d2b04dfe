r"""Finds the messages in a datagram and in the bytes of a connection (RFC 5426, RFC 6587).

A connection has two framings, told frame by frame: ``SIZE <PRI>…`` is a message after its size in bytes (octet
counting); everything else is a message that ends at a newline or a NUL. A connection that has counted once must go on
with a size or a priority: other bytes mean that a size was wrong, and nothing after them can be trusted.

A datagram is one message, unless further messages begin with a priority after a newline or a NUL, or each has its size.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from puppylog.formats.syslog.frames import iter_frames

MAX_MESSAGE_BYTES: Final = 1 << 20
"""Bytes of a message after these are discarded, and its record says so. As in files, where a longer line is cut."""

MAX_SIZE: Final = 1 << 28
"""A size above this is taken for a wrong one."""

_SIZE = re.compile(rb"([0-9]{1,10}) (?=<)")
_START_OF_SIZE = re.compile(rb"[0-9]{1,10} ?\Z")
_SEPARATORS = re.compile(rb"[\n\r\0]+")
_FURTHER = re.compile(rb"[\n\r\0]+(?=<[0-9]{1,3}>)")
_SEPARATOR_BYTES = b"\n\r\0"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Defect(Enum):
    """Why a message is not whole. The value is the attribute of its record that says so."""

    CUT = "cut"
    """The message was longer than the limit."""
    INCOMPLETE = "incomplete"
    """The connection ended within the message."""
    LOST_FRAMING = "lost_framing"
    """A size before the message was wrong, so the bytes may be of several messages."""


@dataclass(slots=True)
class Messages:
    """Messages in the order in which they arrived."""

    texts: list[bytes] = field(default_factory=list)
    defects: dict[int, Defect] = field(default_factory=dict)  # by index in ``texts``

    def add(self, text: bytes, defect: Defect | None = None) -> None:
        """Add a message, unless it is blank."""
        text = text.rstrip(_SEPARATOR_BYTES)
        if not text.strip():
            return
        if defect is not None:
            self.defects[len(self.texts)] = defect
        self.texts.append(text)


def split_datagram(data: bytes) -> list[bytes]:
    """Return the messages of one datagram; none is blank."""
    data = data.strip(_SEPARATOR_BYTES)
    if not data:
        return []
    if data[0] in b"0123456789":
        messages = [message.rstrip(_SEPARATOR_BYTES) for _, message in iter_frames(data)]
        return [message for message in messages if message.strip()]
    if b"\n" in data or b"\0" in data:
        return [message for message in _FURTHER.split(data) if message.strip()]
    return [data] if data.strip() else []


class Framer:
    """Finds the messages of one connection. Keeps at most one message, cut to its limit.

    Args:
        limit_bytes: the size at which a message is cut.
    """

    def __init__(self, limit_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._head = b""  # the start of a frame, too short to know its framing
        self._kept = bytearray()  # the start of a message that is not complete
        self._missing_bytes: int | None = None  # of a message after its size; None for a message before a newline
        self._is_inside = False  # a message has begun
        self._is_cut = False
        self._has_counted = False
        self.fault = ""
        """Why the connection must be closed; empty if it may go on."""

    @property
    def kept_bytes(self) -> int:
        """How many bytes wait for the rest of their message."""
        return len(self._kept) + len(self._head)

    def feed(self, data: bytes) -> Messages:
        """Return the messages that are complete with these bytes.

        After a fault the last message holds what cannot be divided, and the connection must be closed.
        """
        messages = Messages()
        data, self._head = self._head + data, b""
        nul = data.find(b"\0")
        at = 0
        while at < len(data) and not self.fault:
            at = self._continue(data, at, nul, messages) if self._is_inside else self._begin(data, at)
            if 0 <= nul < at:
                nul = data.find(b"\0", at)
        if self.fault:
            messages.add(data[at : at + self._limit_bytes], Defect.LOST_FRAMING)
        return messages

    def finish(self, *, is_clean: bool = True) -> Messages:
        """Return what is left when the connection has ended.

        Args:
            is_clean: the sender has ended it. A message without size and newline is then complete.
        """
        messages = Messages()
        is_complete = is_clean and self._missing_bytes is None
        text = bytes(self._kept) + self._head
        messages.add(text, Defect.CUT if self._is_cut else None if is_complete else Defect.INCOMPLETE)
        self._forget()
        self._head = b""
        return messages

    def _begin(self, data: bytes, at: int) -> int:
        """Begin a message at or after ``at``; return where its text begins."""
        if data[at] in _SEPARATOR_BYTES:
            separators = _SEPARATORS.match(data, at)
            return separators.end() if separators else at
        if data[at] in b"0123456789":
            size = _SIZE.match(data, at)
            if size is not None:
                return self._begin_counted(size, at)
            if _START_OF_SIZE.match(data, at):
                self._head = data[at:]
                return len(data)
        if self._has_counted and data[at] != ord("<") and not _BYTE_ORDER_MARK.startswith(data[at : at + 3]):
            self.fault = "neither a size nor a priority follows a counted message"
            return at
        self._is_inside = True
        return at

    def _begin_counted(self, size: re.Match[bytes], at: int) -> int:
        if size[1].startswith(b"0") or int(size[1]) > MAX_SIZE:
            self.fault = f"no message has the size {size[1].decode()}"
            return at
        self._has_counted = self._is_inside = True
        self._missing_bytes = int(size[1])
        return size.end()

    def _continue(self, data: bytes, at: int, nul: int, messages: Messages) -> int:
        """Take bytes of the message that has begun; return where the rest of ``data`` begins."""
        if self._missing_bytes is None:
            end = data.find(b"\n", at)
            if nul >= at and (end < 0 or nul < end):
                end = nul
            is_complete = end >= 0
            end = end if is_complete else len(data)
            after = end + is_complete
        else:
            after = end = min(len(data), at + self._missing_bytes)
            self._missing_bytes -= end - at
            is_complete = self._missing_bytes == 0
        kept_end = min(end, at + self._limit_bytes - len(self._kept))
        self._is_cut |= kept_end < end
        text = data[at:kept_end]
        if not is_complete:
            self._kept += text
        else:
            messages.add(bytes(self._kept) + text if self._kept else text, Defect.CUT if self._is_cut else None)
            self._forget()
        return after

    def _forget(self) -> None:
        self._kept, self._missing_bytes = bytearray(), None
        self._is_inside = self._is_cut = False
