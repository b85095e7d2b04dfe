r"""Renders a tree as a regular expression of RE2 (DuckDB) and as an advanced regular expression of PostgreSQL.

Both have sets as ranges of code points and no flags or classes, so neither depends on a locale or a setting.
"""

from collections.abc import Callable
from dataclasses import dataclass

from puppylog.model.regex.characters import LAST, Ranges, complement
from puppylog.model.regex.tree import Alternatives, Assertion, AssertionKind, Characters, Regex, Repeat, Sequence


@dataclass(frozen=True, slots=True)
class _Dialect:
    code: Callable[[int], str]  # returns the escape of a code point
    assertions: dict[AssertionKind, str]


def render_re2(regex: Regex) -> str:
    """Return the expression in RE2's syntax, for a search anywhere in a text."""
    return _render(regex, _RE2)


def render_are(regex: Regex) -> str:
    """Return the expression in PostgreSQL's syntax, for a search anywhere in a text."""
    return _render(regex, _ARE)


_INSIDE, _BEFORE = "(?=[0-9A-Za-z_])", "(?<=[0-9A-Za-z_])"
_OUTSIDE, _NOT_BEFORE = "(?![0-9A-Za-z_])", "(?<![0-9A-Za-z_])"
_RE2 = _Dialect(
    code=lambda code: f"\\x{{{code:x}}}",
    assertions={
        AssertionKind.START: r"\A",
        AssertionKind.END: r"\z",
        AssertionKind.LINE_START: "(?m:^)",
        AssertionKind.LINE_END: "(?m:$)",
        AssertionKind.WORD_EDGE: r"\b",
        AssertionKind.NO_WORD_EDGE: r"\B",
    },
)
_ARE = _Dialect(
    code=lambda code: f"\\U{code:08x}",
    assertions={
        AssertionKind.START: r"\A",
        AssertionKind.END: r"\Z",
        AssertionKind.LINE_START: r"(?:\A|(?<=\n))",
        AssertionKind.LINE_END: r"(?:\Z|(?=\n))",
        AssertionKind.WORD_EDGE: f"(?:{_BEFORE}{_OUTSIDE}|{_NOT_BEFORE}{_INSIDE})",
        AssertionKind.NO_WORD_EDGE: f"(?:{_BEFORE}{_INSIDE}|{_NOT_BEFORE}{_OUTSIDE})",
    },
)


def _render(regex: Regex, dialect: _Dialect) -> str:
    match regex:
        case Characters(ranges):
            return _set(ranges, dialect)
        case Assertion(kind):
            return dialect.assertions[kind]
        case Sequence(parts):
            return "".join(_render(part, dialect) for part in parts)
        case Alternatives(parts):
            return f"(?:{'|'.join(_render(part, dialect) for part in parts)})"
        case Repeat(part, least, most):
            text = _render(part, dialect)
            operand = text if isinstance(part, Characters) else f"(?:{text})"
            return operand + _count(least, most)


def _count(least: int, most: int | None) -> str:
    match least, most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _, None:
            return f"{{{least},}}"
    return f"{{{least}}}" if least == most else f"{{{least},{most}}}"


def _set(ranges: Ranges, dialect: _Dialect) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return _character(ranges[0][0], dialect)
    if not ranges:  # a set such as [^\x01-\x{10ffff}] has no character
        return f"[^{dialect.code(1)}-{dialect.code(LAST)}]"
    is_negated = (ranges[-1][1] == LAST and len(ranges) > 1) or ranges == ((1, LAST),)
    shown = complement(ranges) if is_negated else ranges
    if not shown:
        return f"[{dialect.code(1)}-{dialect.code(LAST)}]"
    return f"[{'^' if is_negated else ''}{''.join(_range(low, high, dialect) for low, high in shown)}]"


def _range(low: int, high: int, dialect: _Dialect) -> str:
    if low == high:
        return _character(low, dialect)
    return f"{_character(low, dialect)}{'-' if high > low + 1 else ''}{_character(high, dialect)}"


def _character(code: int, dialect: _Dialect) -> str:
    character = chr(code)
    if (code >= 128 and character.isprintable()) or character.isalnum() or character in "_ ":
        return character
    return f"\\{character}" if 32 < code < 127 else dialect.code(code)
