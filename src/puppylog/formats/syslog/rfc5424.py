r"""RFC 5424: ``TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA[ MSG]``, after ``<PRI>1 ``.

A dash means that a field is unknown. Structured data is ``[id name="value" name="value"][id]``, where ``\"``, ``\\``
and ``\]`` mean their second character. Some senders leave it out. Text that only begins like structured data is part of
the message.
"""

import re

from puppylog.formats import clock
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member
from puppylog.formats.syslog.entry import Entry
from puppylog.formats.syslog.reasons import HEADER, TIME_FORM, TIME_RANGE, Mismatch

_HEADER = re.compile(r"([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)(?: |\Z)")
_NAME = r'[^ =\]"]+'
_ELEMENT = re.compile(rf"\[({_NAME})")
_PARAMETER = re.compile(rf' ({_NAME})="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\\]])')
_BYTE_ORDER_MARK = "\ufeff"


def read_5424(text: str, at: int, entry: Entry) -> None:
    """Read the message into ``entry``.

    Args:
        text: the message with its priority and version.
        at: the index after the version.
        entry: is filled.

    Raises:
        Mismatch: the message does not have this form.
    """
    blank = text.find(" ", at)
    time_until = len(text) if blank < 0 else blank
    if text[at:time_until] != "-":
        _read_time(text[at:time_until], at, entry)
    header = _HEADER.match(text, time_until + 1)
    if header is None:
        raise Mismatch(HEADER, time_until)
    entry.host, entry.app, entry.pid, entry.msgid = ("" if word == "-" else word for word in header.groups())
    entry.message = _read_structured(text[header.end() :], entry).removeprefix(_BYTE_ORDER_MARK).removeprefix(" ")


def _read_time(word: str, at: int, entry: Entry) -> None:
    try:
        stamp = clock.parse_iso(word)
    except clock.OutOfRange:
        raise Mismatch(TIME_RANGE, at) from None
    if stamp is None:
        raise Mismatch(TIME_FORM, at)
    entry.ts_us, entry.is_local = stamp.us, stamp.is_local


def _read_structured(text: str, entry: Entry) -> str:
    """Read the structured data at the start of ``text`` into ``entry``; return the text after it."""
    if text == "-" or text.startswith("- "):
        return text[2:]
    elements: list[tuple[str, list[Member]]] = []
    at = 0
    while element := _ELEMENT.match(text, at):
        members: list[Member] = []
        at = element.end()
        while parameter := _PARAMETER.match(text, at):
            members.append((parameter[1], quote(_ESCAPED.sub(r"\1", parameter[2]))))
            at = parameter.end()
        if not text.startswith("]", at):
            return text
        elements.append((element[1], members))
        at += 1
    if at < len(text) and text[at] != " ":
        return text
    entry.structured = elements
    return text[at + 1 :] if elements else text
