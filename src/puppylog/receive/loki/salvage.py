"""Reads the streams at the start of a push request whose JSON is damaged further on."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_STREAMS: Final = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"streams"[ \t\r\n]*:[ \t\r\n]*\[')
_LABELS: Final = re.compile(r'[ \t\r\n]*\{[ \t\r\n]*"(stream|labels)"[ \t\r\n]*:[ \t\r\n]*')
_VALUES: Final = re.compile(r'[ \t\r\n]*,[ \t\r\n]*"(values|entries)"[ \t\r\n]*:[ \t\r\n]*\[')
_NEXT: Final = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def salvage_streams(text: str) -> list[dict[str, Any]]:
    """Return the streams before the damage; the last one may have fewer values than were sent."""
    match = _STREAMS.match(text)
    if match is None:
        return []
    streams = []
    at = match.end()
    for value, end in _iter_values(text, match.end()):
        streams.append(value)
        at = end
    streams.extend(_salvage_stream(text, at))
    return [stream for stream in streams if isinstance(stream, dict)]


def _salvage_stream(text: str, at: int) -> Iterator[dict[str, Any]]:
    """Yield the stream that begins at the index ``at`` with those of its values that can be read."""
    separator = _NEXT.match(text, at)
    labels = _LABELS.match(text, separator.end() if separator else at)
    if labels is None:
        return
    for value, end in _iter_values(text, labels.end()):
        values = _VALUES.match(text, end)
        if values is not None:
            yield {labels[1]: value, values[1]: [entry for entry, _ in _iter_values(text, values.end())]}
        return


def _iter_values(text: str, at: int) -> Iterator[tuple[Any, int]]:
    """Yield each value from the index ``at`` on, and the index after it, until a value cannot be read."""
    while True:
        separator = _NEXT.match(text, at)
        try:
            value, at = _DECODER.raw_decode(text, separator.end() if separator else at)
        except (ValueError, RecursionError):
            return
        yield value, at
