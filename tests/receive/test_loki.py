"""What becomes of push requests of Loki: lines, times, labels, metadata, severities."""

import json
from collections.abc import Mapping

import pytest

from puppylog.formats.registry import find_format
from puppylog.receive.loki.labels import parse_labels
from puppylog.receive.received import Received
from receive.loki_requests import NS, RECEIVED_AT_US, TS_US, decode, push, rows_of, times_of
from support.loki import Entry, compress, write_push


def test_lines_that_are_json_objects_fill_columns_and_other_lines_are_messages() -> None:
    received = decode(push([NS, '{"msg": "started", "status_code": 200, "ms": 1.50}'], [NS, "started"], job="web"))
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
            [NS, '{"time": 1790000000122.457, "msg": "same"}'],
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
    attributes = {} if us is not None else {"attributes": {"timestamp": time, "ts_source": "read"}}
    assert rows_of(received) == [{"message": "x"} | attributes]


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
    assert rows_of(decode(push([NS, "a", guessed]))) == [{"severity": "warning", "message": "a"}]
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
    received = decode(push([NS, "a\ud800b\0", {"k\0": "v\0"}], job="j\udfff"))
    assert rows_of(received) == [{"message": "a\ufffdb\ufffd", "attributes": {"job": "j\ufffd", "k\ufffd": "v\ufffd"}}]
    (lines,) = decode(compress(write_push({'{k\0="v\0"}': [Entry(TS_US, b"x", {"\0": "\0"})]})), is_json=False).lines
    assert rows_of(Received((lines,))) == [{"message": "x", "attributes": {"k\ufffd": "v\ufffd", "\ufffd": "\ufffd"}}]
    (lines,) = decode(compress(write_push({"{}": [Entry(TS_US, b"\xff")]})), is_json=False).lines
    assert rows_of(Received((lines,))) == [{"message": "\ufffd", "attributes": {"invalid_utf8": True}}]


def test_protobuf_is_read_as_json_is() -> None:
    entries = [
        Entry(TS_US, b"plain\nof two lines"),
        Entry(TS_US, b'{"msg": "object"}', {"trace_id": "7"}),
        Entry(None, b"no time"),
    ]
    received = decode(compress(write_push({'{job="a\\"b", level="warn"}': entries})), is_json=False)
    kept = {"severity_text": "warn"}
    assert rows_of(received) == [
        {"severity": "warning", "message": "plain\nof two lines", "attributes": {**kept, "job": 'a"b'}},
        {"severity": "warning", "message": "object", "attributes": {**kept, "job": 'a"b', "trace_id": "7"}},
        {"severity": "warning", "message": "no time", "attributes": {**kept, "job": 'a"b', "ts_source": "read"}},
    ]
    assert times_of(received) == [TS_US, TS_US, RECEIVED_AT_US]


def test_fields_that_are_not_known_are_skipped() -> None:
    fields = b"\x12\x04loki" + b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + b"\x21" + b"x" * 8 + b"\x2d" + b"x" * 4
    body = fields + write_push({"{}": [Entry(TS_US, b"x")]}) + fields
    received = decode(compress(body), is_json=False)
    assert (rows_of(received), received.problems) == ([{"message": "x"}], ())


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
