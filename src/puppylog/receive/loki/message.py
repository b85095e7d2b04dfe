"""Push requests as protobuf: the message ``logproto.PushRequest``, whose field 1 is a stream, any number of times.

Texts are declared as bytes, so that protobuf does not refuse a request in which one line is not UTF-8. A class of
protobuf's own runtime reads twice as many entries a second as a reader of the wire format in Python.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from google.protobuf import (  # type: ignore[import-untyped] # protobuf ships no types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # protobuf ships no types

from puppylog.receive.loki.labels import parse_labels
from puppylog.receive.loki.streams import (
    MAX_ENTRIES,
    Members,
    PushedStream,
    TooLarge,
    check_sizes,
    clean_text,
    quote_text,
)
from puppylog.receive.loki.varint import read_varint
from puppylog.receive.received import NotDecoded, Problem

_Decoded: TypeAlias = tuple[list[PushedStream], list[Problem]]
_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "puppylog.loki"
_FIELDS: Final = {
    "Pair": (("name", 1, _Field.TYPE_BYTES), ("value", 2, _Field.TYPE_BYTES)),
    "Timestamp": (("seconds", 1, _Field.TYPE_INT64), ("nanos", 2, _Field.TYPE_INT32)),
    "Entry": (("timestamp", 1, "Timestamp"), ("line", 2, _Field.TYPE_BYTES), ("metadata", 3, "Pair*")),
    "Stream": (("labels", 1, _Field.TYPE_BYTES), ("entries", 2, "Entry*")),
}
"""The messages: name, number and type of each field. Other fields that Loki declares are not needed and skipped."""

_STREAM_TAG: Final = 0x0A  # field 1, with a length
_ENTRY_TAG: Final = b"\x12"  # of an entry, and of a line
_PAIR_TAG: Final = b"\x1a"  # of metadata
_MAX_TAGS: Final = 4 * MAX_ENTRIES
"""Text has no such bytes, so more of them are more entries and pairs of metadata than a request may have. They are
counted before protobuf takes memory for each.
"""


def decode_message(body: bytes) -> _Decoded:
    """Return the streams of a push request in protobuf, and the parts that could not be decoded.

    Each stream is decoded by itself, so that a damaged one does not take the others with it.

    Args:
        body: the message, decompressed.

    Raises:
        NotDecoded: no part of the body can be decoded.
        TooLarge: the request has too many parts.
    """
    if body.count(_ENTRY_TAG) + body.count(_PAIR_TAG) > _MAX_TAGS:
        raise TooLarge("", f"the request has more than {_MAX_TAGS:,} entries and pairs of metadata")
    streams: list[PushedStream] = []
    problems = []
    entries = 0
    try:
        for number, (at, part) in enumerate(_iter_streams(body), 1):
            check_sizes(number, entries)
            try:
                streams.append(_read_stream(_STREAM.FromString(part)))
                entries += streams[-1].size
            except DecodeError:
                problems.append(Problem(f"byte {at}", "a stream that is not protobuf"))
    except _Broken as error:
        problems.append(Problem(f"byte {error.at}", "not protobuf from here on"))
    check_sizes(0, entries)
    if problems and not streams:
        raise NotDecoded(problems[0].place, problems[0].cause)
    return streams, problems


class _Broken(Exception):
    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def _iter_streams(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the bytes of each stream. Other fields are skipped.

    Raises:
        _Broken: there is no field at this offset, or one that the body does not contain to its end.
    """
    at = 0
    while at < len(body):
        tag = read_varint(body, at)
        value = None if tag is None else _find_value(body, *tag)
        if tag is None or value is None or value[1] > len(body):
            raise _Broken(at)
        start, end = value
        if tag[0] == _STREAM_TAG:
            yield at, body[start:end]
        at = end


def _find_value(body: bytes, tag: int, at: int) -> tuple[int, int] | None:
    """Return where the value of a field starts and ends; None if no field has this tag, or if the body ends before."""
    match tag & 7 if tag >> 3 else None:  # the number of a field is not 0
        case 0:
            varint = read_varint(body, at, longest=10)
            return None if varint is None else (at, varint[1])
        case 1:
            return at, at + 8
        case 2:
            length = read_varint(body, at)
            return None if length is None else (length[1], length[1] + length[0])
        case 5:
            return at, at + 4
    return None


def _read_stream(stream: Any) -> PushedStream:  # noqa: ANN401 - the class is made at run time
    entries = stream.entries
    read = PushedStream(_read_labels(stream.labels.decode("utf-8", "replace")))
    times = [1_000_000 * (time := entry.timestamp).seconds + time.nanos // 1000 for entry in entries]
    if times and min(times) > 0 and max(times) < 1 << 52:  # all in the range that stores keep
        read.times_us += times
        read.lines += [entry.line for entry in entries]
        read.metadata |= {
            number: _read_pairs(pairs) for number, entry in enumerate(entries) if (pairs := entry.metadata)
        }
    else:
        for entry, time_us in zip(entries, times, strict=True):
            read.add(time_us if entry.HasField("timestamp") else None, entry.line, _read_pairs(entry.metadata))
    return read


def _read_labels(text: str) -> Members:
    labels = parse_labels(text)
    if labels is None:  # some senders do not escape quotes in values
        return {"labels": quote_text(text)} if text else {}
    return {clean_text(name): quote_text(value) for name, value in labels.items()}


def _read_pairs(pairs: Sequence[Any]) -> Members:
    return {
        clean_text(pair.name.decode("utf-8", "replace")): quote_text(pair.value.decode("utf-8", "replace"))
        for pair in pairs
    }


def _make_class() -> Any:  # noqa: ANN401 - made at run time
    """Return the class of a stream, with a pool of its own."""
    file = descriptor_pb2.FileDescriptorProto(name="puppylog/loki.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            field = message.field.add(name=field_name, number=number, label=_Field.LABEL_OPTIONAL)
            if isinstance(kind, str):
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind.removesuffix('*')}"
                field.label = _Field.LABEL_REPEATED if kind.endswith("*") else field.label
            else:
                field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Stream"))


_STREAM: Final = _make_class()
