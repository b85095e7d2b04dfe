r"""Says by two cheap checks whether a text may match an expression of RE2.

`auto` asks more than 300 formats about each file. The first check is the first character of the text. The second is the
beginning of the expression, up to the first part that could be slow in Python's ``re``. Compiling and searching one
expression with RE2 costs as much as 30 such checks.

>>> find_beginning(r"^(?P<time>\d{4}-\d\d) \[(?P<user>.*)\]$")
'^(?P<time>\\d{4}-\\d\\d) \\['
>>> find_beginning(r"^\S+ x|y") is None
True
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from puppylog.formats.file.first_characters import find_first_characters

_GROUP: Final = re.compile(r"\((?!\?)|\(\?:|\(\?P<\w+>")
_ATOM: Final = re.compile(
    r"\[\^?(?:\\[^A-Za-z0-9]|\\[dwt]|[^\]\\^-]-[^\]\\]|[^\]\\^[-])+-?\]|\\[^A-Za-z0-9]|\\[dDwWst]|[^\\\[\](){}|^$.?*+]"
)
_QUANTIFIER: Final = re.compile(r"(?:(?:\?|\{\d+\}|\{\d+,\d+\}|(?P<unbounded>[*+]))\??)?(?![?*+{])")
_SET_OPERATION: Final = re.compile(r"--|&&|~~|\|\|")  # Python warns of these in a set
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]|[()|]", re.DOTALL)


@dataclass(frozen=True)
class Head:
    """An expression of RE2 that matches the first line of a record."""

    regex: str
    first: frozenset[str] | None
    """The characters with which a match may begin; None for any."""

    @classmethod
    def of(cls, regex: str) -> "Head":
        """Return a valid expression of RE2 with its first characters."""
        return cls(regex, find_first_characters(regex))

    @cached_property
    def _beginning(self) -> re.Pattern[str] | None:
        found = find_beginning(self.regex)
        return None if found is None else re.compile(found, re.ASCII)

    def may_match(self, texts: Iterable[str]) -> bool:
        """Return False only if none of the texts matches."""
        return self._beginning is None or any(map(self._beginning.match, texts))


def find_beginning(regex: str) -> str | None:
    """Return an expression of Python that matches the start of every text that ``regex`` matches; None if not found.

    It has one repetition without a limit at most, so that matching takes linear time.

    Args:
        regex: a valid expression of RE2.
    """
    if not regex.startswith("^") or r"\Q" in regex:
        return None
    end = _find_end(regex)
    is_whole = end > 1 and not _has_other_start(regex, end) and _SET_OPERATION.search(regex, 0, end) is None
    return regex[:end] if is_whole else None


def _find_end(regex: str) -> int:
    """Return the offset after the last part outside of groups that Python reads as RE2 does."""
    at = end = 1
    depth = repetitions = 0
    while at < len(regex):
        if group := _GROUP.match(regex, at):
            depth += 1
            at = group.end()
            continue
        if regex[at] == "|" and depth:
            at += 1
            continue
        is_group_end = regex[at] == ")"
        depth -= is_group_end
        atom = _ATOM.match(regex, at)
        quantifier = _QUANTIFIER.match(regex, at + 1 if is_group_end else atom.end() if atom else len(regex))
        if quantifier is None or (atom is None and not is_group_end):
            break
        repetitions += 2 * is_group_end + 1 if quantifier["unbounded"] else 0
        if repetitions > 1:
            break
        at = quantifier.end()
        end = end if depth else at
    return end


def _has_other_start(regex: str, end: int) -> bool:
    """Return whether there is an alternative to the whole start of the expression after the offset."""
    depth = 0
    for token in _TOKEN.finditer(regex, end):
        if token[0] == "|" and depth == 0:
            return True
        depth += (token[0] == "(") - (token[0] == ")")
    return False
