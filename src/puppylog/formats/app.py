"""The format ``app``: text of applications, with a time stamp or a level at the start of each record.

The part before the message is read by `puppylog.formats.app_head`. A line that does not begin so continues the
record before. ``native/app.c`` does the same in C.
"""

import re
from copy import copy
from typing import Final

from puppylog.formats.app_head import HeadReader
from puppylog.formats.app_names import read_name
from puppylog.formats.app_parts import Head, find_letter, find_level, is_thread
from puppylog.formats.app_prefix import find_prefix
from puppylog.formats.dating import Dating, Heads
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.rows import NO_TIME, Member, RowsBuilder
from puppylog.formats.severity import severity_columns
from puppylog.model.severity import find_severity

_MAX_ITEMS: Final = 12
_CLASS = re.compile(r"[A-Za-z_$][0-9A-Za-z_$]*(?:\.[0-9A-Za-z_$]+)+")
_METHOD = re.compile(r"([A-Za-z_$][0-9A-Za-z_$]*(?:\.[0-9A-Za-z_$]+)+) ([0-9A-Za-z_$<>]+)")
_NEXT_LINE = re.compile(rb"(?:[ \t\r]*\n)*([^\n]*?)\r?\n")
_CODE = re.compile(r"[A-Z]{3,5}[0-9]{4,5}([IWES])(?=[ :]|\Z)")
_COLON = re.compile(": ")
_BEFORE_COLON = re.compile(r"(?:[:>\]] +([A-Z]{3,13}[1-5]?)|\(([A-Za-z]{3,13}[1-5]?)\))\Z")
_LEVEL_LINE = re.compile(r"([A-Z]{4,7}): ")


_OF_CODE: Final = {"I": "info", "W": "warning", "E": "error", "S": "error"}
_OF_PHP: Final = {
    "Fatal error": "critical",
    "Parse error": "error",
    "Recoverable fatal error": "error",
    "Warning": "warning",
    "Notice": "notice",
    "Deprecated": "notice",
}
_PHP = re.compile(rf"PHP ({'|'.join(_OF_PHP)}): ")
_LATEST_COLON: Final = 80  # bytes of the message
_DATA = re.compile(r"[\"'={}\x80-\U0010ffff]")
"""After one of these, what looks like a level is data of the message."""


def read_head(text: str, dating: Dating) -> Head | None:
    """Return the head of a record at the start of a text; None if the text begins no record.

    Args:
        text: a line.
        dating: what the stamps before have shown; is updated.
    """
    if text.startswith(("\t", "  ", " \t")):
        return None
    return _read(HeadReader(text, dating))


def read_head_behind(text: str, dating: Dating) -> Head | None:
    """Return the head of a record whose stamp is after a prefix of ids; None if there is none.

    The prefix is the context. If there is another context, the message is the whole line.

    Args:
        text: a line that begins with no head.
        dating: what the stamps before have shown; is updated.
    """
    prefix = None if text.startswith(("\t", " ")) else find_prefix(text, dating)
    if prefix is None:
        return None
    reader = HeadReader(text, dating)
    reader.at, reader.items, reader.is_sure = prefix.end, 1, True
    head = _read(reader)
    if head is None:
        return None
    head.level = head.level or prefix.level
    if head.context and prefix.text:
        head.message = text
    else:
        head.context = head.context or prefix.text
    return head


def _read(reader: HeadReader) -> Head | None:
    settled: tuple[HeadReader, Head, list[str]] | None = None
    is_settled = False
    for _ in range(_MAX_ITEMS):
        reader.skip()
        reader.settles = False
        was_open = reader.closing
        if not (reader.read_item() or read_name(reader)):
            break
        reader.items += 1
        is_settled = bool(reader.head.level) or reader.settles or (is_settled and bool(was_open) and not reader.closing)
        if is_settled:
            settled = copy(reader), copy(reader.head), [*reader.groups]
    if settled is None:
        return None
    reader, reader.head, reader.groups = settled[0], settled[1], settled[2]
    return _finish(reader)


def _finish(reader: HeadReader) -> Head | None:
    head = reader.head
    if reader.has_time:
        is_head = bool(head.level) or reader.is_time_bracketed or reader.is_sure or not reader.is_epoch
    elif head.time:
        is_head = bool(head.level) or reader.has_date
    else:
        is_head = reader.is_level_first
    if not is_head:
        return None
    reader.skip()
    head.message = reader.text[reader.at :]
    if not head.level:
        head.level = _find_level(head.message)
        return head
    _name_word(reader)
    _name_groups(reader)
    _cut_class(reader)
    return head


def _find_level(message: str) -> str:
    """Return the level in a message after a head without one; empty if there is none.

    It is the last letter of a code of IBM, ``ANR1234E``, a kind of errors of PHP, ``PHP Notice:  …``, or a word between
    marks near the start: ``backup: ERROR: …``, ``Puppet (err): …``. The message stays whole.
    """
    code = _CODE.match(message)
    if code is not None:
        return _OF_CODE[code[1]]
    php = _PHP.match(message)
    if php is not None:
        return _OF_PHP[php[1]]
    for colon in _COLON.finditer(message, 0, _LATEST_COLON + 1):
        level = _BEFORE_COLON.search(message, 0, colon.start())
        if level is None or _DATA.search(message, 0, level.start()):
            continue
        word = level[1] or level[2]
        if find_level(word) is not None:
            return word
    return ""


def _name_word(reader: HeadReader) -> None:
    """Take the name before the level for the logger, unless there is another logger."""
    head = reader.head
    if not head.logger:
        head.logger = reader.word
    elif not head.context:
        head.context = reader.word


def _name_groups(reader: HeadReader) -> None:
    """Take names in brackets for the logger, the thread and the context."""
    head = reader.head
    names = []
    for group in reader.groups:
        if not head.logger and ("." in group[1:-1] or "::" in group):
            head.logger = group
        elif not is_thread(group):
            names.append(group)
        else:
            head.context, head.thread = head.thread or head.context, group
    if names and not head.logger:
        head.logger = names.pop()
    if names and not head.context:
        head.context = names[0]


def _cut_class(reader: HeadReader) -> None:
    """Take the class after the message, as Kafka writes it, for the logger."""
    head = reader.head
    start = head.message.rfind(" (")
    if head.logger or not reader.is_time_bracketed or reader.is_level_bracketed or start < 0:
        return
    if head.message.endswith(")") and _CLASS.fullmatch(head.message, start + 2, len(head.message) - 1):
        head.logger, head.message = head.message[start + 2 : -1], head.message[:start]


def list_members(head: Head) -> list[Member]:
    """Return the attributes of a head, with the written level first."""
    return [
        *severity_members(head),
        *list_texts(("logger", head.logger)),
        *list_numbers(("pid", head.pid), ("tid", head.tid)),
        *list_texts(("thread", head.thread), ("user", head.user), ("file", head.file)),
        *list_numbers(("line", head.line)),
        *list_texts(("function", head.function)),
        *list_numbers(("event_id", head.event_id)),
        *list_texts(("context", head.context), ("time", head.time), ("zone", head.zone_name)),
    ]


def severity_members(head: Head) -> list[Member]:
    """Return the attribute that keeps the written level, if it differs from the severity."""
    return [] if len(head.level) < 2 else severity_columns(head.level)[1]


def severity_of(head: Head) -> str | None:
    """Return the severity of a head; None if it has no level."""
    return find_letter(head.level) if len(head.level) == 1 else find_severity(head.level) if head.level else None


def add_records(builder: RowsBuilder, dating: Dating, *, joins: bool) -> None:
    """Add the records of the builder's text.

    Args:
        builder: has the text.
        dating: what the stamps before have shown; is updated.
        joins: whether a line that begins no record continues the record before.
    """
    waits = False  # for the first line of a message
    class_line = -1  # the offset of the line with the level of the class before
    for at, line in builder.iter_lines():
        if at == class_line:
            start = line.index(b": ") + 2
            builder.continue_(at + start, line[start:])
            continue
        written = line.decode()
        head = read_head(written, dating)
        kind = Heads.AT_START
        if head is None and not (joins and dating.heads is Heads.AT_START):
            head, kind = read_head_behind(written, dating), Heads.BEHIND_IDS
        if head is not None and head.ts_us != NO_TIME and dating.heads is Heads.UNKNOWN:
            dating.heads = kind
        if head is None:
            _add_other(builder, at, line, joins=joins, waits=waits)
            waits = False
            continue
        following = _find_class(builder.text, at, head) if joins else None
        class_line = class_line if following is None else following
        builder.ambiguous_zones += bool(head.zone_name)
        builder.add(
            at,
            head.ts_us,
            is_local=head.is_local,
            members=list_members(head),
            columns={"severity": severity_of(head), "message": head.message},
        )
        waits = joins and not head.message and following is None


def _find_class(text: bytes, at: int, head: Head) -> int | None:
    """Read the class and the method of java.util.logging, and the level in the next line.

    Returns:
        The offset of the next line; None, and the head stays as it is, if the two lines are not of this form.
    """
    match = _METHOD.fullmatch(head.message)
    if head.level or head.time or match is None:
        return None
    following = _NEXT_LINE.match(text, text.index(b"\n", at) + 1)
    level = _LEVEL_LINE.match(following[1].decode()) if following is not None else None
    if following is None or level is None or find_severity(level[1]) is None:
        return None
    head.logger, head.function, head.level, head.message = match[1], match[2], level[1], ""
    return following.start(1)


def _add_other(builder: RowsBuilder, at: int, line: bytes, *, joins: bool, waits: bool) -> None:
    """Add a line that begins no record."""
    if not joins:
        builder.add(at, columns={"message": line.decode()})
        builder.orphans += 1
    elif waits:
        text = line.lstrip(b" \t")
        builder.continue_(at + len(line) - len(text), text)
    else:
        builder.continue_(at, line)
