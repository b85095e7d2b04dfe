"""Reads JSON objects (RFC 8259) without changing how values are written. ``native/json_text.c`` does the same in C.

Some valid JSON cannot be stored, or means different things to different stores. It is rewritten first:

- An escape of NUL, or of half a surrogate pair, becomes the escape of U+FFFD, because no store can hold it.
- A key with escapes is written as `puppylog.formats.quoting.quote` writes it, so that equal keys are written equally.
- If several members of an object have the same key, only the last of them is kept.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from puppylog.formats.quoting import quote

DEEPEST: Final = 100
"""The largest depth of nested objects and arrays that is read; the outermost object has depth 1."""

_MAX_NUMBER_LENGTH, _MAX_EXPONENT_LENGTH = 1000, 4  # in digits; PostgreSQL has numbers from 10^-16383 to 10^131072

_OPENED = r'"[^"\\]*(?:\\.[^"\\]*)*'
_STRING = _OPENED + '"'
_BLANKS = re.compile(r"[ \t\n\r]*")
_BRACKETS = re.compile(rf'{_OPENED}"?|[\[\]{{}}]', re.DOTALL)
_TOKENS = re.compile(rf"(?P<string>{_STRING})[ \t\n\r]*(?P<colon>:)?|[\[\]{{}}]")
_ESCAPES = re.compile(
    r"\\(?:u(?:[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<invalid>0000|[dD][89a-fA-F][0-9a-fA-F]{2})|.{4})|[^u])"
)
_EXPONENT = re.compile("[eE][+-]?")


class InvalidJson(ValueError):
    """The text is not a JSON object, or exceeds a limit."""

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason  # one of the constants below
        self.at = at  # the offset in characters of the first error, or 0 if it is unknown


NO_OBJECT: Final = "not a JSON object"
MALFORMED: Final = "malformed JSON"
TOO_DEEP: Final = "nested too deeply"
NUMBER_RANGE: Final = "a number out of range"


class Number(str):
    """The text of a number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an object."""

    key: str
    value: Any  # a str, a Number, a list, a dict, a bool or None
    json: str  # the value as it is written


class _DuplicateKey(Exception):
    pass


def read_object(text: str) -> tuple[list[Item], bool]:
    """Return the members of an object, rewritten as described above, and whether there were invalid escapes.

    Raises:
        InvalidJson: the text is not a JSON object, or exceeds a limit.
    """
    if not text.startswith("{", _skip(text, 0)):
        raise InvalidJson(NO_OBJECT)
    too_deep = _find_too_deep(text)
    if too_deep is not None:
        raise InvalidJson(TOO_DEEP, too_deep)
    try:
        items = _list_items(text, _STRICT)
        has_duplicates = False
    except _DuplicateKey:
        items = _list_items(text, _LENIENT)  # the text after the first duplicate key may be invalid
        has_duplicates = True
    replaced, has_invalid_escapes = _replace_invalid_escapes(text) if "\\" in text else (text, False)
    rewritten = _rewrite_keys(replaced) if "\\" in text else text
    if has_duplicates or rewritten != text:
        items = _list_items(_drop_duplicates(rewritten), _STRICT)
    return items, has_invalid_escapes


def list_items(text: str) -> list[Item]:
    """Return the members of a nested object, whose text `read_object` has returned as a value."""
    return _list_items(text, _STRICT)


def _list_items(text: str, decoder: json.JSONDecoder) -> list[Item]:
    try:
        items, at = _scan(text, decoder)
    except json.JSONDecodeError as error:
        raise InvalidJson(MALFORMED, error.pos) from None
    except IndexError:
        raise InvalidJson(MALFORMED, len(text)) from None
    if (end := _skip(text, at)) != len(text):
        raise InvalidJson(MALFORMED, end)
    if decoder is _STRICT and len({item.key for item in items}) < len(items):
        raise _DuplicateKey
    return items


def _scan(text: str, decoder: json.JSONDecoder) -> tuple[list[Item], int]:
    """Return the members of the object, and the index of the first character after it.

    Raises:
        IndexError: the text ends within the object.
    """
    items: list[Item] = []
    at = _skip(text, _skip(text, 0) + 1)
    if text[at] == "}":
        return items, at + 1
    while True:
        _expect(text, at, '"')
        key, at = decoder.raw_decode(text, at)
        start = _skip(text, _expect(text, _skip(text, at), ":"))
        value, end = _decode(decoder, text, start)
        items.append(Item(key, value, text[start:end]))
        at = _skip(text, end)
        if text[at] == "}":
            return items, at + 1
        at = _skip(text, _expect(text, at, ","))


def _decode(decoder: json.JSONDecoder, text: str, at: int) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, at)
    except InvalidJson as error:  # from _number or _reject_constant, which do not know the index
        raise InvalidJson(error.reason, at) from None


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, character: str) -> int:
    """Return the index after the character, which must be at the index ``at``."""
    if text[at] != character:
        raise InvalidJson(MALFORMED, at)
    return at + 1


def _find_too_deep(text: str) -> int | None:
    """Return the index of the first bracket outside strings that exceeds the depth limit; None if there is none.

    The rest of the text need not be valid JSON.
    """
    if text.count("{") + text.count("[") <= DEEPEST:
        return None
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(match[0], 0)
        if depth > DEEPEST:
            return match.start()
    return None


def _number(written: str) -> Number:
    _, *exponent = _EXPONENT.split(written, maxsplit=1)
    if len(written) > _MAX_NUMBER_LENGTH or len("".join(exponent)) > _MAX_EXPONENT_LENGTH:
        raise InvalidJson(NUMBER_RANGE)
    return Number(written)


def _reject_constant(_: str) -> None:
    raise InvalidJson(MALFORMED)


def _refuse_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _DuplicateKey
    return members


_LENIENT = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_reject_constant)
_STRICT = json.JSONDecoder(
    parse_int=_number, parse_float=_number, parse_constant=_reject_constant, object_pairs_hook=_refuse_duplicates
)


def _replace_invalid_escapes(text: str) -> tuple[str, bool]:
    found = False

    def replace(match: re.Match[str]) -> str:
        nonlocal found
        found = found or match["invalid"] is not None
        return match[0] if match["invalid"] is None else "\\ufffd"

    return _ESCAPES.sub(replace, text), found


def _rewrite_keys(text: str) -> str:
    def rewrite(match: re.Match[str]) -> str:
        string = match["string"]
        if match["colon"] is None or "\\" not in string:
            return match[0]
        return quote(json.loads(string)) + match[0][len(string) :]

    return _TOKENS.sub(rewrite, text)


def _drop_duplicates(text: str) -> str:
    characters = list(text)
    # For each object around the current token: the start of each member, and the number of the last member by key.
    opened: list[tuple[list[int], dict[str, int]]] = []
    for match in _TOKENS.finditer(text):
        if match["colon"]:
            starts, numbers = opened[-1]
            starts.append(match.start())
            before = numbers.get(match["string"])
            if before is not None:
                start, end = starts[before : before + 2]
                characters[start:end] = [""] * (end - start)
            numbers[match["string"]] = len(starts) - 1
        elif match[0] in "{[":
            opened.append(([], {}))
        elif match[0] in "}]":
            opened.pop()
    return "".join(characters)
