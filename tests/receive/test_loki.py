"""What becomes of push requests of Loki: lines, times, labels, metadata, severities; damaged and unusual requests."""

import json
import os
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.base import Format
from puppylog.formats.registry import find_format
from puppylog.receive.loki.decode import decode_push
from puppylog.receive.loki.labels import parse_labels
from puppylog.receive.loki.snappy import TooLarge, decompress
from puppylog.receive.received import NotDecoded, Received
from support.loki import Entry, compress, write_push

RECEIVED_AT_US = 1_795_514_400_000_000
NS = "1790000000123456789"
TS_US = 1_790_000_000_123_456
LIMIT = 1 << 26


def decode(body: bytes, *, is_json: bool = True, format_: Format | None = None) -> Received:
    received = decode_push(
        body, is_json=is_json, format_=format_, group=None, received_at_us=RECEIVED_AT_US, limit=LIMIT
    )
    for lines in received.lines:
        check(lines.parsed.records, lines.parsed.rejects, lines.size)
    return received


def check(records: pa.RecordBatch, rejects: pa.RecordBatch, size: int) -> None:
    """Check what every store expects of rows."""
    records.validate(full=True)
    rejects.validate(full=True)
    for batch in (records, rejects):
        offsets = batch["line_offset"].to_pylist()
        assert offsets == sorted(offsets)
    offsets = records["line_offset"].to_pylist() + rejects["line_offset"].to_pylist()
    assert len(set(offsets)) == len(offsets)
    assert all(0 <= offset < size for offset in offsets)
    for text in records["attributes"].to_pylist():
        assert text is None or isinstance(json.loads(text, object_pairs_hook=_refuse_duplicates), dict)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def push(*values: object, **labels: object) -> bytes:
    return json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()


def rows_of(received: Received) -> list[dict[str, Any]]:
    return [
        {
            name: json.loads(value) if name == "attributes" else value
            for name, value in row.items()
            if value is not None and name not in {"line_offset", "ts"}
        }
        for lines in received.lines
        for row in lines.parsed.records.to_pylist()
    ]


def times_of(received: Received) -> list[int]:
    return [time for lines in received.lines for time in lines.parsed.records["ts"].cast(pa.int64()).to_pylist()]


def test_lines_that_are_json_objects_fill_columns_and_other_lines_are_messages() -> None:
    received = decode(push([NS, '{"msg": "started", "status": 200, "ms": 1.50}'], [NS, "started"], job="web"))
    assert rows_of(received) == [
        {"message": "started", "status_code": 200, "attributes": {"ms": 1.5, "job": "web"}},
        {"message": "started", "attributes": {"job": "web"}},
    ]
    assert [lines.source for lines in received.lines] == ["web"]
    assert times_of(received) == [TS_US, TS_US]


def test_the_time_of_the_entry_wins_and_another_time_in_a_json_line_is_kept() -> None:
    received = decode(
        push(
            [NS, '{"time": "2020-01-01T00:00:00Z", "msg": "other"}'],
            [NS, '{"time": 1790000000123.456, "msg": "same"}'],
            [NS, "2020-01-01 00:00:00 ERROR in the message"],
        )
    )
    assert times_of(received) == [TS_US] * 3
    assert rows_of(received) == [
        {"message": "other", "attributes": {"line_time": "2020-01-01T00:00:00.000000Z"}},
        {"message": "same"},
        {"message": "2020-01-01 00:00:00 ERROR in the message", "severity": "error"},
    ]


@pytest.mark.parametrize(
    ("time", "us"),
    [
        (0, 0),
        ("-1000", -1),
        (NS + "0000", None),
        ("soon", None),
        (None, None),
        ("2020-01-01T00:00:00.5Z", 1_577_836_800_500_000),
        ("2020-13-01T00:00:00Z", None),
        ("9" * 5000, None),
    ],
)
def test_old_and_future_times_are_accepted_and_an_unreadable_one_becomes_the_time_of_receipt(
    time: object, us: int | None
) -> None:
    received = decode(push([time, "x"]))
    assert times_of(received) == [RECEIVED_AT_US if us is None else us]
    assert rows_of(received) == [{"message": "x"} | ({} if us is not None else {"attributes": {"timestamp": time}})]


def test_a_label_names_the_severity_if_the_line_does_not() -> None:
    received = decode(
        push([NS, '{"level": 50, "msg": "a"}'], [NS, '{"level": "info", "msg": "b"}'], [NS, "c"], level="INFO")
    )
    assert rows_of(received) == [
        {"severity": "error", "message": "a", "attributes": {"level": "INFO"}},
        {"severity": "info", "message": "b"},
        {"severity": "info", "message": "c"},
    ]


def test_a_detected_level_counts_only_if_nothing_else_names_the_severity() -> None:
    guessed = {"detected_level": "warn"}
    assert rows_of(decode(push([NS, "a", guessed], level="info"))) == [
        {"severity": "info", "message": "a", "attributes": guessed}
    ]
    assert rows_of(decode(push([NS, "a", guessed]))) == [{"severity": "warn", "message": "a"}]
    assert rows_of(decode(push([NS, "a", {"level": "error"}], detected_level="warn"))) == [
        {"severity": "error", "message": "a", "attributes": guessed}
    ]
    assert rows_of(decode(push([NS, "a"], detected_level="unknown"))) == [
        {"message": "a", "attributes": {"detected_level": "unknown"}}
    ]


def test_equal_names_are_kept_apart() -> None:
    line = '{"env": "line", "same": "1", "msg": "x"}'
    received = decode(push([NS, line, {"env": "metadata", "pod": "b", "same": "1"}], env="label", pod="a"))
    assert rows_of(received)[0]["attributes"] == {
        "env": "line",
        "same": "1",
        "label_env": "label",
        "pod": "a",
        "metadata_env": "metadata",
        "metadata_pod": "b",
    }


def test_metadata_of_many_names_and_of_other_types_is_kept() -> None:
    members = {f"k{number}": number for number in range(100)} | {"deep": {"a": ["\0", None]}, "f": float("inf")}
    attributes = rows_of(decode(push([NS, '{"a": 1}', members])))[0]["attributes"]
    assert attributes | {"deep": 0, "f": 0} == {"a": 1} | members | {"deep": 0, "f": 0}
    assert (attributes["deep"], attributes["f"]) == ('{"a": ["\\u0000", null]}', "Infinity")


def test_a_message_keeps_its_newlines_and_an_object_of_several_lines_is_one_record() -> None:
    received = decode(push([NS, "Traceback:\n  File\n"], [NS, '{\n"msg":\n"x"\n}\n'], [NS, "end"]))
    assert rows_of(received) == [{"message": "Traceback:\n  File"}, {"message": "x"}, {"message": "end"}]


def test_an_empty_line_is_a_record_only_if_it_has_metadata() -> None:
    received = decode(push([NS, ""], [NS, "", {"a": "b"}], [NS, "x"]))
    assert rows_of(received) == [{"attributes": {"a": "b"}}, {"message": "x"}]
    assert received.lines[0].parsed.rowless == 1


def test_what_is_no_entry_is_a_rejected_line_and_the_others_are_stored() -> None:
    received = decode(push([NS, "a"], [NS], "x", [NS, 5], None, {"line": "y"}, [NS, "b"]))
    assert rows_of(received) == [{"message": "a"}, {"message": "b"}]
    (lines,) = received.lines
    assert lines.parsed.rejects["line"].to_pylist() == [
        f'["{NS}"]'.encode(),
        b'"x"',
        f'["{NS}", 5]'.encode(),
        b"null",
        b'{"line": "y"}',
    ]
    offsets = lines.parsed.rejects["line_offset"].to_pylist()
    assert [lines.parsed.line_at(offset) for offset in offsets] == lines.parsed.rejects["line"].to_pylist()
    assert received.problems == ()


def test_a_given_format_reads_the_lines_and_rejects_those_that_do_not_fit() -> None:
    line = '192.0.2.1 - - [10/Oct/2020:13:55:36 +0000] "GET / HTTP/1.1" 200 5'
    received = decode(push([NS, f"{line}\nnone"], [NS, line], job="web"), format_=find_format("access"))
    rows = rows_of(received)
    assert [row["status_code"] for row in rows] == [200, 200]
    assert rows[0]["attributes"] == {"job": "web", "line_time": "2020-10-10T13:55:36.000000Z"}
    (lines,) = received.lines
    assert lines.parsed.rejects["line"].to_pylist() == [b"none"]
    assert lines.format_name == "access"


def test_the_source_is_a_service_a_job_or_an_app_and_streams_of_one_source_are_together() -> None:
    streams = [
        {"stream": labels, "values": [[NS, str(number)]]}
        for number, labels in enumerate(
            [{"job": "a", "service_name": "s"}, {"job": "a"}, {"app": "a", "k": "1"}, {"k": "1"}, {"job": ""}]
        )
    ]
    received = decode(json.dumps({"streams": streams}).encode())
    assert [lines.source for lines in received.lines] == ["s", "a", ""]
    assert [row["message"] for row in rows_of(received)] == ["0", "1", "2", "3", "4"]


def test_the_old_form_is_read() -> None:
    body = b'{"streams": [{"labels": "{job=\\"old\\"}", "entries": [{"ts": "2020-01-01T00:00:00.5Z", "line": "x"}]}]}'
    received = decode(body)
    assert rows_of(received) == [{"message": "x", "attributes": {"job": "old"}}]
    assert times_of(received) == [1_577_836_800_500_000]


def test_texts_that_no_store_takes_are_replaced() -> None:
    received = decode(push([NS, "a\ud800b", {"k\0": "v\0"}], job="j\udfff"))
    assert rows_of(received) == [{"message": "a\ufffdb", "attributes": {"job": "j\ufffd", "k\ufffd": "v\ufffd"}}]
    (lines,) = decode(compress(write_push({"{}": [Entry(TS_US, b"\xff")]})), is_json=False).lines
    assert rows_of(Received((lines,))) == [{"message": "\ufffd", "attributes": {"invalid_utf8": True}}]


def test_protobuf_is_read_as_json_is() -> None:
    entries = [
        Entry(TS_US, b"plain\nof two lines"),
        Entry(TS_US, b'{"msg": "object"}', {"trace_id": "7"}),
        Entry(None, b"no time"),
    ]
    received = decode(compress(write_push({'{job="a\\"b", level="warn"}': entries})), is_json=False)
    assert rows_of(received) == [
        {"severity": "warn", "message": "plain\nof two lines", "attributes": {"job": 'a"b'}},
        {"severity": "warn", "message": "object", "attributes": {"job": 'a"b', "trace_id": "7"}},
        {"severity": "warn", "message": "no time", "attributes": {"job": 'a"b'}},
    ]
    assert times_of(received) == [TS_US, TS_US, RECEIVED_AT_US]


def test_labels_that_cannot_be_read_are_kept_as_text() -> None:
    text = '{level="info",note="a "quoted" word"}'
    assert rows_of(decode(compress(write_push({text: [Entry(TS_US, b"x")]})), is_json=False)) == [
        {"message": "x", "attributes": {"labels": text}}
    ]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        (' {a="b",c="d",} ', {"a": "b", "c": "d"}),
        ('{ a = "x\\ny" , "b.c"="\\u00e9\\x41\\101"}', {"a": "x\ny", "b.c": "éAA"}),
        ("{a=`raw\\n`}", {"a": "raw\\n"}),
        ('{a="b" c="d"}', None),
        ('{a="b"', None),
        ("", None),
    ],
)
def test_labels_are_read_as_prometheus_writes_them(text: str, labels: Mapping[str, str] | None) -> None:
    assert parse_labels(text) == labels


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
