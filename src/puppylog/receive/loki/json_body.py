"""Push requests as JSON, in both forms: labels as an object with ``values``, and labels as a text with ``entries``."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from puppylog.formats import clock
from puppylog.receive.loki.labels import parse_labels
from puppylog.receive.loki.salvage import salvage_streams
from puppylog.receive.loki.streams import (
    EARLIEST_US,
    LATEST_US,
    MAX_ENTRIES,
    Members,
    PushedStream,
    TooLarge,
    check_sizes,
    clean_text,
    quote_text,
)
from puppylog.receive.received import NotDecoded, Problem

_Decoded: TypeAlias = tuple[list[PushedStream], list[Problem]]
_FAULTS: Final = (ValueError, TypeError, LookupError, AttributeError)  # what unusual values raise on the fast path

_VALUES: Final = ("values", "entries")
_MAX_OPENED: Final = 3 * MAX_ENTRIES
"""A body with more opening brackets, in lines or outside, is not decoded: each may take the memory of a list."""

_UNSAFE: Final = re.compile(r"NaN|Infinity|\\u0000")
"""Parts of JSON that a store refuses: a value with one of them becomes a text."""

_MAX_BRACKETS: Final = 50
"""A value with more objects and arrays becomes a text, because stores limit how deep JSON is nested."""


def decode_json(body: bytes) -> _Decoded:
    """Return the streams of a push request in JSON, and the parts that could not be decoded.

    Args:
        body: the JSON, decompressed. Bytes that are not UTF-8 become U+FFFD.

    Raises:
        NotDecoded: no part of the body can be decoded.
        TooLarge: the request has too many parts.
    """
    if body.count(b"[") + body.count(b"{") > _MAX_OPENED:
        raise TooLarge("", f"the request has more than {_MAX_OPENED:,} opening brackets")
    text = body.decode("utf-8", "replace")
    problems: list[Problem] = []
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        place, cause = _describe(error)
        pushed: Any = salvage_streams(text)
        if not pushed:
            raise NotDecoded(place, cause) from None
        problems.append(Problem(place, cause))
    else:
        if not isinstance(request, dict) or "streams" not in request:
            raise NotDecoded("", "the body is not an object with the member streams")
        pushed = request["streams"] or []
    if not isinstance(pushed, list):
        raise NotDecoded("streams", "not an array")
    check_sizes(len(pushed), sum(map(_count_values, pushed)))
    streams = []
    for number, stream in enumerate(pushed):
        if isinstance(stream, dict):
            streams.append(_read_stream(stream, f"streams[{number}]", problems))
        else:
            problems.append(Problem(f"streams[{number}]", "not an object"))
    if problems and not any(stream.lines or stream.rejected for stream in streams):
        raise NotDecoded(problems[0].place, problems[0].cause)
    return streams, problems


def _count_values(stream: object) -> int:
    lists = [stream.get(name) for name in _VALUES] if isinstance(stream, dict) else []
    return sum(len(values) for values in lists if isinstance(values, list))


def _describe(error: Exception) -> tuple[str, str]:
    match error:
        case json.JSONDecodeError():
            return f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}"
        case RecursionError():
            return "", "not JSON: nested too deeply"
    return "", "not JSON: a number is too long"


def _read_stream(stream: Mapping[str, Any], place: str, problems: list[Problem]) -> PushedStream:
    read = PushedStream(_read_labels(stream.get("stream", stream.get("labels"))))
    for name in _VALUES:
        values = stream.get(name) or []
        if isinstance(values, list):
            _add_entries(read, values)
        else:
            problems.append(Problem(f"{place}.{name}", "not an array"))
    return read


def _read_labels(labels: object) -> Members:
    if isinstance(labels, str):
        parsed = parse_labels(labels)
        labels = {"labels": labels} if parsed is None else parsed
    if not isinstance(labels, dict):
        return {} if labels is None else {"labels": _write(labels)}
    return _write_members(labels)


def _expect_object(value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise TypeError


def _write_members(members: Mapping[str, object]) -> Members:
    return {clean_text(key): _write(value) for key, value in members.items()}


def _write(value: object) -> str:
    if isinstance(value, str):
        return quote_text(value)
    text = json.dumps(value, ensure_ascii=False)
    is_kept = _UNSAFE.search(text) is None and text.count("[") + text.count("{") <= _MAX_BRACKETS
    return clean_text(text) if is_kept else quote_text(text)


def _add_entries(read: PushedStream, values: list[Any]) -> None:
    if not values:
        return
    try:
        if set(map(type, values)) == {list} and (lengths := set(map(len, values))) <= {2, 3}:
            times = [int(value[0]) // 1000 for value in values]
            lines = [value[1].encode() for value in values]
            metadata: dict[int, Members] = {}
            if 3 in lengths:
                described = ((at, value[2]) for at, value in enumerate(values, len(read.lines)) if len(value) > 2)
                metadata = {at: _write_members(_expect_object(members)) for at, members in described if members != {}}
            if min(times) >= EARLIEST_US and max(times) <= LATEST_US:
                read.times_us += times
                read.lines += lines
                read.metadata |= metadata
                return
    except _FAULTS:
        pass  # not all are entries of a text and a line: look at each of them
    for value in values:
        _add_entry(read, value)


def _add_entry(read: PushedStream, value: object) -> None:
    match value:
        case [time, str(line), *rest]:
            metadata = _read_metadata(rest)
        case {"ts": time, "line": str(line), **named}:
            metadata = _read_metadata([named.get("structuredMetadata", named.get("structured_metadata"))])
        case _:
            read.rejected.append(clean_text(json.dumps(value, ensure_ascii=False)).encode())
            return
    time_us = _read_time_us(time)
    if time_us is None:
        metadata = {"timestamp": _write(time)} | metadata
    read.add(time_us, clean_text(line).encode(), metadata)


def _read_metadata(rest: Iterable[object]) -> dict[str, str]:
    """Return the structured metadata: an object, or an array of pairs of name and value."""
    metadata: dict[str, str] = {}
    for value in rest:
        match value:
            case None:
                pass
            case dict():
                metadata |= _write_members(value)
            case list() if all(isinstance(pair, dict) and {*pair} == {"name", "value"} for pair in value):
                metadata |= {clean_text(str(pair["name"])): _write(pair["value"]) for pair in value}
            case _:
                metadata["metadata"] = _write(value)
    return metadata


def _read_time_us(time: object) -> int | None:
    """Return a time in microseconds: nanoseconds since the epoch, or RFC 3339; None if it is neither."""
    try:
        if isinstance(time, int | float) or (isinstance(time, str) and time.strip().lstrip("-").isdigit()):
            time_us = int(time) // 1000
            return time_us if EARLIEST_US <= time_us <= LATEST_US else None
        stamp = clock.parse_iso(time) if isinstance(time, str) else None
    except (ValueError, OverflowError):  # a day that does not exist, or a number that is not finite or too long
        return None
    return None if stamp is None else stamp.us
