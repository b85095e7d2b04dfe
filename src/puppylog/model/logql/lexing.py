"""Divides the text of a LogQL query into tokens."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from puppylog.model.logql.refusal import refuse

MAX_LENGTH: Final = 5000
"""The longest query, in characters. A pattern of `|>` or a list of values may be long."""


class Kind(StrEnum):
    NAME = "name"
    TEXT = "text"
    NUMBER = "number"
    DURATION = "duration"
    BYTES = "bytes"
    RANGE = "range"
    FLAG = "flag"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A part of the query. ``text`` is a string's value; ``value`` is a number, in seconds or in bytes with a unit."""

    kind: Kind
    text: str
    at: int
    value: float = 0.0

    def is_sign(self, *signs: str) -> bool:
        return self.kind is Kind.SIGN and self.text in signs

    def is_name(self, *names: str) -> bool:
        return self.kind is Kind.NAME and self.text in names


_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "y": 31_536_000.0,
}
_LARGEST: Final = {"duration": 9e9, "bytes": 9e18}
"""Loki has both in 64 bits: a duration in nanoseconds, so that 285 years are the longest."""

_PREFIXES: Final = "kmgtpe"
SIZES: Final = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate(_PREFIXES, 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate(_PREFIXES, 1)},
}
_NUMBER: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_ONE_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|[smhdwy])")
_TOKEN: Final = re.compile(
    rf"""(?P<blank>(?:\s|\#[^\n]*)+)
    | (?P<duration>-?(?:{_NUMBER}(?:ns|us|µs|μs|ms|[smhdwy]))+(?!\w))
    | (?P<bytes>{_NUMBER}(?i:b|[kmgtpe]i?b)(?!\w))
    | (?P<number>(?:0[xX][0-9a-fA-F]+|{_NUMBER}(?:[eE][+-]?[0-9]+)?)(?!\w))
    | (?P<flag>--[a-z-]+)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<raw>`[^`]*`)
    | (?P<quoted>"(?:[^"\\\n]|\\.)*")
    | (?P<range>\[[^\]\n]*\])
    | (?P<sign>\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[|={{}}(),<>+\-*/%^.])
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\\"'])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_CONTROLS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_tokens(query: str) -> list[Token]:
    """Return the tokens of a query; the last one is `Kind.END`.

    Raises:
        SearchError: a part of the query is not a token of LogQL.
    """
    if len(query) > MAX_LENGTH:
        raise refuse(query, MAX_LENGTH, f"it has {len(query):,} characters, at most {MAX_LENGTH:,} are allowed")
    tokens: list[Token] = []
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None:
            raise _refuse_character(query, at)
        kind = found.lastgroup or ""
        if kind != "blank":
            tokens.append(_make_token(query, kind, found[0], at))
        at = found.end()
    return [*tokens, Token(Kind.END, "", len(query))]


def read_duration(text: str) -> float | None:
    """Return the seconds of a duration such as ``1h30m``; None if the text is none."""
    at, seconds = 0, 0.0
    sign = -1.0 if text.startswith("-") else 1.0
    rest = text.removeprefix("-")
    while at < len(rest):
        found = _ONE_DURATION.match(rest, at)
        if found is None:
            return None
        seconds += float(found[1]) * _SECONDS[found[2]]
        at = found.end()
    return sign * seconds if at else None


def read_size(text: str) -> float | None:
    """Return the bytes of a size such as ``5MB`` or ``12``; None if the text is none."""
    found = re.fullmatch(rf"({_NUMBER}) ?([A-Za-z]*)", text)
    if found is None or (found[2] and found[2].lower() not in SIZES):
        return None
    return float(found[1]) * (SIZES[found[2].lower()] if found[2] else 1)


def _make_token(query: str, kind: str, text: str, at: int) -> Token:
    match kind:
        case "raw":
            return Token(Kind.TEXT, _checked(query, text[1:-1], at), at)
        case "quoted":
            return Token(Kind.TEXT, _checked(query, _unquote(query, text, at), at), at)
        case "range":
            seconds = read_duration(text[1:-1].strip())
            if seconds is None or seconds <= 0:
                raise refuse(query, at, "a range is a duration in brackets, such as [5m]")
            if seconds > _LARGEST["duration"]:
                raise refuse(query, at, "this range is too large")
            return Token(Kind.RANGE, text, at, seconds)
    read = _VALUES.get(kind)
    value = 0.0 if read is None else read(text) or 0.0
    if abs(value) > _LARGEST.get(kind, math.inf) or math.isinf(value):
        raise refuse(query, at, f"this {kind.removesuffix('s')} is too large")
    return Token(Kind(kind), text, at, value)


def _read_number(text: str) -> float:
    return float(int(text, 16)) if text[:2] in {"0x", "0X"} else float(text)


_VALUES: Final[dict[str, Callable[[str], float | None]]] = {
    "duration": read_duration,
    "bytes": read_size,
    "number": _read_number,
}


def _unquote(query: str, text: str, at: int) -> str:
    def replace(found: re.Match[str]) -> str:
        control, *codes, other = found.groups()
        if control:
            return _CONTROLS.get(control, control)
        if other:
            cause = f"a text in double quotes has no escape \\{other}"
            raise refuse(query, at + 1 + found.start(), cause, "write two backslashes, or put the text into backquotes")
        code = next(int(code, base) for code, base in zip(codes, (16, 8, 16, 16), strict=True) if code)
        if code > 0x10FFFF:
            raise refuse(query, at + 1 + found.start(), "there is no such character")
        return chr(code)

    return _ESCAPE.sub(replace, text[1:-1])


def _checked(query: str, text: str, at: int) -> str:
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise refuse(query, at, "this text has a character that no store can keep")
    return text


def _refuse_character(query: str, at: int) -> Exception:
    if query[at] in "\"`'":
        advice = "put texts into double quotes or backquotes" if query[at] == "'" else ""
        return refuse(query, at, "this quote is not closed" if not advice else "LogQL does not have this quote", advice)
    if query[at] == "[":
        return refuse(query, at, "this bracket is not closed")
    return refuse(query, at, f"LogQL has no {query[at]!r} here")
