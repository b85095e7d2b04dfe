"""Decodes millions of damaged requests: ``python -m receive.fuzz NAME… --inputs N``, in the folder ``tests``.

An input is a damaged record: a log record of OTLP, an entry of Loki, an action and a document of ``_bulk``, a line, a
message of syslog, an entry of a journal. A request has several, and may be damaged as a whole, too. A decoder must
decode it or refuse it with its own error, within a limited time and memory. Every row must fit the store: its offset
lies within the request, no two rows have the same offset, its text is UTF-8 without NUL, its attributes are a JSON
object. Add a request that shows a defect to the tests of the decoder.
"""

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyarrow.compute as pc

from formats.sample_files import line_of, read_samples
from puppylog.formats.journal.export import Entry, ExportDecoder, MalformedExport
from puppylog.formats.registry import find_format
from puppylog.model.record import TEXT_COLUMNS
from puppylog.receive.elasticsearch import decode_bulk
from puppylog.receive.journal import decode_entries, group_by_machine
from puppylog.receive.lines import decode_lines
from puppylog.receive.loki.decode import decode_push
from puppylog.receive.otlp import decode_json, decode_protobuf
from puppylog.receive.received import NotDecoded, Received, ReceivedLines
from puppylog.receive.syslog.decoder import Arrived, Listening, decode
from puppylog.receive.syslog.framing import Framer, Messages, split_datagram
from puppylog.serve.received_streams import clean_source
from receive.otlp.requests import RECEIVED_AT_US, TIME_NS, any_of, attributes_of, protobuf_of, request_of
from support.journals import make_cursor, make_entry
from support.loki import Entry as LokiEntry
from support.loki import compress, write_push

_AT_ONCE: Final = 50  # inputs in a request
_WHOLE: Final = 0.1  # the share of requests that are damaged as a whole, too
_CHECKED: Final = 10  # the values of every so many requests are looked at
_SLOWEST_S: Final = 10.0  # of CPU, for a request of a few kilobytes
_MEMORY_BYTES: Final = 400 << 20  # by which the peak of the process may grow; Arrow's allocator keeps what it has had
_LIMIT_BYTES: Final = 1 << 20
_WITHOUT_NUL: Final = ("json", "journal", "otlp")  # in other lines, a NUL is for the store to refuse

_PIECES: Final = (
    *(b"\x00", b"\xff", b"\xe2\x82", b"\xef\xbb\xbf", b"\n", b"\r\n", b"\n\n", b"\\", b'"', b"\\ud800", b"\\u0000"),
    *(b"[", b"]", b"{", b"}", b",", b":", b"=", b"<", b">", b"<13>", b"9 <1>", b"null", b"1e999", b"-0", b"[" * 200),
    *(
        b"\x80" * 10,
        b"\x0a",
        b"\x12",
        b"\x1a\x05",
        b"\xff" * 9 + b"\x01",
        b"\x08\x96\x01",
        b"9" * 30,
        b"\xf3\xb0\x80\x80",
    ),
)


def damage(chance: random.Random, data: bytes, share: float = 1.0) -> bytes:
    """Return the data with some bytes cut, doubled, moved or replaced."""
    while chance.random() < share:
        share /= 2
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 1, 1, 2, 5, 40)))
        other = chance.randrange(len(data) + 1)
        piece = chance.choice(
            (b"", chance.choice(_PIECES), data[start:end] * 2, bytes([chance.randrange(256)]), data[other : other + 9])
        )
        data = data[:start] + piece + data[end:]
    return data


@dataclass(frozen=True)
class Target:
    """A decoder, and what it gets."""

    make: Callable[[random.Random], bytes]
    """Returns a request with `_AT_ONCE` damaged records."""
    decode: Callable[[bytes, random.Random], Sequence[Received]]
    """Decodes it; raises `NotDecoded`."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Decode damaged requests.")
    parser.add_argument("names", nargs="*", help=f"decoders: {', '.join(TARGETS)}; all if none is named")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="the number of records for each decoder")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for name in asked.names or TARGETS:
        started = time.process_time()
        done, refused, rows = fuzz(name, asked.inputs, asked.seed)
        took = time.process_time() - started
        sys.stdout.write(
            f"{name}: {done:,} inputs in {took:.0f} CPU s, {refused:,} of {done // _AT_ONCE:,} requests refused, "
            f"{rows:,} rows\n"
        )
        sys.stdout.flush()
    return 0


def fuzz(name: str, inputs: int, seed: int) -> tuple[int, int, int]:
    """Decode damaged requests; return how many records they had, how many were refused, and the number of rows.

    A failure names the request, which is written to standard error.
    """
    chance = random.Random(f"{name} {seed}")
    target = TARGETS[name]
    refused = rows = 0
    first_peak = 0
    requests = max(1, inputs // _AT_ONCE)
    for number in range(requests):
        request = target.make(chance)
        if chance.random() < _WHOLE:
            request = damage(chance, request)
        state = chance.getstate()
        started = time.process_time()
        try:
            received = target.decode(request, chance)
            for each in received:
                rows += _check(each, is_thorough=number % _CHECKED == 0)
        except NotDecoded:
            refused += 1
        except BaseException:
            sys.stderr.write(f"{name}: seed {seed}, request {number}: {request!r}\nstate {state[1][:2]}\n")
            raise
        assert time.process_time() - started < _SLOWEST_S, f"{name}: too slow: {request!r}"
        if number == min(200, requests - 1):
            first_peak = _peak_bytes()
    assert _peak_bytes() - first_peak < _MEMORY_BYTES, f"{name}: the memory has grown"
    return requests * _AT_ONCE, refused, rows


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _check(received: Received, *, is_thorough: bool) -> int:
    """Check rows, and return how many there are."""
    for problem in received.problems:
        assert problem.cause
        assert problem.count >= 0
    return sum(_check_lines(lines, is_thorough=is_thorough) for lines in received.lines)


def _check_lines(lines: ReceivedLines, *, is_thorough: bool) -> int:
    records, rejects = lines.parsed.records, lines.parsed.rejects
    offsets = [*records["line_offset"].to_pylist(), *rejects["line_offset"].to_pylist()]
    assert len(set(offsets)) == len(offsets), "two rows have one offset"
    assert not offsets or 0 <= min(offsets) <= max(offsets) < lines.size, "an offset is outside"
    assert len(lines.parsed.data) <= lines.size
    if is_thorough:
        records.validate(full=True)
        rejects.validate(full=True)
        clean_source(lines.source).encode()
        for name in TEXT_COLUMNS if lines.format_name in _WITHOUT_NUL else ():
            assert not pc.any(pc.match_substring_regex(records[name], r"\x00")).as_py(), f"{name} has a NUL"
        for text in records["attributes"].to_pylist():
            if text is not None:
                assert isinstance(json.loads(text), dict)
                assert lines.format_name not in _WITHOUT_NUL or "\\u0000" not in text.replace("\\\\", "")
    return len(offsets)


# --- OTLP


def _otlp_records(chance: random.Random) -> dict[str, Any]:
    values: list[Any] = ["text", 7, -1.5, True, None, [1, {"b": "c"}], {"k": {"l": []}}, b"\x00\xff"]
    records = [
        {
            "timeUnixNano": str(TIME_NS + number),
            "severityNumber": chance.randrange(26),
            "severityText": chance.choice(("INFO", "", "Warn")),
            "traceId": "5b8efff798038103d269b633813fc60c",
            "spanId": "eee19b7ec3c1b174",
            "body": any_of(chance.choice(values)),
            "attributes": attributes_of({"http.route": "/a", "a.b": chance.choice(values), "c": chance.choice(values)}),
        }
        for number in range(_AT_ONCE)
    ]
    return request_of(*records, resource={"service.name": "shop", "n": 1}, scope={"name": "cart"})


@cache
def _list_otlp() -> Sequence[dict[str, Any]]:
    return [_otlp_records(random.Random(number)) for number in range(20)]


@cache
def _list_otlp_protobuf() -> Sequence[bytes]:
    return [protobuf_of(request) for request in _list_otlp()]


_ODD: Final[tuple[Any, ...]] = (
    *(None, True, -1, 1 << 70, 1e300, "", "\0", "\ud800", "text", [], {}, [[]], {"": ""}, {"a": {"b": [1]}}),
    *("9" * 400, str(1 << 63), "NaN", "Infinity", {"stringValue": 1}, {"intValue": "x"}, {"values": [None]}),
)


def _damage_values(chance: random.Random, value: Any, share: float) -> Any:
    """Return JSON's value with some of the values in it replaced, renamed or doubled."""
    if chance.random() < share:
        return chance.choice(_ODD)
    if isinstance(value, dict):
        damaged = {key: _damage_values(chance, inner, share) for key, inner in value.items()}
        if damaged and chance.random() < share:
            damaged[chance.choice(("", "later", "\0", "body", "values"))] = damaged.pop(chance.choice(list(damaged)))
        return damaged
    if isinstance(value, list):
        damaged_items = [_damage_values(chance, inner, share) for inner in value]
        return damaged_items * 2 if len(value) < 3 and chance.random() < share else damaged_items
    return value


def _make_json(chance: random.Random, value: Any) -> bytes:
    """Return a request in JSON. Either its values are damaged, or its text is."""
    if chance.random() < 0.8:
        return json.dumps(_damage_values(chance, value, chance.choice((0.001, 0.01, 0.05)))).encode()
    return _damage_often(chance, json.dumps(value).encode())


def _damage_often(chance: random.Random, data: bytes) -> bytes:
    """Damage a request in a few places, which may be in any of its records."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        data = damage(chance, data)
    return data


# --- Loki

_LINES: Final = (b'{"msg": "x", "level": "warn"}', b"level=info msg=y", b"plain\ntext", b"", b'{"a": [1, {"b": null}]}')


def _make_loki_protobuf(chance: random.Random) -> bytes:
    entries = [
        LokiEntry(chance.choice((RECEIVED_AT_US, None)), damage(chance, chance.choice(_LINES), 0.5), {"a": "b"})
        for _ in range(_AT_ONCE)
    ]
    labels = damage(chance, b'{job="a", level="info"}', 0.3).decode(errors="replace")
    message = damage(chance, write_push({labels: entries[:25], '{app="b"}': entries[25:]}), 0.7)
    return damage(chance, compress(message), 0.1)


def _make_loki_json(chance: random.Random) -> bytes:
    values = [
        [str(TIME_NS + number), chance.choice(_LINES).decode(), *([{"a": "b"}] if chance.random() < 0.5 else [])]
        for number in range(_AT_ONCE)
    ]
    body = {"streams": [{"stream": {"job": "a"}, "values": values[:25]}, {"stream": {}, "values": values[25:]}]}
    return _make_json(chance, body)


def _decode_loki(body: bytes, chance: random.Random, *, is_json: bool) -> list[Received]:
    name = chance.choice((None, None, "json", "auto"))
    format_ = None if name is None else find_format(name)
    return [
        decode_push(
            body, is_json=is_json, format_=format_, group=None, received_at_us=RECEIVED_AT_US, limit=_LIMIT_BYTES
        )
    ]


# --- Elasticsearch, lines, syslog, the journal

_DOCUMENTS: Final = [*(line_of(sample) for sample in read_samples("json")), *_LINES]
_ACTIONS: Final = (
    b'{"create":{"_index":"logs-2026.11.27"}}',
    b'{"index":{}}',
    b'{"index":{"_index":"web","_id":"1"}}',
    b'{"delete":{"_id":"1"}}',
    b'{ "update" : { "_index" : "a" } }',
)
_ALL_LINES: Final = [
    line_of(sample) for family in ("access", "json", "logfmt", "syslog", "plain") for sample in read_samples(family)
]
_SYSLOG: Final = [line_of(sample) for sample in read_samples("syslog")]
_ENTRIES: Final = [make_entry(number, cursor=make_cursor(number), BIN=b"a\n\nB=\xff") for number in range(_AT_ONCE)]


def _make_bulk(chance: random.Random) -> bytes:
    lines: list[bytes] = []
    usual = chance.choice(_ACTIONS[:3])
    for _ in range(_AT_ONCE):
        lines += [
            damage(chance, chance.choice(_ACTIONS), 0.5) if chance.random() < 0.2 else usual,
            damage(chance, chance.choice(_DOCUMENTS), 0.8),
        ]
    return b"\n".join(lines) + b"\n"


def _make_lines(chance: random.Random) -> bytes:
    return b"\n".join(damage(chance, chance.choice(_ALL_LINES), 0.8) for _ in range(_AT_ONCE))


def _decode_lines(body: bytes, chance: random.Random) -> list[Received]:
    name = chance.choice(("auto", "auto", "json", "plain", "syslog", "logfmt", "access", "cri", "w3c"))
    context = chance.choice(("", f"{name}\n", "json\n", "no context"))
    return [decode_lines(body, find_format(name), context=context, source="a", read_at_us=RECEIVED_AT_US)]


def _make_syslog(chance: random.Random) -> bytes:
    frames = []
    for _ in range(_AT_ONCE):
        text = damage(chance, chance.choice(_SYSLOG), 0.8)
        frames.append(b"%d %s" % (len(text), text) if chance.random() < 0.3 else text + chance.choice((b"\n", b"\0")))
    return b"".join(frames)


def _decode_syslog(data: bytes, chance: random.Random) -> list[Received]:
    arrived = Arrived()
    framer = Framer(limit_bytes=chance.choice((200, 100_000)))
    for block in _iter_blocks(data, chance):
        arrived.extend(framer.feed(block), "192.0.2.1")
        assert framer.kept_bytes <= 100_000 + len(block) + 20
        if framer.fault:
            framer = Framer()
        arrived.extend(Messages(split_datagram(block)), "192.0.2.2")
    arrived.extend(framer.finish(is_clean=chance.random() < 0.5), "192.0.2.1")
    return [decode(arrived, RECEIVED_AT_US, Listening("switches"))]


def _make_journal(chance: random.Random) -> bytes:
    return b"".join(damage(chance, entry, 0.1) for entry in _ENTRIES)


def _decode_journal(data: bytes, chance: random.Random) -> list[Received]:
    decoder, entries = ExportDecoder(), list[Entry]()
    try:
        for block in _iter_blocks(data, chance):
            entries += decoder.feed(block)
    except MalformedExport as error:
        entries += error.entries
    by_source = group_by_machine(entries)
    received, _ = decode_entries(by_source, dict.fromkeys(by_source, ""), RECEIVED_AT_US)
    assert received.rejects == 0
    if not entries:
        raise NotDecoded("byte 0", "no entry")
    return [received]


def _iter_blocks(data: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = chance.choice((1, 7, 100, 1000, 100_000))
        yield data[at : at + size]
        at += size


TARGETS: Final[dict[str, Target]] = {
    "otlp protobuf": Target(
        lambda chance: _damage_often(chance, chance.choice(_list_otlp_protobuf())),
        lambda body, _: [decode_protobuf(body, RECEIVED_AT_US)],
    ),
    "otlp json": Target(
        lambda chance: _make_json(chance, chance.choice(_list_otlp())),
        lambda body, _: [decode_json(body, RECEIVED_AT_US)],
    ),
    "loki protobuf": Target(_make_loki_protobuf, lambda body, chance: _decode_loki(body, chance, is_json=False)),
    "loki json": Target(_make_loki_json, lambda body, chance: _decode_loki(body, chance, is_json=True)),
    "bulk": Target(_make_bulk, lambda body, _: [decode_bulk(body, index="a", read_at_us=RECEIVED_AT_US)[0]]),
    "lines": Target(_make_lines, _decode_lines),
    "syslog": Target(_make_syslog, _decode_syslog),
    "journal": Target(_make_journal, _decode_journal),
}

if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        sys.exit(main())
