"""Reads lines of access logs. ``native/access.c`` does the same in C, about forty times as fast.

An invalid request (a TLS handshake, a single word) is no reason to reject the line, because the client, the time and
the answer of the server are still known. Such a request becomes the message of the record, unchanged.
"""

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias

from puppylog.formats import clock
from puppylog.formats.access.reason import Reason
from puppylog.formats.entry import Entry, add_entry
from puppylog.formats.fields import Columns, read_request
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member, Rows, RowsBuilder

_STAMP_SIZE: Final = 30  # characters of " [dd/Mon/yyyy:HH:MM:SS +zzzz] "
_NUMBERS: Final = re.compile(r" ([0-9]{3}|-)(?= |\Z)(?: ([0-9]{1,19}|-)(?= |\Z))?")
_MAX_BYTES: Final = (1 << 63) - 1

_parse_stamp = lru_cache(maxsize=16)(clock.parse_access)  # neighbouring lines mostly have the same stamp

_Ending: TypeAlias = tuple[Columns, str]  # the columns after the request, and the text that no column holds


class Variant(Enum):
    """Which lines a format accepts. The native reader uses the index of a variant in this order."""

    ACCESS = "access"  # common or combined, decided line by line
    COMMON = "common"
    COMBINED = "combined"


class Mismatch(ValueError):
    """The line does not fit the format."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def read_lines(text: bytes | memoryview, variant: Variant) -> Rows:
    """Return the rows of a text; see `puppylog.formats.line_format.Reader`.

    Raises:
        ValueError: the last line has no newline.
    """
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        try:
            entry = read_access_line(line.decode(), variant)
        except Mismatch as mismatch:
            builder.reject(at, mismatch.reason.text)
        else:
            add_entry(builder, at, entry)
    return builder.build()


def read_access_line(line: str, variant: Variant = Variant.ACCESS) -> Entry:
    """Return the record of a line.

    Raises:
        Mismatch: the line does not fit.
    """
    before, quoted = _split_before_request(line)
    ts_us = _read_time(before[-_STAMP_SIZE:])
    columns, members = _read_head(before[:-_STAMP_SIZE])
    closing = _find_closing(quoted)
    if (len(quoted) - closing) % 2 == 0:
        raise Mismatch(Reason.OPEN_QUOTE)
    ending, extra = _read_ending(quoted[closing:], variant)
    request = '"'.join(quoted[:closing])
    columns |= ending | (read_request(request) or {"message": _none_if_unknown(request)})
    if value := _read_extra(extra):
        members.append(("extra", quote(value)))
    return Entry(ts_us, columns=columns, members=members)


def _split_before_request(line: str) -> tuple[str, list[str]]:
    """Return the text before the request's opening quote, and the texts between the quotes after it.

    The request's opening quote is the first quote after ``] ``, because the name of a user may contain quotes.
    """
    texts = _split_at_quotes(line)
    for place, text in enumerate(texts[:-1]):
        if text.endswith("] "):
            return '"'.join(texts[: place + 1]), texts[place + 1 :]
    raise Mismatch(Reason.NO_REQUEST)


def _split_at_quotes(line: str) -> list[str]:
    r"""Split the line at every quote that is not escaped. An odd number of backslashes before a quote escapes it."""
    texts = line.split('"')
    if "\\" not in line:
        return texts
    whole = texts[:1]
    for text in texts[1:]:
        before = whole[-1]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            whole[-1] = f'{before}"{text}'
        else:
            whole.append(text)
    return whole


def _find_closing(quoted: Sequence[str]) -> int:
    """Return the number of the closing quote of the request, from 1.

    It is the first quote that ends a request with a protocol and is before a status and bytes, because some servers
    write a request with its quotes as they are. If there is no such quote, it is the first quote.
    """
    for place in range(1, len(quoted)):
        word = quoted[place - 1].rpartition(" ")[1:]
        is_request = place == 1 or (word[0] and word[1].startswith("HTTP/") and '"' not in word[1])
        if is_request and _are_numbers(_NUMBERS.match(quoted[place] + '"' * (place + 1 < len(quoted)))):
            return place
    return 1


def _are_numbers(found: re.Match[str] | None) -> bool:
    """Return whether the match is a status and bytes of at most 63 bits."""
    return found is not None and found[2] is not None and (found[2] == "-" or int(found[2]) <= _MAX_BYTES)


def _read_extra(extra: str) -> str:
    """Return the text without its quotes if it is one value in quotes; an empty text if all values are unknown."""
    if all(value in {"-", '"-"', '""'} for value in extra.split(" ")):
        return ""
    if extra.startswith('"') and len(texts := _split_at_quotes(extra[1:])) == 2 and not texts[1]:
        return texts[0]
    return extra


def _read_time(written: str) -> int:
    """Return the time of ``" [stamp] "``, with its blanks, in microseconds since the epoch."""
    if not written.startswith(" ["):
        raise Mismatch(Reason.TIME_FORM)
    try:
        stamp = _parse_stamp(written[2:-2])
    except clock.OutOfRange:
        raise Mismatch(Reason.TIME_RANGE) from None
    if stamp is None:
        raise Mismatch(Reason.TIME_FORM)
    return stamp.us


def _read_head(head: str) -> tuple[Columns, list[Member]]:
    """Return the columns and attributes of ``[vhost ]host ident user``.

    The user is everything after the second blank. If the user begins with ``- ``, the line begins with a virtual host,
    unless the host would then be a dash or empty.
    """
    fields = head.split(" ", 2)
    if len(fields) < 3 or not fields[0]:
        raise Mismatch(Reason.HEAD)
    host, ident, user = fields
    members: list[Member] = []
    if user.startswith("- ") and _none_if_unknown(ident):
        members.append(("vhost", quote(host)))
        host, ident, user = ident, "-", user[2:]
    user = "" if user == '""' else user  # how Apache writes an empty user name
    return {"host": host, "ident": _none_if_unknown(ident), "ruser": _none_if_unknown(user)}, members


def _read_ending(quoted: list[str], variant: Variant) -> _Ending:
    """Return the columns and the extra text of ``status bytes[ "referer" "user agent"][ extra]``, split at quotes."""
    text = '"'.join(quoted)
    numbers = _NUMBERS.match(text)
    if numbers is None:
        raise Mismatch(Reason.STATUS)
    if not _are_numbers(numbers):
        raise Mismatch(Reason.BYTES)
    status, size = numbers.groups()
    columns: Columns = {
        "status_code": None if status == "-" else int(status),
        "response_bytes": None if size == "-" else int(size),
    }
    if variant is not Variant.COMMON and text.startswith(' "', numbers.end()):
        if len(quoted) < 5 or quoted[2] != " ":
            raise Mismatch(Reason.NO_AGENT)
        columns |= {"referer": _none_if_unknown(quoted[1]), "user_agent": _none_if_unknown(quoted[3])}
        return columns, '"'.join(quoted[4:]).removeprefix(" ")
    if variant is Variant.COMBINED:
        raise Mismatch(Reason.NO_REFERER)
    return columns, text[numbers.end() :].removeprefix(" ")


def _none_if_unknown(text: str) -> str | None:
    """Return the text, or None if it is empty or a dash: then the value is unknown."""
    return None if text in {"", "-"} else text
