"""JSON that comes as one array of objects becomes lines of JSON: some senders write a batch in this way."""

import json
from collections.abc import Iterator
from typing import Final

_DECODER: Final = json.JSONDecoder()
_BLANKS: Final = " \t\r\n"


def split_array(body: bytes) -> bytes | None:
    r"""Return the objects of an array as lines, each as it is written; None if the body is not one array of objects.

    >>> split_array(b'[{"a": 1.50},\n {"b":\n2}]')
    b'{"a": 1.50}\n{"b": 2}\n'
    >>> split_array(b"[error] a line of text") is None
    True
    """
    start = body[:64].lstrip()[:1]
    if start != b"[":
        return None
    try:
        text = body.decode()
        objects = list(_iter_objects(text))
    except (ValueError, RecursionError):  # not UTF-8, or not JSON
        return None
    # A newline in valid JSON is a blank between tokens.
    return "".join(written.replace("\r", " ").replace("\n", " ") + "\n" for written in objects).encode()


def _iter_objects(text: str) -> Iterator[str]:
    """Yield the text of each object of an array.

    Raises:
        ValueError: the text is not an array of objects.
    """
    at = _skip(text, _skip(text, 0) + 1)
    if text[at : at + 1] == "]" and _skip(text, at + 1) == len(text):
        return
    while text[at : at + 1] == "{":
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] == "]" and _skip(text, at + 1) == len(text):
            return
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    raise ValueError("not an array of objects")


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in _BLANKS and at < len(text):
        at += 1
    return at
