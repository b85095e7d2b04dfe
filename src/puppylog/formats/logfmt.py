r"""The format ``logfmt``: ``key=value key="a value in quotes" key``, separated by blanks or tabs.

Every word must be a pair or a bare key. The first word must be a pair, and a line must not have more bare keys than
pairs: otherwise prose with one equals sign would be logfmt. A value in quotes may have escapes of Go, C or JSON; a
backslash before another character is a backslash. In the attributes the value of a bare key is true, and ``true``,
``false`` and numbers without quotes are JSON values. A number of more than 20 characters stays a text, because it is an
identifier. If several keys are equal, the last of them counts. ``names`` and ``fields`` decide what fills a column.
"""

import re
from typing import Final

from puppylog.formats import native
from puppylog.formats.entry import Entry, add_entry
from puppylog.formats.fields import Member, read_fields
from puppylog.formats.names import TABLE, find_name, normalize
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers

CONTROL: Final = "a control character"
NO_PAIR: Final = "no key=value pair at its start"
NO_KEY: Final = "a word that is not a key"
OPEN_QUOTE: Final = "an unclosed quote"
QUOTE_WITHIN: Final = "a quote within a word"
FEW_PAIRS: Final = "more words than key=value pairs"
REASONS: Final = (CONTROL, NO_PAIR, NO_KEY, OPEN_QUOTE, QUOTE_WITHIN, FEW_PAIRS)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
_BLANKS = re.compile(r"[ \t]*")
_WORD_END = re.compile(r"[ \t]|\Z")
_KEY = re.compile(r"[A-Za-z_@%\x80-\U0010ffff][A-Za-z0-9_@%.:/#$\[\]\x80-\U0010ffff-]*")
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
_PLAIN = re.compile(r'[^ \t"]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-][0-9]{1,3})?")
_MAX_NUMBER_LENGTH = 20
_ESCAPE = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<unit>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2})|(?P<character>.))"
)
_ESCAPED_CHARACTERS: Final = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_REPLACEMENT: Final = "\ufffd"


class InvalidLogfmt(ValueError):
    """The line is not logfmt."""

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


def read_logfmt(text: bytes | memoryview) -> Rows:
    """Return the rows of logfmt lines; see `puppylog.formats.line_format.Reader`."""
    if native.lines is not None:
        return rows_from_buffers(native.lines.logfmt(text, TABLE), REASONS)
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        try:
            entry = read_logfmt_line(line.decode())
        except InvalidLogfmt as error:
            builder.reject(at, error.reason)
        else:
            add_entry(builder, at, entry)
    return builder.build()


def find_logfmt_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    try:
        _list_members(line)
    except InvalidLogfmt as error:
        return error.at
    return 0


def begins_logfmt(text: str) -> bool:
    """Return whether a text begins with ``key=``."""
    key = _KEY.match(text)
    return key is not None and text.startswith("=", key.end())


def read_logfmt_line(line: str) -> Entry:
    """Return the record of a line.

    Raises:
        InvalidLogfmt: the line is not logfmt.
    """
    members, has_invalid_escapes = _list_members(line)
    fields = read_fields(members)
    if has_invalid_escapes:
        fields.attributes.append(("invalid_escape", "true"))
    return Entry(fields.ts_us, fields.is_local, fields.columns, fields.attributes, fields.has_ambiguous_zone)


def _list_members(line: str) -> tuple[list[Member], bool]:
    """Return the members of a line, and whether there were invalid escapes.

    Raises:
        InvalidLogfmt: the line is not logfmt.
    """
    if control := _CONTROL.search(line):
        raise InvalidLogfmt(CONTROL, control.start())
    members: list[Member] = []
    pairs = 0
    has_invalid_escapes = False
    at = _skip(line, 0)
    while at < len(line) or not members:
        key = _KEY.match(line, at)
        is_pair = key is not None and line.startswith("=", key.end())
        if key is None or not (is_pair or (members and _WORD_END.match(line, key.end()))):
            raise InvalidLogfmt(NO_KEY if members else NO_PAIR, at)
        member = Member(key[0], "true", name=find_name(normalize(key[0])))
        at = key.end()
        if is_pair:
            pairs += 1
            at, has_invalid_escape = _read_value(member, line, at + 1)
            has_invalid_escapes |= has_invalid_escape
        members.append(member)
        at = _skip(line, at)
    if len(members) > 2 * pairs:
        raise InvalidLogfmt(FEW_PAIRS)
    last = {member.key: member for member in members}
    return [member for member in members if last[member.key] is member], has_invalid_escapes


def _skip(line: str, at: int) -> int:
    match = _BLANKS.match(line, at)
    return match.end() if match else at


def _read_value(member: Member, line: str, at: int) -> tuple[int, bool]:
    """Read the value at the index ``at`` into the member; return the index after it, and if it has invalid escapes."""
    is_quoted = line.startswith('"', at)
    match = (_QUOTED if is_quoted else _PLAIN).match(line, at)
    if match is None:
        raise InvalidLogfmt(OPEN_QUOTE, at)
    if not _WORD_END.match(line, match.end()):
        raise InvalidLogfmt(QUOTE_WITHIN, match.end())
    if is_quoted:
        member.text, has_invalid_escapes = _unescape(match[1])
        member.json = quote(member.text)
        return match.end(), has_invalid_escapes
    value = match[0]
    if len(value) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(value):
        member.text, member.is_number, member.json = value, True, value
    elif value in {"true", "false"}:
        member.json = value
    else:
        member.text, member.json = value, quote(value)
    return match.end(), False


def _unescape(text: str) -> tuple[str, bool]:
    found = False

    def replace(match: re.Match[str]) -> str:
        nonlocal found
        if match["high"]:
            return (bytes.fromhex(match["high"]) + bytes.fromhex(match["low"])).decode("utf-16-be")
        if match["character"]:
            return _ESCAPED_CHARACTERS.get(match["character"], match[0])
        code = int(match["unit"] or match["byte"], 16)
        is_invalid = code == 0 or (0xD800 <= code < 0xE000 if match["unit"] else code >= 0x80)
        found = found or is_invalid
        return _REPLACEMENT if is_invalid else chr(code)

    return _ESCAPE.sub(replace, text), found
