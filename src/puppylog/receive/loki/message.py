"""Push requests as protobuf: the message ``logproto.PushRequest``.

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
from puppylog.receive.loki.streams import Members, PushedStream, quote_text
from puppylog.receive.loki.varint import read_length
from puppylog.receive.received import NotDecoded, Problem

_Decoded: TypeAlias = tuple[list[PushedStream], list[Problem]]
_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "puppylog.loki"
_FIELDS: Final = {
    "Pair": (("name", 1, _Field.TYPE_BYTES), ("value", 2, _Field.TYPE_BYTES)),
    "Timestamp": (("seconds", 1, _Field.TYPE_INT64), ("nanos", 2, _Field.TYPE_INT32)),
    "Entry": (("timestamp", 1, "Timestamp"), ("line", 2, _Field.TYPE_BYTES), ("metadata", 3, "Pair*")),
    "Stream": (("labels", 1, _Field.TYPE_BYTES), ("entries", 2, "Entry*")),
    "Push": (("streams", 1, "Stream*"),),
}
"""The messages: name, number and type of each field. Other fields that Loki declares are not needed and skipped."""

_STREAM_TAG: Final = 0x0A  # field 1, with a length


def decode_message(body: bytes) -> _Decoded:
    """Return the streams of a push request in protobuf, and the parts that could not be decoded.

    Args:
        body: the message, decompressed.

    Raises:
        NotDecoded: no part of the body can be decoded.
    """
    try:
        return [_read_stream(stream) for stream in _PUSH.FromString(body).streams], []
    except DecodeError:
        return _decode_parts(body)


def _decode_parts(body: bytes) -> _Decoded:
    """Decode each stream by itself, because another part of the request is damaged."""
    streams: list[PushedStream] = []
    problems = []
    try:
        for at, part in _iter_streams(body):
            try:
                streams.append(_read_stream(_STREAM.FromString(part)))
            except DecodeError:
                problems.append(Problem(f"byte {at}", "a stream that is not protobuf"))
    except _Broken as error:
        problems.append(Problem(f"byte {error.at}", "not protobuf from here on"))
    if not streams:
        raise NotDecoded(problems[0].place, problems[0].cause)
    return streams, problems


class _Broken(Exception):
    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def _iter_streams(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the offset and the bytes of each stream.

    Raises:
        _Broken: at this offset is another field, or a stream that the body does not contain to its end.
    """
    at = 0
    while at < len(body):
        found = read_length(body, at + 1)
        if body[at] != _STREAM_TAG or found is None or sum(found) > len(body):
            raise _Broken(at)
        length, start = found
        yield at, body[start : start + length]
        at = start + length


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
    return {name: quote_text(value) for name, value in labels.items()}


def _read_pairs(pairs: Sequence[Any]) -> Members:
    return {pair.name.decode("utf-8", "replace"): quote_text(pair.value.decode("utf-8", "replace")) for pair in pairs}


def _make_classes() -> tuple[Any, Any]:
    """Return the classes of a push request and of a stream, with a pool of their own."""
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
    push, stream = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in ("Push", "Stream")
    )
    return push, stream


_PUSH, _STREAM = _make_classes()
