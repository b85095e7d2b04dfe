"""Push requests of Loki that are damaged, unusual or too large."""

import json
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.registry import find_format
from puppylog.receive.loki.snappy import decompress
from puppylog.receive.loki.streams import MAX_ENTRIES, MAX_STREAMS, TooLarge
from puppylog.receive.received import NotDecoded, Received
from receive.loki_requests import LIMIT, NS, TS_US, decode, push, rows_of
from support.loki import Entry, compress, write_push


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "line 1, column 1: not JSON: Expecting value"),
        (b'{"streams": [\n x', "line 2, column 2: not JSON: Expecting value"),
        (b"[]", "the body is not an object with the member streams"),
        (b"{}", "the body is not an object with the member streams"),
        (b'{"streams": 5}', "streams: not an array"),
        (b'{"streams": [5]}', "streams[0]: not an object"),
        (b'{"streams": [{"values": 5}]}', "streams[0].values: not an array"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
    ],
)
def test_a_body_of_which_nothing_can_be_decoded_says_where(body: bytes, message: str) -> None:
    with pytest.raises(NotDecoded) as caught:
        decode(body)
    assert str(caught.value) == message


@pytest.mark.parametrize("body", [b'{"streams": []}', b'{"streams": null}', push()])
def test_a_request_without_entries_has_no_lines(body: bytes) -> None:
    assert decode(body) == Received(())


def test_json_that_is_cut_off_gives_the_entries_before_the_cut() -> None:
    body = json.dumps(
        {
            "streams": [
                {"stream": {"job": "a"}, "values": [[NS, "1"], [NS, "2"]]},
                {"stream": {"job": "b"}, "values": [[NS, "3"], [NS, "4"]]},
            ]
        }
    ).encode()
    cuts = {b'"2"': ["1"], b'"stream": {"job": "b"}': ["1", "2"], b'"4"': ["1", "2", "3"], b"}]}": ["1", "2", "3", "4"]}
    for part, messages in cuts.items():
        received = decode(body[: body.rindex(part)])
        assert [row["message"] for row in rows_of(received)] == messages
        assert [problem.place for problem in received.problems] == [f"line 1, column {body.rindex(part) + 1}"]


def test_protobuf_of_which_one_stream_is_damaged_gives_the_others() -> None:
    good, other = (write_push({f'{{job="{job}"}}': [Entry(TS_US, b"x")]}) for job in ("a", "b"))
    received = decode(compress(good + b"\x0a\x03\xff\xff\xff" + other), is_json=False)
    assert [lines.source for lines in received.lines] == ["a", "b"]
    assert [problem.place for problem in received.problems] == [f"byte {len(good)}"]
    received = decode(compress(good + other[:-3]), is_json=False)
    assert [lines.source for lines in received.lines] == ["a"]
    with pytest.raises(NotDecoded, match="byte 0: not protobuf from here on"):
        decode(compress(b"\xff" * 30), is_json=False)


def test_a_block_of_snappy_is_not_decompressed_beyond_the_limit() -> None:
    block = compress(b"a" * 10_000)
    assert decompress(block, 10_000) == b"a" * 10_000
    with pytest.raises(TooLarge, match="10000 bytes after decompression, and the limit is 9999"):
        decompress(block, 9_999)
    with pytest.raises(NotDecoded, match="cannot have the 67108863 bytes"):
        decompress(b"\xff\xff\xff\x1f" + block[2:10], LIMIT)
    for damaged in (b"", b"\xff" * 9, block[:-1], b"\x05" + block[2:], b'{"streams": []}'):
        with pytest.raises(NotDecoded, match="snappy"):
            decompress(damaged, LIMIT)


def test_a_request_with_too_many_parts_is_not_read() -> None:
    entries = b'["1",""],' * MAX_ENTRIES
    stream = b"{},"
    for body in (
        b'{"streams": [{"values": [' + entries + b'["1",""]]}]}',
        b'{"streams": [' + stream * MAX_STREAMS + b"{}]}",
        b"[" * (3 * MAX_ENTRIES + 1),
    ):
        with pytest.raises(TooLarge, match="the request has more than "):
            decode(body)
    for message in (b"\x0a\x00" * (MAX_STREAMS + 1), b"\x0a\x80\x80\x80\x04" + b"\x12\x00" * (2 << 22)):
        with pytest.raises(TooLarge, match="the request has more than "):
            decode(compress(message), is_json=False)


def test_a_request_has_a_limited_number_of_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.receive.loki.decode.MAX_SOURCES", 50)
    streams = [{"stream": {"job": f"j{number}"}, "values": [[NS, "x"]]} for number in range(60)]
    received = decode(json.dumps({"streams": streams}).encode())
    assert len(received.lines) == 51
    assert received.records == 60
    (rest,) = [lines for lines in received.lines if not lines.source]
    assert json.loads(rest.parsed.records["attributes"][0].as_py()) == {"job": "j50"}


_TEXTS = st.text(alphabet=st.characters(codec=None), max_size=12) | st.sampled_from(
    ('{"msg": "x"}', '{"level": "warn", "k": 1}', "a\nb", "level", "k", "", "{", "\ufeff{}", "\ufeffx")
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_MEMBERS = st.dictionaries(st.sampled_from(("level", "k", "job", "msg")) | _TEXTS, _TEXTS | _VALUES, max_size=3)
_TIMES = st.just(NS) | st.integers() | _TEXTS
_ENTRIES = st.tuples(_TIMES, _TEXTS) | st.tuples(_TIMES, _TEXTS, _MEMBERS) | _VALUES
_STREAMS = st.fixed_dictionaries({}, optional={"stream": _MEMBERS | _VALUES, "values": st.lists(_ENTRIES, max_size=4)})


@given(st.lists(_STREAMS | _VALUES, max_size=3), st.sampled_from((None, "access", "json", "plain", "auto")))
def test_every_request_in_json_is_decoded_or_refused(streams: Sequence[Any], name: str | None) -> None:
    body = json.dumps({"streams": streams}).encode()
    entries = sum(
        len(stream.get("values") or ()) for stream in streams if isinstance(stream, dict) and "entries" not in stream
    )
    try:
        received = decode(body, format_=None if name is None else find_format(name))
    except NotDecoded:
        return
    found = sum(lines.parsed.lines + lines.parsed.rowless for lines in received.lines)
    assert found == entries if name is None else found >= entries


def test_damaged_requests_are_decoded_or_refused() -> None:
    chance = random.Random(7)
    entries = [Entry(TS_US, b'{"msg": "x"}', {"a": "b"}), Entry(None, b"plain\ntext"), Entry(TS_US, b"")]
    message = write_push({'{job="a", level="info"}': entries, "{": entries})
    text = push([NS, '{"msg": "x", "job": 1}', {"a": "b"}], [NS, "plain\ntext"], [NS, ""], job="a", level="info")
    for _ in range(int(os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "300"))):
        is_json = chance.random() < 0.5
        body = _damage(chance, text if is_json else message)
        with suppress(NotDecoded):
            decode(body if is_json else _damage(chance, compress(body), 0.3), is_json=is_json)


_PIECES = (
    b"\x00",
    b"\xff",
    b"\x0a",
    b"\x12",
    b'"',
    b"\\",
    b"\\ud800",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"\x80" * 5,
    b"1e9",
)


def _damage(chance: random.Random, body: bytes, share: float = 1.0) -> bytes:
    while chance.random() < share:
        share /= 2
        start = chance.randrange(len(body) + 1)
        end = min(len(body), start + chance.choice((0, 1, 1, 2, 5, 40)))
        piece = chance.choice((b"", chance.choice(_PIECES), body[start:end] * 2, bytes([chance.randrange(256)])))
        body = body[:start] + piece + body[end:]
    return body
