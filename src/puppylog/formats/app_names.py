"""Reads the names of loggers in the head of a line: see `puppylog.formats.app_head`."""

import re
from typing import Final

from puppylog.formats.app_head import HeadReader
from puppylog.formats.app_parts import is_capitals
from puppylog.model.severity import find_severity

_NAME = re.compile(r"[A-Za-z_$](?:[0-9A-Za-z_.$/#@-]|::(?=[0-9A-Za-z_.$/#@-]))*")
_FUNCTION = re.compile(r":([0-9A-Za-z_]+|<module>):([0-9]{1,7})(?![0-9A-Za-z])")
_LINE_AND_DASH = re.compile(r":([0-9]{1,7}) +- ")
_LINE = re.compile(r":([0-9]{1,7})\]")
_PROCESS = re.compile(r"\[([0-9]{1,10})\]")
_CATEGORY = re.compile(r"\[([0-9]{1,7})\]\Z")
_MODULE = re.compile(r" ([0-9]{1,10}) ([0-9]{1,18}) ")
_ANSIBLE = re.compile(r"p=([0-9]{1,10}) u=([^ |]+) (?:n=([^ |]+) )?(?:([A-Z]+))?\| ")
_SYSLOG_LEVEL = re.compile(r"LOG([0-7])(?=\[)")
_ID = re.compile(r"(?:0x)?[0-9A-Fa-f.:-]*[0-9A-Fa-f](?=[ \t|])")
_LEVEL_AND_COLON = re.compile(r"([A-Z]{2,13}[1-5]?) *:(?: |\Z)")
_CAMEL = re.compile(r"[A-Z][a-z0-9]+[A-Z][0-9A-Za-z]*")
_LOWER = re.compile(r"[a-z][a-z0-9_.-]*")

_LONGEST: Final = 120
_MAX_WORDS: Final = 2  # before the level
_MIN_ID_LENGTH: Final = 8
_MIN_ID_WITH_DIGIT: Final = 4  # at its start; shorter ones stand between tabs or bars
_SYSLOG_LEVELS: Final = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
_PLAIN_NAMES: Final = frozenset({"root", "main", "app"})
"""Names without any mark of a name that stand before a level."""


def read_name(reader: HeadReader) -> bool:
    """Read a name at the current index; return False if the message begins there."""
    may_precede_level = reader.has_time and not reader.head.level
    if may_precede_level and (_read_ansible(reader) or _read_syslog_level(reader) or _read_id(reader)):
        return True
    match = _NAME.match(reader.text, reader.at)
    if match is None or len(match[0]) > _LONGEST or reader.head.logger:
        return False
    if reader.is_letter and reader.closing == "]":
        return _read_within(reader, match[0], match.end())
    if reader.head.level and not reader.is_letter:
        return _read_after_level(reader, match[0], match.end())
    return _read_before_level(reader, match[0], match.end())


def _read_after_level(reader: HeadReader, name: str, end: int) -> bool:
    text, head = reader.text, reader.head
    category = _CATEGORY.match(text, end)
    if category is not None and reader.is_level_first and reader.items == 1 and reader.mark == ":":
        head.event_id = category[1]
        return _take(reader, name, category.end())
    module = _MODULE.match(text, end) if reader.is_level_first and reader.has_time and not head.pid else None
    if module is not None:
        head.pid, head.tid = module[1], module[2]
        return _take(reader, name, module.end())
    function = _FUNCTION.match(text, end)
    if function is not None:
        head.function, head.line = function[1], function[2]
        return _take(reader, name, function.end())
    line = _LINE_AND_DASH.match(text, end)
    if line is not None:
        head.line = line[1]
        return _take(reader, name, line.end(1))
    return _ends_logger(reader, name, end) and _take(reader, name, end)


def _read_within(reader: HeadReader, name: str, end: int) -> bool:
    """Read ``name]`` or ``name:line]`` after the letter and the time in brackets."""
    line = _LINE.match(reader.text, end)
    if line is None:
        return reader.byte(end) == "]" and _take(reader, name, end)
    reader.head.line = line[1]
    return _take(reader, name, line.end() - 1)


def _take(reader: HeadReader, name: str, end: int) -> bool:
    reader.head.logger, reader.at = name, end
    return True


def _ends_logger(reader: HeadReader, name: str, end: int) -> bool:  # noqa: PLR0911 - one for each mark
    """Return whether what follows a name after the level shows that it is the name of a logger."""
    text, following, after = reader.text, reader.byte(end), reader.byte(end + 1)
    if following == ":":
        if reader.mark == ":" and reader.is_tight:
            return True
        return after in {"", " ", "\t"} and _is_logger(reader, name)
    if following == "\t":
        return reader.mark == "\t" and after != "{"
    if following in {"|", "]"}:
        return following == "|" or reader.closing == "]"
    if following != " ":
        return False
    at = end
    while reader.byte(at) == " ":
        at += 1
    if text.startswith((": ", "- ", "|"), at):
        return not reader.closing
    dots = name.count(".")
    return dots >= 2 or (dots == 1 and reader.byte(end + 1) == "[")


def _is_logger(reader: HeadReader, name: str) -> bool:
    """Return whether a name before a colon is the name of a logger, and not the first word of the message."""
    if name.endswith(("Error", "Exception", "Warning")):
        return False
    if reader.mark == "=" or "::" in name or "." in name[1:-1] or any(mark in name for mark in "/$#"):
        return True
    if _CAMEL.fullmatch(name):
        return True
    return reader.is_level_bracketed and _LOWER.fullmatch(name) is not None


def _read_before_level(reader: HeadReader, name: str, end: int) -> bool:
    """Read a name before the level, which counts only if a level follows."""
    if reader.has_time and _read_channel(reader, name, end):
        return True
    if reader.words == _MAX_WORDS or not _ends_word(reader, name, end):
        return False
    process = _PROCESS.match(reader.text, end)
    reader.words += 1
    if process is not None:
        reader.head.pid, end = process[1], process.end()
    if not reader.word:
        reader.word = name
    elif not reader.head.context:
        reader.head.context = name
    reader.at = end
    return True


def _ends_word(reader: HeadReader, name: str, end: int) -> bool:  # noqa: PLR0911 - one for each mark
    text, following = reader.text, reader.byte(end)
    if following in {"|", "\t"} or _PROCESS.match(text, end):
        return True
    if following == ":":
        return reader.has_time and reader.byte(end + 1) in {" ", "\t"}
    if following != " ":
        return False
    at = end
    while reader.byte(at) == " ":
        at += 1
    if text.startswith("|", at):
        return True
    if reader.has_time and text.startswith(("- ", "> ", "-> ", ": "), at):
        return True
    level = _LEVEL_AND_COLON.match(text, at) if reader.has_time else None
    if level is not None and find_severity(level[1]) is not None:
        return True
    return name in _PLAIN_NAMES or any(byte in "0123456789._-" for byte in name[1:]) or reader.byte(at) == "("


def _read_channel(reader: HeadReader, name: str, end: int) -> bool:
    """Read ``production.ERROR:`` of Monolog."""
    channel, dot, level = name.rpartition(".")
    if not dot or reader.byte(end) != ":" or not is_capitals(level) or find_severity(level) is None:
        return False
    reader.set_level(level, is_bracketed=False)
    return _take(reader, channel, end)


def _read_syslog_level(reader: HeadReader) -> bool:
    """Read ``LOG3`` of stunnel, whose digit is syslog's number."""
    match = _SYSLOG_LEVEL.match(reader.text, reader.at)
    if match is None:
        return False
    reader.set_level(_SYSLOG_LEVELS[int(match[1])], is_bracketed=False)
    reader.at = match.end()
    return True


def _read_id(reader: HeadReader) -> bool:
    """Read the id of a request or a thread in hexadecimal digits, or an address; it counts only if a level follows."""
    match = _ID.match(reader.text, reader.at)
    if match is None or reader.words == _MAX_WORDS or not any(byte.isdigit() for byte in match[0]):
        return False
    is_between_marks = reader.byte(match.end()) != " "
    shortest = 1 if is_between_marks else _MIN_ID_WITH_DIGIT
    if len(match[0]) < (shortest if match[0][0].isdigit() else _MIN_ID_LENGTH):
        return False
    reader.words += 1
    if not reader.head.context:
        reader.head.context = match[0]
    reader.at = match.end()
    return True


def _read_ansible(reader: HeadReader) -> bool:
    match = _ANSIBLE.match(reader.text, reader.at)
    if match is None:
        return False
    reader.head.pid, reader.head.user, reader.head.logger = match[1], match[2], match[3] or ""
    if match[4] and find_severity(match[4]) is not None:
        reader.set_level(match[4], is_bracketed=False)
    reader.at = match.end()
    reader.settles = True
    return True
