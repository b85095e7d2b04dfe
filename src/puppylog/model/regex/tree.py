"""The tree of a regular expression. Case, classes and flags are resolved into sets of characters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from puppylog.model.regex.characters import Ranges, ignore_case


class AssertionKind(StrEnum):
    """A condition on what is before and after a position in the text."""

    START = "start"
    END = "end"
    LINE_START = "line start"
    LINE_END = "line end"
    WORD_EDGE = "word edge"
    NO_WORD_EDGE = "no word edge"


@dataclass(frozen=True, slots=True)
class Characters:
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Assertion:
    kind: AssertionKind


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: "tuple[Regex, ...]"


@dataclass(frozen=True, slots=True)
class Alternatives:
    parts: "tuple[Regex, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    part: "Regex"
    least: int
    most: int | None  # None: any number


Regex: TypeAlias = Characters | Assertion | Sequence | Alternatives | Repeat

EMPTY = Sequence(())
_WORD_EDGE_LENGTH = (
    100  # rendered as four look-arounds for PostgreSQL, which refuses 80 of them in a row as too complex
)


def length(regex: Regex) -> int:
    """Return the number of characters in the expression after its counts are expanded."""
    match regex:
        case Repeat(part, least, most):
            return max(least, most or 1, 1) * length(part)
        case Sequence(parts) | Alternatives(parts):
            return max(1, sum(map(length, parts)))
        case Assertion(AssertionKind.WORD_EDGE | AssertionKind.NO_WORD_EDGE):
            return _WORD_EDGE_LENGTH
    return 1


def literal_text(regex: Regex) -> str | None:
    """Return the only text that the expression matches, ignoring case; None if it matches several texts."""
    if isinstance(regex, Sequence):
        parts = [literal_text(part) for part in regex.parts]
        return "".join(part for part in parts if part is not None) if None not in parts else None
    if not isinstance(regex, Characters) or not regex.ranges:
        return None
    first = regex.ranges[0][0]
    is_one = regex.ranges == ((first, first),) or regex.ranges == ignore_case(((first, first),))
    return chr(first) if is_one else None


def required_word(regex: Regex) -> str:
    """Return a text that every matched text contains once it is in lower case: the longest that is known, or ``""``.

    It has only characters of ASCII that are printable, and none that means something in a format string or a literal of
    SQL.

    >>> from puppylog.model.regex import parse_regex
    >>> required_word(parse_regex("(?i)time(out|d)? after")), required_word(parse_regex("a|b"))
    (' after', '')
    """
    return max(_iter_words(regex, _lower), key=len, default="")


def required_words(regex: Regex, least: int) -> tuple[tuple[str, ...], ...]:
    """Return groups of words such that every matched text contains all words of one of the groups, in some case.

    A word has at least ``least`` letters of ASCII. A long s is a case of s, and the Kelvin sign one of k. If nothing is
    known, there are no groups.

    >>> from puppylog.model.regex import parse_regex
    >>> required_words(parse_regex("(?i)disk 7 of (node|rack) [A-F] is full"), 3)
    (('disk', 'full'),)
    >>> required_words(parse_regex("cat|dogs"), 3), required_words(parse_regex("cat|[0-9]"), 3)
    ((('cat',), ('dogs',)), ())
    """
    if isinstance(regex, Alternatives):
        groups = [required_words(part, least) for part in regex.parts]
        return tuple(group for part in groups for group in part) if all(groups) else ()
    words = tuple(dict.fromkeys(word for word in _iter_words(regex, _letter) if len(word) >= least))
    return (words,) if words else ()


def _iter_words(regex: Regex, find_common: Callable[[Ranges], str]) -> Iterator[str]:
    """Yield what every matched text contains. ``find_common`` returns what stands for all characters of a set."""
    word = ""
    for part in regex.parts if isinstance(regex, Sequence) else (regex,):
        character = find_common(part.ranges) if isinstance(part, Characters) else ""
        if character:
            word += character
        elif not isinstance(part, Assertion):
            yield word
            word = ""
            if isinstance(part, Sequence) or (isinstance(part, Repeat) and part.least > 0):
                yield from _iter_words(part if isinstance(part, Sequence) else part.part, find_common)
    yield word


def _lower(ranges: Ranges) -> str:
    """Return what all of these are in lower case; ``""`` if that is several characters or a special one."""
    codes = [code for low, high in ranges for code in range(low, min(high, low + _MAX_CASES) + 1)]
    found = {chr(code).lower() for code in codes[: _MAX_CASES + 1]}
    character = found.pop() if len(found) == 1 else ""
    return character if len(character) == 1 and " " <= character <= "~" and character not in "{}'" else ""


def _letter(ranges: Ranges) -> str:
    """Return the small letter of ASCII of which all of these are cases; ``""`` if there is none."""
    codes = [code for low, high in ranges for code in range(low, min(high, low + _MAX_CASES) + 1)]
    found = {_SAME_LETTER.get(code, chr(code).lower()) for code in codes[: _MAX_CASES + 1]}
    letter = found.pop() if len(found) == 1 else ""
    return letter if "a" <= letter <= "z" and len(letter) == 1 else ""


_MAX_CASES = 4
_SAME_LETTER = {0x17F: "s", 0x212A: "k"}
