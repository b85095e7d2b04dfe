"""The parts of a line before its message: what ``log_line_prefix`` writes, and the level.

``native/postgresql_head.c`` does the same in C.
"""

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from puppylog.formats.clock import OutOfRange, parse_iso
from puppylog.formats.stamp import Found, read_stamp

MAX_HEAD_LENGTH: Final = 512  # bytes


class Field(IntEnum):
    """A field of ``log_line_prefix``. ``native/enums.h`` has the same numbers."""

    TIME = 0
    EPOCH = 1
    START = 2
    PID = 3
    LEADER = 4
    LINE = 5
    USER = 6
    DATABASE = 7
    APP = 8
    REMOTE = 9
    HOST = 10
    LOCAL = 11
    BACKEND = 12
    TAG = 13
    CODE = 14
    SESSION = 15
    VXID = 16
    XID = 17
    QUERY_ID = 18
    OTHER = 19  # a prefix with words whose meaning is unknown


SEVERITIES: Final = {
    "LOG": "info",
    "ERROR": "error",
    "WARNING": "warning",
    "FATAL": "critical",
    "NOTICE": "notice",
    "INFO": "info",
    "DEBUG": "debug",
    "DEBUG1": "debug",
    "DEBUG2": "debug",
    "DEBUG3": "debug",
    "DEBUG4": "debug",
    "DEBUG5": "debug",
    "PANIC": "emergency",
}
PARTS: Final = ("STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE")
"""Lines with these words belong to the record before, if it is of the same process."""

_LEVEL = re.compile(rf"({'|'.join((*SEVERITIES, *PARTS))}):  ")
_ANY_LEVEL = re.compile(rf"(?<![0-9A-Za-z_]){_LEVEL.pattern}")
STAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: ?(?:[A-Za-z]+|[+-][0-9][0-9:]*))?"
)
_SEPARATORS = re.compile(r"[ ,:;<>()|/@-]*")
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_PROCESS = re.compile(r"([0-9]{1,18})(?:-([0-9]+))?")
_WORD = re.compile(r"[^ ,]+")
_PAIR = re.compile(r'([A-Za-z_]+)(?:=| = )(?:"([^"]*)"|([^ ,]*))')
_REMOTE = re.compile(r"[^(]+\([0-9]+\)")
_USER = re.compile(r"([^@]+)@([^:\[]*)")
_FORMS: Final = (
    (Field.REMOTE, re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z.])")),
    (Field.SESSION, re.compile(r"[0-9A-Fa-f]+\.[0-9A-Fa-f]+(?![0-9A-Za-z.])")),
    (Field.VXID, re.compile(r"[0-9]+/[0-9]+(?![0-9A-Za-z])")),
    (Field.PID, re.compile(r"[0-9]{1,18}(?![0-9A-Za-z])")),
    (Field.CODE, re.compile(r"(?=[A-Z]*[0-9])[0-9A-Z]{5}(?![0-9A-Za-z])")),
)
"""What a word means by its form alone."""

_KEYS: Final = {
    key: name
    for name, keys in {
        Field.USER: "user usr",
        Field.DATABASE: "db database dbname",
        Field.APP: "app application application_name",
        Field.REMOTE: "client host remote ip",
        Field.PID: "pid p",
        Field.SESSION: "session sid session_id",
        Field.LINE: "line l log_line",
        Field.XID: "tx txid xid tid",
        Field.VXID: "vxid vtid",
        Field.CODE: "state code sqlstate sql_error_code",
        Field.TAG: "cmd tag",
        Field.QUERY_ID: "query_id queryid",
        Field.BACKEND: "backend",
    }.items()
    for key in keys.split()
}
"""The keys that people write in front of a value."""


class Level(NamedTuple):
    """The word before the message."""

    word: str
    end: int  # the index of the message


_NO_LEVEL: Final = Level("", 0)


@dataclass(slots=True)
class Head:
    """What a line has before its message."""

    level: Level = _NO_LEVEL
    time: Found | None = None
    values: dict[Field, str] = field(default_factory=dict)


def read_level(line: str, at: int) -> Level | None:
    """Return the level at the index ``at``: a word, a colon and two blanks."""
    match = _LEVEL.match(line, at)
    return None if match is None else Level(match[1], match.end())


def read_stamp_until(line: str, start: int, end: int) -> Found | None:
    """Return the stamp at the index ``start``, which ends at the index ``end`` or before it."""
    try:
        whole = parse_iso(line[start:end])
    except OutOfRange:
        return None
    if whole is not None:
        return Found(whole.us, whole.is_local, end)
    found = read_stamp(line[start:end])
    return None if found is None else Found(found.us, found.is_local, start + found.end, found.zone_name)


def find_head(line: str) -> Head | None:
    """Return the head of a line whose prefix is not known; None unless it is surely one of PostgreSQL."""
    level = _ANY_LEVEL.search(line)
    if level is None or line.startswith("\t") or len(line[: level.end() - 3].encode()) >= MAX_HEAD_LENGTH:
        return None
    head = Head(Level(level[1], level.end()))
    text = line[: level.start()]
    at, has_unknown, is_sure = 0, False, not text
    while (at := _end_of(_SEPARATORS, text, at)) < len(text):
        brackets, stamp = _BRACKETS.match(text, at), STAMP.match(text, at)
        if brackets is not None:
            has_unknown |= not _read_brackets(head, brackets[1])
            at = brackets.end()
        elif stamp is not None:
            if not _read_stamp(head, stamp[0], at):
                return None
            at = head.time.end if head.time is not None and head.time.end > at else stamp.end()
        elif pair := _PAIR.match(text, at):
            is_time = pair[2] is not None and STAMP.fullmatch(pair[2]) is not None
            is_known = _read_stamp(head, pair[2], pair.start(2)) if is_time else _read_pair(head, pair)
            is_sure |= is_known and not is_time
            has_unknown |= not is_known
            at = pair.end()
        else:
            word = _WORD.match(text, at)
            size, is_known = _read_word(head, word[0] if word else "")
            has_unknown |= not is_known
            at += size
    if has_unknown:
        head.values[Field.OTHER] = text.rstrip(" ")
    is_sure |= bool(head.values.get(Field.PID)) or (head.time is not None and not has_unknown)
    return head if is_sure else None


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()


def _read_brackets(head: Head, text: str) -> bool:
    """Read a pid, or a pid and the number of the line, in brackets; return False if the text is neither."""
    match = _PROCESS.fullmatch(text)
    if match is None:
        return text in {"unknown", "local"}
    if Field.PID in head.values:
        head.values.setdefault(Field.LINE, match[1])
        return True
    head.values[Field.PID] = match[1]
    if match[2]:
        head.values.setdefault(Field.LINE, match[2])
    return True


def _read_stamp(head: Head, text: str, at: int) -> bool:
    """Read the time of the record at the index ``at``, or of the start of its session if the former is known."""
    if head.time is not None:
        head.values.setdefault(Field.START, text)
        return True
    found = read_stamp_until(text, 0, len(text))
    head.time = None if found is None else Found(found.us, found.is_local, at + found.end, found.zone_name)
    return found is not None


def _read_pair(head: Head, pair: re.Match[str]) -> bool:
    name = _KEYS.get(pair[1])
    if name is not None:
        head.values.setdefault(name, pair[3] if pair[2] is None else pair[2])
    return name is not None


def _read_word(head: Head, word: str) -> tuple[int, bool]:
    """Read a word; return how many characters were read, and whether it is known."""
    if remote := _REMOTE.match(word):
        head.values.setdefault(Field.REMOTE, remote[0])
        return remote.end(), True
    if user := _USER.match(word):
        head.values.setdefault(Field.USER, user[1])
        head.values.setdefault(Field.DATABASE, user[2])
        return user.end(), True
    for name, pattern in _FORMS:
        form = pattern.match(word)
        if form is not None and not (name is Field.PID and Field.PID in head.values):
            head.values.setdefault(name, form[0])
            return form.end(), True
    return len(word), False
