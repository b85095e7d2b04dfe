r"""Finds with which characters a text that matches an expression may begin.

`auto` asks more than 300 formats about the same lines, and most of them read other lines: the first characters say so.
To compile and search an expression costs a hundred times as much as this check.

>>> sorted(find_first_characters(r"^(?:[<\[]\d+|x?yz)") or ())
['<', '[', 'x', 'y']
>>> find_first_characters(r"^.*x") is None
True
"""

import re
import string
from typing import Final, TypeAlias

_Characters: TypeAlias = frozenset[str] | None  # None: any character, or unknown

_GROUP: Final = re.compile(r"\((?:\?(?:P?<\w+>|[msU]*:|(?P<flags>[msU]+)\)))?")
_SET: Final = re.compile(r"\[((?:\\[^A-Za-z0-9]|\\[dwts]|[^\]\\^-]-[^\]\\]|[^\]\\^[-])+-?)\]")
_ANY_SET: Final = re.compile(r"\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE: Final = re.compile(r"\\([^QCpPx0-9]|[pPx](?=\{)|[pP](?=.))(?:(?<=[pPx])(?:\{[^}]*\}|.))?", re.DOTALL)
_PART: Final = re.compile(r"\\(.)|(.)-(.)|(.)", re.DOTALL)
_QUANTIFIER: Final = re.compile(r"(?P<optional>[?*]|\{0[^}]*\})\??|(?:\+|\{[^}]*\})\??|")
_KINDS: Final = {
    "d": string.digits,
    "w": string.ascii_letters + string.digits + "_",
    "s": " \t\n\f\r",
    "t": "\t",
}


def find_first_characters(regex: str) -> _Characters:
    """Return the characters with which a match may begin; None if it may be any character, or if this is unknown.

    Args:
        regex: a valid expression of RE2.
    """
    scanner = _Scanner(regex)
    try:
        found = scanner.read_alternatives(is_anchored=False)
    except _UnknownError:
        return None
    return found if scanner.at == len(regex) else None


class _UnknownError(Exception):
    """The expression has something that is not understood here."""


class _Scanner:
    """Reads an expression from its start to its end."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self.at = 0

    def read_alternatives(self, *, is_anchored: bool) -> _Characters:
        """Return the first characters of all alternatives, up to the end of the group or of the expression."""
        found: set[str] = set()
        is_known = True
        while True:
            first = self._read_sequence(is_anchored=is_anchored)
            is_known = is_known and first is not None
            found |= first or set()
            if not self._regex.startswith("|", self.at):
                return frozenset(found) if is_known else None
            self.at += 1

    def _read_sequence(self, *, is_anchored: bool) -> _Characters:
        found: set[str] = set()
        is_known, is_complete = True, False
        while self.at < len(self._regex) and self._regex[self.at] not in "|)":
            if self._regex[self.at] == "^":
                self.at, is_anchored = self.at + 1, True
                continue
            first = self._read_atom()
            quantifier = _QUANTIFIER.match(self._regex, self.at)
            assert quantifier is not None  # noqa: S101 - the expression matches the empty text
            self.at = quantifier.end()
            if not is_complete and first != frozenset():
                is_known = is_known and is_anchored and first is not None
                found |= first or set()
                is_complete = not quantifier["optional"]
        return frozenset(found) if is_known and is_complete else None

    def _read_atom(self) -> _Characters:
        """Return the first characters of a group, a set or a character; none of a group with flags only."""
        letter = self._regex[self.at]
        if letter == "(":
            return self._read_group()
        if letter == "[":
            return self._read_set()
        if letter == "\\":
            return self._read_escape()
        self.at += 1
        return None if letter in ".$" else frozenset(letter)

    def _read_escape(self) -> _Characters:
        match = _ESCAPE.match(self._regex, self.at)
        if match is None:
            raise _UnknownError
        self.at = match.end()
        escaped = match[1]
        if escaped in _KINDS:
            return frozenset(_KINDS[escaped])
        return None if escaped.isalnum() else frozenset(escaped)

    def _read_group(self) -> _Characters:
        start = _GROUP.match(self._regex, self.at)
        if start is None or (self._regex.startswith("(?", self.at) and start.end() == self.at + 1):
            raise _UnknownError
        self.at = start.end()
        if start["flags"]:
            return frozenset()
        first = self.read_alternatives(is_anchored=True)
        self.at += 1  # the closing parenthesis
        return first

    def _read_set(self) -> _Characters:
        whole = _ANY_SET.match(self._regex, self.at)
        if whole is None:
            raise _UnknownError
        self.at = whole.end()
        simple = _SET.fullmatch(whole[0])
        if simple is None:
            return None
        found: set[str] = set()
        for escaped, first, last, single in _PART.findall(simple[1]):
            if first:
                found |= {chr(code) for code in range(ord(first), min(ord(last), 0x24F) + 1)}
            else:
                found |= set(_KINDS.get(escaped, escaped or single))
        return frozenset(found)
