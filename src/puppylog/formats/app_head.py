"""Reads the head of a line of an application: what stands before the message. ``native/app_head.c`` does the same in C.

A head is a row of items, in any order, with blanks and other marks between them: a time stamp, a level, numbers of
processes, names in brackets, a logger, a place in the source. No list of patterns is tried: each item is known by its
own form, and the message begins at the first text that is not an item. Words before the level are items only if a level
follows, so that the message of a line without a level stays whole.
"""

import re
from typing import Final

from puppylog.formats.app_parts import LETTERS, Head, find_level, is_capitals, is_doubtful_epoch, is_letter, is_thread
from puppylog.formats.dating import Dating
from puppylog.formats.stamp import read_stamp
from puppylog.model.severity import find_severity

_MAX_GROUPS: Final = 4
_CLOSING: Final = {"[": "]", "(": ")", "{": "}", "<": ">"}
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
_MARK = re.compile(r"(->|-{1,3}|:{1,3}|[|;>,])")
_MARK_NAMES: Final = {"--": "=", ";": "|"}
_ARROW_AND_LEVEL = re.compile(r"-> +[A-Z]")
_CLOCK = re.compile(
    r"([0-9]{1,2}([/.-])[0-9]{1,2}\2[0-9]{2,4},? )?+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(?:[.,][0-9]{1,9}+)?+)?+"
    r"( ?[AP]M(?![0-9A-Za-z:]))?+(?![0-9A-Za-z:])"
)
_WORD = re.compile(r"([A-Za-z]{2,13}[1-5]?)(?![0-9A-Za-z_-])")
_CATEGORY = re.compile(r"([0-9A-Za-z_.-]+)[:#]([A-Za-z]+)")
_CHANNEL = re.compile(r"(.+)\.([A-Z]{3,}[A-Z1-5])", re.DOTALL)
_PROCESS = re.compile(r"[Pp][Ii][Dd][ :=]{0,2}([0-9]{1,10})")
_REST = re.compile(r"\|([^\[\](){}<>\"\x1b\x80-\U0010ffff]{0,80})")
_CODE = re.compile(r"\[([A-Z][0-9]{3,5})\](?=: )")
_BEFORE_DATE = re.compile(r" +\[[0-9]{4}[/.-]")
_GROUP = re.compile(r"[^\[\](){}<>\"\x1b\x80-\U0010ffff]{1,80}")
_DIGITS = re.compile(r"[0-9]{1,10}(?![0-9A-Za-z_./-])")
_THREAD_ID = re.compile(r"[0-9]{11,18}")
_THREAD_NUMBER = re.compile(r"#([0-9]{1,10})(?![0-9A-Za-z_./-])")
_SOURCE = re.compile(
    r"([0-9A-Za-z_./@-]+)\.(go|py|rb|java|js|ts|rs|c|cc|cpp|cs|php|scala|kt):([0-9]{1,7})(?![0-9A-Za-z])"
)
_CALL = re.compile(r":([0-9A-Za-z_~:]{1,80}\(\)):?(?=[ \t])")
_COMPONENT = re.compile(r"([DIWEF])[0-9]? +([A-Z_]{2,16}|-) +(?=\[)")
_LETTER_SOURCE = re.compile(r"[IWEF] [0-9A-Za-z_./@-]+:[0-9]{1,7}\]")
_JOINED_LETTER = re.compile(r"[TDINWECF]\[[0-9]")
_THREAD = re.compile(r"[A-Za-z0-9_$.-]+")

_CONSOLE: Final = frozenset({"info", "warn", "fail", "crit", "dbug", "trce", "error", "debug", "verbose", "warning"})
"""Levels in lower case that begin a record without a time, if a colon and a blank follow."""


class HeadReader:
    """Reads the items of a head, one after the other."""

    def __init__(self, text: str, dating: Dating) -> None:
        self.text, self.dating = text, dating
        self.end = len(text)
        self.at = 0
        self.head = Head()
        self.groups: list[str] = []  # names in brackets that are not understood yet
        self.items = 0
        self.words = 0  # before the level
        self.closing = ""  # the bracket that closes an open one
        self.mark = ""  # before the item: a dash, a colon, a tab or another mark, or nothing
        self.is_tight = False  # no blank is after the mark
        self.is_epoch = False  # the time is a number
        self.is_sure = False  # which a date confirms
        self.has_time = False
        self.has_date = False  # of a time that is not an instant
        self.is_letter = False  # the level is a letter
        self.is_level_first = self.is_level_bracketed = self.is_time_bracketed = False
        self.settles = False  # the item shows by itself that it belongs to a head
        self.word = ""  # a name before the level

    def byte(self, at: int) -> str:
        """Return the character at the index, or nothing after the end."""
        return self.text[at : at + 1]

    def skip(self) -> None:
        """Move over blanks, colours and one mark to the next item."""
        self.mark, self.is_tight = "", False
        self._skip_blanks()
        match = _MARK.match(self.text, self.at)
        if match is None or not self.items:
            return
        mark, after = match[0], match.end()
        if mark == "->" and (self.head.level or not _ARROW_AND_LEVEL.match(self.text, self.at)):
            return
        following = self.byte(after)
        self.is_tight = following not in {"", " ", "\t"}
        may_be_tight = mark in {"|", ";"} or (
            mark == ":" and (self.head.level or (self.has_time and is_capitals(following)))
        )
        if self.is_tight and not may_be_tight:
            return
        self.mark, self.at = _MARK_NAMES.get(mark, mark[0]), after
        self._skip_blanks()
        if self.mark == "=" and self.text.startswith(": ", self.at):  # Ruby's message without a program
            self.at += 2
            self._skip_blanks()

    def _skip_blanks(self) -> None:
        while True:
            byte = self.byte(self.at)
            if byte == "\t":
                self.mark = self.mark or "\t"
            if byte in {" ", "\t"}:
                self.at += 1
                continue
            escape = _ESCAPE.match(self.text, self.at) if byte == "\x1b" else None
            if escape is None:
                return
            self.at = escape.end()

    def read_item(self) -> bool:  # noqa: PLR0911 - one for each form of an item
        """Read the item at the current index; return False if there is none, or only a name."""
        byte = self.byte(self.at)
        if not byte:
            return False
        if self.closing and byte == self.closing:
            self.closing = ""
            self.at += 1
            return True
        if byte in _CLOSING:
            return not self.closing and self._read_bracket()
        if byte == "#":
            return self._read_thread_number()
        if not self.has_time and not self.head.time:
            end = self._read_time(self.at)
            if end is not None:
                self.at = end
                return True
        if byte.isascii() and byte.isdigit():
            return self._read_source_item() or self._read_number()
        return self._read_level() or self._read_source_item()

    def _read_time(self, at: int) -> int | None:
        """Read a stamp, or a time that is not an instant; return the index after it, or None."""
        found = read_stamp(self.text, at, self.dating)
        if found is not None:
            head = self.head
            head.ts_us, head.is_local, head.zone_name = found.us, found.is_local, found.zone_name
            self.has_time = self.settles = True
            self.is_epoch = is_doubtful_epoch(self.text[at : found.end], found.us)
            return found.end
        match = _CLOCK.match(self.text, at)
        if match is None or not (match[3] or match[4]):
            return None
        self.head.time, self.has_date = match[0], match[1] is not None
        self.settles = self.has_date
        return match.end()

    def set_level(self, level: str, *, is_bracketed: bool) -> None:
        """Set the level as it is written."""
        self.head.level, self.is_level_bracketed = level, is_bracketed
        self.is_letter = len(level) == 1
        self.is_level_first = self.items == 0 and not self.is_letter

    def _read_bracket(self) -> bool:
        text, opening = self.text, self.byte(self.at)
        closing, at = _CLOSING[opening], self.at + 1
        while self.byte(at) == " ":
            at += 1
        if opening in "[(" and not self.has_time and not self.head.time:
            is_letter = self.byte(at) in LETTERS and self.byte(at + 1) == " " and not self.head.level
            end = self._read_time(at + 2 if is_letter else at)
            if end is not None:
                if is_letter:
                    self.set_level(text[at], is_bracketed=True)
                self.is_time_bracketed = True
                self.at, self.closing = end, closing
                return True
        return self._read_level_within(at, closing) or self._read_group(opening, closing, at)

    def _read_level_within(self, at: int, closing: str) -> bool:  # noqa: PLR0911 - one for each form of a level
        """Read a level in brackets, alone or before other items."""
        if self.head.level and not self.is_letter:
            return False
        if self.byte(at) in LETTERS and self.byte(at + 1) == closing and not self.head.level:
            self.set_level(self.text[at], is_bracketed=True)
            self.at = at + 2
            return True
        if self.byte(at) in LETTERS and self._read_rest(at + 1, closing):
            self.set_level(self.text[at], is_bracketed=True)
            return True
        escape = _ESCAPE.match(self.text, at)
        at = escape.end() if escape is not None else at
        word = _WORD.match(self.text, at)
        if word is None or find_level(word[1]) is None:
            return False
        end = word.end()
        escape = _ESCAPE.match(self.text, end)
        end = escape.end() if escape is not None else end
        has_blank = self.byte(end) == " "
        while self.byte(end) == " ":
            end += 1
        if self.byte(end) == closing:
            self.set_level(word[1], is_bracketed=True)
            self.at = end + 1
            return True
        if self._read_rest(end, closing):
            self.set_level(word[1], is_bracketed=True)
            return True
        if not has_blank or not is_capitals(word[1]):
            return False
        self.set_level(word[1], is_bracketed=True)
        self.at, self.closing = end, closing
        return True

    def _read_rest(self, at: int, closing: str) -> bool:
        """Read ``|app|7f2a]`` after a level in brackets: the rest is the context."""
        rest = _REST.match(self.text, at)
        if rest is None or self.byte(rest.end()) != closing:
            return False
        self.head.context = rest[1].strip(" ")
        self.at = rest.end() + 1
        return True

    def _read_group(self, opening: str, closing: str, at: int) -> bool:
        """Read a number, a place in the source, or a name in brackets."""
        head = self.head
        digits = _DIGITS.match(self.text, at)
        is_apart = self.at == 0 or not is_letter(self.text[self.at - 1])  # INFO[0012] has seconds
        takes_number = opening in "[(" and not (head.pid and head.tid) and is_apart
        if takes_number and digits is not None and self.byte(digits.end()) == closing:
            if head.pid:
                head.tid = digits[0]
            else:
                head.pid = digits[0]
            self.at = digits.end() + 1
            return True
        thread = _THREAD_ID.match(self.text, at) if opening in "[(" and is_apart and not head.tid else None
        if thread is not None and self.byte(thread.end()) == closing:
            head.tid, self.at = thread[0], thread.end() + 1
            return True
        process = _PROCESS.match(self.text, at) if opening in "[(" and not head.pid else None
        if process is not None and self.byte(process.end()) == closing:
            head.pid, self.at = process[1], process.end() + 1
            return True
        start = head.file, head.line
        end = self._read_source(at)
        if end is not None and self.byte(end) == closing:
            self.at = end + 1
            return True
        head.file, head.line = start
        group = _GROUP.match(self.text, self.at + 1)
        content = group[0].strip(" ") if group is not None and self.byte(group.end()) == closing else ""
        if group is None or not content or not self._take_group(opening, content):
            return False
        self.at = group.end() + 1
        return True

    def _take_group(self, opening: str, content: str) -> bool:  # noqa: PLR0911 - two for each bracket
        head = self.head
        if opening in "({":
            if not self._is_thread(content) or head.thread:
                return False
            head.thread = content
            return True
        if opening == "<":
            if not (head.level or self.has_time) or head.thread or not set(content) <= set("0123456789."):
                return False
            head.thread = content
            return True
        if opening != "[" or (head.logger and not self.is_letter) or " " in content:
            return False
        if content.isdigit() or len(self.groups) == _MAX_GROUPS:
            return False
        written = (_CATEGORY.fullmatch(content) or _CHANNEL.fullmatch(content)) if not head.level else None
        if written is not None and find_severity(written[2]) is not None:
            self.set_level(written[2], is_bracketed=True)
            head.logger = written[1]
            return True
        self.groups.append(content)
        return True

    def _is_thread(self, content: str) -> bool:
        """Return whether a name in round or curly brackets is a thread: before the level, or directly after it."""
        if not self.head.level:
            return self.has_time and " " not in content
        is_after_logger = bool(self.groups) and "." in self.groups[-1]
        return is_after_logger or (is_thread(content) and " " not in content and not self.head.logger)

    def _read_thread_number(self) -> bool:
        """Read ``#123`` of Ruby, which is the number of the process."""
        match = _THREAD_NUMBER.match(self.text, self.at)
        if match is None or not self.closing or self.head.pid:
            return False
        self.head.pid, self.at = match[1], match.end()
        return True

    def _read_number(self) -> bool:
        head = self.head
        match = _DIGITS.match(self.text, self.at)
        if match is None or (head.pid and (head.tid or head.level)):
            return False
        thread = _THREAD_NUMBER.match(self.text, match.end()) if not head.pid else None
        end = match.end() if thread is None else thread.end()
        if self.byte(end) not in {"", " ", "\t", "|", ":", self.closing}:
            return False
        if head.level and thread is None and not self.text.startswith(" ---", end):
            return False
        self.at = end
        if head.pid:
            head.tid = match[0]
            return True
        head.pid = match[0]
        if thread is not None:
            head.tid = thread[1]
        return True

    def _read_source_item(self) -> bool:
        if not (self.has_time or self.head.level) or self.head.file:
            return False
        end = self._read_source(self.at)
        if end is None:
            return False
        self.at, self.settles = end, True
        call = _CALL.match(self.text, end)
        if call is not None:
            self.head.function, self.at = call[1], call.end()
        return True

    def _read_source(self, at: int) -> int | None:
        """Read ``file.go:12`` at the index; return the index after it, or None."""
        match = _SOURCE.match(self.text, at)
        if match is None:
            return None
        self.head.file, self.head.line = f"{match[1]}.{match[2]}", match[3]
        return match.end()

    def _read_level(self) -> bool:
        """Read a level without a bracket of its own."""
        head = self.head
        if self._read_letter():
            return True
        if head.level and not self.is_letter:
            return False
        word = _WORD.match(self.text, self.at)
        if word is None or find_level(word[1]) is None:
            return False
        end = word.end()
        if not self._is_level(word[1], end):
            return False
        self.set_level(word[1], is_bracketed=False)
        self.is_level_first &= is_capitals(word[1]) or word[1] in _CONSOLE
        self.at = end
        code = _CODE.match(self.text, end)
        if code is not None:
            head.context, self.at = code[1], code.end()
        name = _THREAD.match(self.text, end + 1) if self.closing and self.byte(end) == "/" else None
        if name is not None:
            head.thread, self.at = name[0], name.end()
        return True

    def _is_level(self, word: str, end: int) -> bool:
        following = self.byte(end)
        if is_capitals(word):
            return following in {"", " ", "\t", ":", "|", ";", "]", "/", "[", ",", ">", ")", "\x1b"}
        if following == ":" and self.byte(end + 1) in {"", " "}:
            return self.has_time or bool(self.head.time) or self.items == 0
        if self.items == 0 and (_CODE.match(self.text, end) or _BEFORE_DATE.match(self.text, end)):
            return True
        if self.closing and following in {" ", self.closing}:
            return True
        if self.mark not in {"|", "\t", "-", "="}:
            return False
        at = end
        while self.byte(at) == " ":
            at += 1
        return self.byte(at) in {"|", ";", "\t"} or self.text.startswith(("- ", "-- "), at)

    def _read_letter(self) -> bool:
        """Read the letter of Ruby, ``I, [``, or of MongoDB with the component after it, ``I NETWORK  [``."""
        head, text = self.head, self.text
        if head.level:
            return False
        if self.items == 0 and self.byte(self.at) in LETTERS and text.startswith(", [", self.at + 1):
            self.set_level(text[self.at], is_bracketed=False)
            self.at += 3
            return True
        if self.items == 0 and _JOINED_LETTER.match(text, self.at):  # of CometBFT, before the time in brackets
            self.set_level(text[self.at], is_bracketed=False)
            self.at += 1
            return True
        source = _LETTER_SOURCE.match(text, self.at) if self.has_time else None
        end = self._read_source(self.at + 2) if source is not None else None
        if end is not None:
            self.set_level(text[self.at], is_bracketed=False)
            self.at = end + 1
            return True
        match = _COMPONENT.match(text, self.at) if self.has_time else None
        if match is None:
            return False
        self.set_level(match[1], is_bracketed=False)
        head.logger = match[2] if match[2] != "-" else ""
        self.at = match.end()
        return True
