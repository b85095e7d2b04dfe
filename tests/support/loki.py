"""Push requests of Loki in protobuf, written byte by byte, so that a fault of the declared messages is noticed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True)
class Entry:
    """An entry; without a time, the message has none."""

    time_us: int | None
    line: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)


def write_push(streams: Mapping[str, Sequence[Entry]]) -> bytes:
    """Return the message ``logproto.PushRequest`` with the entries of each text of labels."""
    return b"".join(
        _field(
            1,
            _field(1, labels.encode())
            + b"".join(_field(2, _write_entry(entry)) for entry in entries)
            + b"\x18\x07",  # the hash, which the server does not need
        )
        for labels, entries in streams.items()
    )


def compress(message: bytes) -> bytes:
    """Return a block of snappy."""
    return bytes(pa.Codec("snappy").compress(message, asbytes=True))


def _write_entry(entry: Entry) -> bytes:
    time = b""
    if entry.time_us is not None:
        seconds, us = divmod(entry.time_us, 1_000_000)
        time = _field(1, b"\x08" + _varint(seconds) + b"\x10" + _varint(us * 1000 + 789))
    pairs = (_field(1, key.encode()) + _field(2, value.encode()) for key, value in entry.metadata.items())
    return time + _field(2, entry.line) + b"".join(_field(3, pair) for pair in pairs)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(written) + bytes([value])
