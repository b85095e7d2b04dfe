r"""Parses the text of a regular expression into its tree, or reports what is wrong, with its position.

The syntax is RE2's. Greedy and lazy counts give the same tree and groups capture nothing, because a query only asks
whether a text matches.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from puppylog.model.regex.characters import (
    BLANKS,
    DIGITS,
    LAST,
    NEWLINE,
    POSIX,
    WORD,
    Ranges,
    complement,
    ignore_case,
    unite,
)
from puppylog.model.regex.tree import (
    EMPTY,
    Alternatives,
    Assertion,
    AssertionKind,
    Characters,
    Regex,
    Repeat,
    Sequence,
    length,
)

MAX_COUNT: Final = 255  # PostgreSQL's limit
MAX_LENGTH: Final = 1000
MAX_DEPTH: Final = 20
_TOO_LONG: Final = f"it has more than {MAX_LENGTH:,} characters once its counts are written out (\\b counts as 100)"

_COUNT: Final = re.compile(r"\{([0-9]{1,6})(?:(,)([0-9]{1,6})?)?\}")
_FLAGS: Final = re.compile(r"\(\?([imsU]*)(-[imsU]+)?([:)])")
_NAMED: Final = re.compile(r"\(\?P?<[A-Za-z_]\w*>", re.ASCII)
_POSIX: Final = re.compile(r"\[:(\^?)([a-z]+):\]")
_HEX: Final = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_CLASSES: Final[dict[str, Ranges]] = {"d": DIGITS, "w": WORD, "s": BLANKS}
_CONTROLS: Final = {"a": 7, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_ASSERTIONS: Final = {
    "A": AssertionKind.START,
    "z": AssertionKind.END,
    "b": AssertionKind.WORD_EDGE,
    "B": AssertionKind.NO_WORD_EDGE,
}


class RegexError(Exception):
    """What is wrong with a regular expression, and the range of its text that is wrong, in characters."""

    def __init__(self, cause: str, start: int, end: int) -> None:
        super().__init__(cause)
        self.cause = cause
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class _Flags:
    ignores_case: bool = False
    dot_is_any: bool = False
    has_lines: bool = False


def parse_regex(text: str) -> Regex:
    """Return the tree of a regular expression.

    Raises:
        RegexError: RE2 refuses it, or two stores would not match the same texts.
    """
    parser = _Parser(text)
    tree = parser.alternatives(_Flags(), 0)
    if parser.at < len(text):
        raise RegexError("a closing parenthesis has no opening one", parser.at, parser.at + 1)
    if length(tree) > MAX_LENGTH:
        raise RegexError(_TOO_LONG, 0, len(text))
    return tree


class _Parser:
    """Reads one text from left to right. ``at`` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def _next(self) -> str:
        return self._text[self.at : self.at + 1]

    def _refuse(self, cause: str, start: int, end: int | None = None) -> RegexError:
        return RegexError(cause, start, max(start + 1, self.at if end is None else end))

    def alternatives(self, flags: _Flags, depth: int) -> Regex:
        """Read alternatives up to a closing parenthesis or the end of the text."""
        if depth > MAX_DEPTH:
            raise self._refuse(f"it is nested more than {MAX_DEPTH} deep", self.at - 1)
        branches: list[Regex] = []
        parts: list[Regex] = []
        while (character := self._next()) not in {"", ")"}:
            if character == "|":
                self.at += 1
                branches.append(_sequence(parts))
                parts = []
            elif match := _FLAGS.match(self._text, self.at):
                self.at = match.end()
                changed = _change(flags, match[1], match[2] or "")
                if match[3] == ")":
                    flags = changed
                else:
                    parts.append(self._repeated(self._group(match.start(), changed, depth), match.start()))
            else:
                start = self.at
                parts.append(self._repeated(self._atom(flags, depth), start))
        branches.append(_sequence(parts))
        return branches[0] if len(branches) == 1 else Alternatives(tuple(branches))

    def _group(self, start: int, flags: _Flags, depth: int) -> Regex:
        inner = self.alternatives(flags, depth + 1)
        if not self._next():
            raise self._refuse("a parenthesis is not closed", start, start + 1)
        self.at += 1
        return inner

    def _atom(self, flags: _Flags, depth: int) -> Regex:
        start, character = self.at, self._next()
        if character == "(":
            return self._open_group(start, flags, depth)
        if character == "[":
            return Characters(self._bracket(flags))
        if character == "\\":
            return self._escape(flags)
        if character in "*+?":
            raise self._refuse(f"there is nothing before {character} to repeat", start)
        self.at += 1
        return _plain(character, flags)

    def _open_group(self, start: int, flags: _Flags, depth: int) -> Regex:
        if match := _NAMED.match(self._text, start):
            self.at = match.end()
        elif self._text.startswith("(?", start):
            kind = "look-around" if self._text[start + 2 : start + 3] in set("=!<") else "this kind of group"
            raise self._refuse(f"{kind} is not accepted: RE2 has none", start, start + 3)
        else:
            self.at += 1
        return self._group(start, flags, depth)

    def _repeated(self, part: Regex, start: int) -> Regex:
        """Read the count after a part, if there is one; return the part with its count."""
        counts = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        at, character = self.at, self._next()
        least: int
        most: int | None
        if character and character in counts:
            (least, most), self.at = counts[character], self.at + 1
        elif match := _COUNT.match(self._text, self.at):
            least = int(match[1])
            most = int(match[3]) if match[3] else None if match[2] else least
            self.at = match.end()
            if least > MAX_COUNT or (most or 0) > MAX_COUNT:
                raise self._refuse(f"a count is at most {MAX_COUNT}", at)
            if most is not None and most < least:
                raise self._refuse("the count ends below its start", at)
        else:
            return part
        if self._next() == "?":
            self.at += 1
        if self._next() in {"*", "+", "?"} or _COUNT.match(self._text, self.at):
            raise self._refuse("a count cannot follow a count; put the part before it into (?:…)", self.at, self.at + 1)
        repeated = _repeat(part, least, most)
        if length(repeated) > MAX_LENGTH:
            raise self._refuse(_TOO_LONG, start)
        return repeated

    def _escape(self, flags: _Flags) -> Regex:
        letter = self._text[self.at + 1 : self.at + 2]
        if letter and letter in _ASSERTIONS:
            self.at += 2
            return Assertion(_ASSERTIONS[letter])
        found = self._escaped(flags)
        return Characters(found if isinstance(found, tuple) else _one(found, flags))

    def _escaped(self, flags: _Flags) -> Ranges | int:
        """Read an escape; return the code point that it stands for, or the ranges of a class."""
        start = self.at
        letter = self._text[start + 1 : start + 2]
        self.at += 2
        if letter and letter.lower() in _CLASSES:
            return _class(_CLASSES[letter.lower()], flags, is_negated=letter.isupper())
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if match := _HEX.match(self._text, start):
            self.at = match.end()
            code = int(match[1] or match[2], 16)
            if not 0 < code <= LAST or 0xD800 <= code <= 0xDFFF:
                raise self._refuse("no text has this character", start)
            return code
        if letter and letter.isascii() and not letter.isalnum() and letter != "_":
            return ord(letter)
        raise self._refuse(_why_not(letter), start)

    def _bracket(self, flags: _Flags) -> Ranges:
        start = self.at
        self.at += 1
        is_negated = self._next() == "^"
        self.at += is_negated
        ranges: list[tuple[int, int]] = []
        is_first = True
        while is_first or self._next() != "]":
            if not self._next():
                raise self._refuse("a bracket is not closed", start, start + 1)
            ranges.extend(self._member(flags))
            is_first = False
        self.at += 1
        found = ignore_case(unite(ranges)) if flags.ignores_case else unite(ranges)
        return complement(found) if is_negated else found

    def _member(self, flags: _Flags) -> Ranges:
        """Read a class, a character or a range of characters."""
        start = self.at
        if match := _POSIX.match(self._text, start):
            self.at = match.end()
            if match[2] not in POSIX:
                raise self._refuse(f"there is no class {match[0]}", start)
            return _class(POSIX[match[2]], flags, is_negated=bool(match[1]))
        low = self._end_of_range(flags)
        if isinstance(low, tuple):
            return low
        if self._next() != "-" or self._text[self.at + 1 : self.at + 2] in {"]", ""}:
            return ((low, low),)
        self.at += 1
        high = self._end_of_range(flags)
        if isinstance(high, tuple) or high < low:
            raise self._refuse("this is not a valid range of characters", start)
        return ((low, high),)

    def _end_of_range(self, flags: _Flags) -> Ranges | int:
        if self._next() == "\\":
            return self._escaped(flags)
        self.at += 1
        return ord(self._text[self.at - 1])


def _why_not(letter: str) -> str:
    if not letter:
        return "a backslash at the end escapes nothing"
    if letter.isdigit():
        return "a back-reference is not accepted: RE2 has none"
    if letter in "pP":
        return r"Unicode classes are not accepted: PostgreSQL has none; write the characters as a set, such as [a-zà-ÿ]"
    return f"there is no escape \\{letter}"


def _class(ranges: Ranges, flags: _Flags, *, is_negated: bool) -> Ranges:
    r"""Return a class or its complement. RE2 ignores case in classes, too: the long s is a ``\w`` then."""
    found = ignore_case(ranges) if flags.ignores_case else ranges
    return complement(found) if is_negated else found


def _plain(character: str, flags: _Flags) -> Regex:
    match character:
        case ".":
            return Characters(complement(() if flags.dot_is_any else NEWLINE))
        case "^":
            return Assertion(AssertionKind.LINE_START if flags.has_lines else AssertionKind.START)
        case "$":
            return Assertion(AssertionKind.LINE_END if flags.has_lines else AssertionKind.END)
    return Characters(_one(ord(character), flags))


def _one(code: int, flags: _Flags) -> Ranges:
    return ignore_case(((code, code),)) if flags.ignores_case else ((code, code),)


def _sequence(parts: list[Regex]) -> Regex:
    kept = [part for part in parts if part != EMPTY]
    return kept[0] if len(kept) == 1 else Sequence(tuple(kept))


def _repeat(part: Regex, least: int, most: int | None) -> Regex:
    if most == 0 or part == EMPTY:
        return EMPTY
    if isinstance(part, Assertion):  # PostgreSQL accepts no count after an assertion
        return part if least else EMPTY
    return Repeat(part, least, most)


def _change(flags: _Flags, on: str, off: str) -> _Flags:
    for letters, value in ((on, True), (off, False)):
        for letter in letters:
            match letter:
                case "i":
                    flags = replace(flags, ignores_case=value)
                case "s":
                    flags = replace(flags, dot_is_any=value)
                case "m":
                    flags = replace(flags, has_lines=value)
    return flags
