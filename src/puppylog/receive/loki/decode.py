"""Decodes a push request."""

import json
from typing import Final

from puppylog.formats.base import Format
from puppylog.receive.loki.json_body import decode_json
from puppylog.receive.loki.message import decode_message
from puppylog.receive.loki.rows import build_lines
from puppylog.receive.loki.snappy import decompress
from puppylog.receive.loki.streams import PushedStream
from puppylog.receive.received import Received

SOURCE_LABELS: Final = ("service_name", "job", "app")
"""The labels that name the source, the best first."""

MAX_SOURCES: Final = 1000
"""Each source of a request is read by itself, which takes some time. A server keeps no more streams, either."""


def decode_push(
    body: bytes, *, is_json: bool, format_: Format | None, group: str | None, received_at_us: int, limit: int
) -> Received:
    """Return what a push request brings.

    Args:
        body: the body, after HTTP's content encoding is undone.
        is_json: whether it is JSON; otherwise it is protobuf in a block of snappy.
        format_: the format of the lines; None: lines that are JSON objects fill columns, others are messages.
        group: the log group of all lines.
        received_at_us: the time of entries without a readable time, in microseconds since the epoch.
        limit: the largest body, in bytes, after decompression.

    Raises:
        NotDecoded: no part of the body can be decoded.
        TooLarge: the body is larger than ``limit`` after decompression.
    """
    streams, problems = decode_json(body) if is_json else decode_message(decompress(body, limit))
    by_source: dict[str, list[PushedStream]] = {}
    for stream in streams:
        if stream.lines or stream.rejected:
            source = _find_source(stream)
            if source not in by_source and len(by_source) >= MAX_SOURCES:
                source = ""  # its records have the label as an attribute
            by_source.setdefault(source, []).append(stream)
    lines = (build_lines(source, group, found, format_, received_at_us) for source, found in by_source.items())
    return Received(tuple(lines), tuple(problems))


def _find_source(stream: PushedStream) -> str:
    values = (json.loads(stream.labels[name]) for name in SOURCE_LABELS if name in stream.labels)
    return next((value for value in values if isinstance(value, str) and value), "")
