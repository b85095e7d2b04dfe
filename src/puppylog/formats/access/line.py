"""One line of an access log, part by part. ``native/access.c`` reads the same in C, some forty times as fast.

A request that is garbage (a TLS handshake, a single word) does not reject its line: who asked, when, and what the
server answered is known all the same. Such a request becomes the record's message as it stands.
"""

import re
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias

from puppylog.formats import clock
from puppylog.formats.access.reason import Reason
from puppylog.formats.fields import Columns, read_request
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member, Rows, RowsBuilder

_STAMP_SIZE: Final = 30  # characters of " [dd/Mon/yyyy:HH:MM:SS +zzzz] "
_NUMBERS: Final = re.compile(r" ([0-9]{3}|-)(?= |\Z)(?: ([0-9]{1,19}|-)(?= |\Z))?")
_MOST_BYTES: Final = (1 << 63) - 1

_parse_stamp = lru_cache(maxsize=16)(clock.parse_access)  # neighbouring lines mostly carry the same stamp

_Ending: TypeAlias = tuple[Columns, str]  # the columns after the request, and the text that no column holds


class Variant(Enum):
    """Which lines a format accepts. The native reader knows the variants by their order."""

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
            _add_record(builder, at, line.decode(), variant)
        except Mismatch as mismatch:
            builder.reject(at, mismatch.reason.text)
    return builder.build()


def _add_record(builder: RowsBuilder, at: int, line: str, variant: Variant) -> None:
    before, quoted = _split_before_request(line)
    ts_us = _read_time(before[-_STAMP_SIZE:])
    columns, members = _read_head(before[:-_STAMP_SIZE])
    if len(quoted) % 2:
        raise Mismatch(Reason.OPEN_QUOTE)
    ending, extra = _read_ending(quoted[1:], variant)
    request = quoted[0]
    columns |= ending | (read_request(request) or {"message": _known(request)})
    if extra:
        members.append(("extra", quote(extra)))
    builder.add(at, ts_us, members=members, columns=columns)


def _split_before_request(line: str) -> tuple[str, list[str]]:
    """Return the text before the request's opening quote, and the texts that the quotes from there on separate.

    The request's quote is the first one after ``] ``: the name of a user may hold quotes.
    """
    texts = _split_at_quotes(line)
    for place, text in enumerate(texts[:-1]):
        if text.endswith("] "):
            return '"'.join(texts[: place + 1]), texts[place + 1 :]
    raise Mismatch(Reason.NO_REQUEST if line else Reason.EMPTY)


def _split_at_quotes(line: str) -> list[str]:
    r"""Split at every quote that no backslash escapes: an odd number of backslashes before a quote escapes it."""
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


def _read_time(written: str) -> int:
    """Return the time, in microseconds since the epoch, of a stamp in brackets, with a blank on both sides."""
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
    """Read ``[vhost ]host ident user``.

    The user is all that follows the second blank. A user that begins with ``- `` shows that a virtual host stands
    before the host, unless the host would then be a dash or empty.
    """
    fields = head.split(" ", 2)
    if len(fields) < 3 or not fields[0]:
        raise Mismatch(Reason.HEAD)
    host, ident, user = fields
    members: list[Member] = []
    if user.startswith("- ") and _known(ident):
        members.append(("vhost", quote(host)))
        host, ident, user = ident, "-", user[2:]
    user = "" if user == '""' else user  # Apache writes an empty user name so
    return {"host": host, "ident": _known(ident), "ruser": _known(user)}, members


def _read_ending(quoted: list[str], variant: Variant) -> _Ending:
    """Read ``status bytes[ "referer" "user agent"][ extra]``, split at its quotes."""
    text = '"'.join(quoted)
    numbers = _NUMBERS.match(text)
    if numbers is None:
        raise Mismatch(Reason.STATUS)
    status, size = numbers.groups()
    if size is None or (size != "-" and int(size) > _MOST_BYTES):
        raise Mismatch(Reason.BYTES)
    columns: Columns = {
        "status_code": None if status == "-" else int(status),
        "response_bytes": None if size == "-" else int(size),
    }
    if variant is not Variant.COMMON and text.startswith(' "', numbers.end()):
        if len(quoted) < 5 or quoted[2] != " ":
            raise Mismatch(Reason.NO_AGENT)
        columns |= {"referer": _known(quoted[1]), "user_agent": _known(quoted[3])}
        return columns, '"'.join(quoted[4:]).removeprefix(" ")
    if variant is Variant.COMBINED:
        raise Mismatch(Reason.NO_REFERER)
    return columns, text[numbers.end() :].removeprefix(" ")


def _known(text: str) -> str | None:
    """Return the text; None if the log knows nothing: it is empty or a dash."""
    return None if text in {"", "-"} else text
