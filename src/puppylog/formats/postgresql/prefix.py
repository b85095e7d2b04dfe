"""A ``log_line_prefix`` that the user gives: compiled to steps, and matched with lines.

``native/postgresql_prefix.c`` does the same in C.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from puppylog.errors import FormatError
from puppylog.formats import clock
from puppylog.formats.postgresql.head import MAX_HEAD_LENGTH, STAMP, Field, Head, read_level, read_stamp_until
from puppylog.formats.stamp import Found

_ESCAPE = re.compile(r"%(-?[0-9]*)(.?)", re.DOTALL)
_FIELDS: Final = {
    "a": Field.APP,
    "u": Field.USER,
    "d": Field.DATABASE,
    "r": Field.REMOTE,
    "h": Field.HOST,
    "L": Field.LOCAL,
    "b": Field.BACKEND,
    "p": Field.PID,
    "P": Field.LEADER,
    "t": Field.TIME,
    "m": Field.TIME,
    "n": Field.EPOCH,
    "Q": Field.QUERY_ID,
    "i": Field.TAG,
    "e": Field.CODE,
    "c": Field.SESSION,
    "l": Field.LINE,
    "s": Field.START,
    "v": Field.VXID,
    "x": Field.XID,
}
_FREE: Final = frozenset(
    {Field.APP, Field.USER, Field.DATABASE, Field.REMOTE, Field.HOST, Field.LOCAL, Field.BACKEND, Field.TAG}
)
_FORMS: Final = {
    Field.SESSION: re.compile(r"[0-9A-Fa-f]+\.[0-9A-Fa-f]+"),
    Field.VXID: re.compile(r"[0-9]+/[0-9]+"),
    Field.EPOCH: re.compile(r"[0-9]+\.[0-9]+"),
    Field.QUERY_ID: re.compile(r"-?[0-9]{0,19}"),
    Field.CODE: re.compile(r"[0-9A-Z]{5}"),
}
_DIGITS = re.compile(r"[0-9]{1,18}")
_DIRECTIVE = re.compile(r"\s*log_line_prefix\s*(?:=|\s)\s*", re.IGNORECASE)
_OF_THE_TIME: Final = frozenset("tmn")
_OF_THE_PROCESS: Final = frozenset("pc")
_MAX_STEPS: Final = 32
_MAX_TRIES: Final = 64


class Step(NamedTuple):
    """A field, and the text after it."""

    field: Field
    is_padded: bool  # blanks may be on both sides of the value
    literal: bytes


@dataclass(frozen=True, slots=True)
class Prefix:
    """A compiled ``log_line_prefix``."""

    literal: bytes  # the text before the first field
    steps: tuple[Step, ...]
    optional: int  # the fields from this one on are missing in lines of background processes; -1: none


def is_prefix(written: str) -> bool:
    """Return whether the text is a ``log_line_prefix``: the setting, or the string alone.

    The string alone must have a time and a process, and no escape that only Apache's log formats have.
    """
    if _DIRECTIVE.match(written):
        return True
    letters = [match[2] for match in _ESCAPE.finditer(written)]
    are_known = all(letter in _FIELDS or letter in {"q", "%"} for letter in letters)
    has_both = not _OF_THE_TIME.isdisjoint(letters) and not _OF_THE_PROCESS.isdisjoint(letters)
    return are_known and has_both and '"' not in written


def compile_prefix(written: str) -> Prefix:
    """Return the steps of a ``log_line_prefix``.

    Args:
        written: the setting with its quotes, as in postgresql.conf, or the string alone.

    Raises:
        FormatError: an escape is unknown, or there are too many.
    """
    text = _unquote(written)
    literals, optional = [""], -1
    steps: list[tuple[Field, bool]] = []
    start = 0
    for match in _ESCAPE.finditer(text):
        literals[-1] += text[start : match.start()]
        start = match.end()
        if match[2] == "%":
            literals[-1] += "%"
        elif match[2] == "q":
            optional = len(steps)
        elif match[2] in _FIELDS and len(steps) < _MAX_STEPS:
            steps.append((_FIELDS[match[2]], bool(match[1])))
            literals.append("")
        else:
            cause = f"{match[0]} is unknown" if match[2] not in _FIELDS else f"it has more than {_MAX_STEPS} fields"
            raise FormatError(f"log_line_prefix {text!r}", cause, written=text, at=match.start())
    literals[-1] += text[start:]
    texts = [literal.encode() for literal in literals]
    made = (Step(name, is_padded, literal) for (name, is_padded), literal in zip(steps, texts[1:], strict=True))
    return Prefix(texts[0], tuple(made), optional)


def _unquote(written: str) -> str:
    directive = _DIRECTIVE.match(written)
    if directive is None:
        return written
    text = written[directive.end() :]
    if text.startswith("'"):
        value = re.match(r"'((?:[^']|'')*)'", text)
        return value[1].replace("''", "'") if value is not None else text[1:]
    return text.strip()


def match_prefix(prefix: Prefix, line: str) -> Head | None:
    """Return the head of a line; None if the line does not begin with the prefix and a level."""
    literal = prefix.literal.decode()
    match = _Match(prefix, line)
    return match.head if line.startswith(literal) and match.match_from(0, len(literal)) else None


class _Match:
    """The match of a prefix with one line."""

    def __init__(self, prefix: Prefix, line: str) -> None:
        self._prefix = prefix
        self._line = line
        self._tries = _MAX_TRIES  # ends of values that may still be tried, so that no line takes long
        self._limit = len(line.encode()[:MAX_HEAD_LENGTH].decode(errors="ignore"))
        self.head = Head()

    def match_from(self, place: int, at: int) -> bool:
        """Match the fields from the one of number ``place`` on, and the level after them."""
        steps = self._prefix.steps
        if place < len(steps):
            start = self._skip_blanks(at) if steps[place].is_padded else at
            if self._match_value(place, start):
                return True
        if place not in {len(steps), self._prefix.optional}:
            return False
        level = read_level(self._line, at)
        if level is None:
            return False
        self.head.level = level
        for step in steps[place:]:
            self.head.values.pop(step.field, None)
            if step.field in {Field.TIME, Field.EPOCH}:
                self.head.time = None
        return True

    def _match_value(self, place: int, start: int) -> bool:
        name = self._prefix.steps[place].field
        if name in {Field.TIME, Field.EPOCH, Field.START}:
            return self._match_time(place, start)
        if name in _FREE:
            return self._match_free(place, start)
        match = _FORMS.get(name, _DIGITS).match(self._line, start)
        return self._match_after(place, start, start if match is None else match.end())

    def _match_time(self, place: int, at: int) -> bool:
        name = self._prefix.steps[place].field
        match = (_FORMS[name] if name is Field.EPOCH else STAMP).match(self._line, at)
        if match is None:
            return False
        if name is Field.EPOCH:
            stamp = clock.parse_epoch(match[0])
            self.head.time = None if stamp is None else Found(stamp.us, is_local=False, end=match.end())
        elif name is Field.TIME:
            self.head.time = read_stamp_until(self._line, at, match.end())
        return (self.head.time is not None or name is Field.START) and self._match_after(place, at, match.end())

    def _match_free(self, place: int, start: int) -> bool:
        """Match a value that ends before the next text of the prefix, with which the rest of the line matches."""
        literal = self._prefix.steps[place].literal.decode()
        at = self._line.find(literal, start)
        while 0 <= at <= self._limit:
            if self._tries <= 0:
                self._tries -= 1
                return False
            self._tries -= 1
            if self._match_after(place, start, at):
                return True
            at = self._line.find(literal, at + 1)
        return False

    def _match_after(self, place: int, start: int, end: int) -> bool:
        """Set the value of a step, and go on after the text that follows it."""
        step = self._prefix.steps[place]
        literal = step.literal.decode()
        at = end
        if step.is_padded:
            end = start + len(self._line[start:end].rstrip(" "))
            blanks = self._skip_blanks(at)
            if not literal.startswith(" "):
                at = blanks
            elif blanks > at:
                at = blanks - 1
        self.head.values[step.field] = self._line[start:end]
        return self._line.startswith(literal, at) and self.match_from(place + 1, at + len(literal))

    def _skip_blanks(self, at: int) -> int:
        return at + len(self._line[at:]) - len(self._line[at:].lstrip(" "))
