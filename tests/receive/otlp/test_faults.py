"""Requests of OTLP that are damaged: the decodable part is stored, and the rest is reported with its place."""

import json
from typing import Any, Final

import pytest

from puppylog.receive.otlp import decode_json, decode_protobuf
from puppylog.receive.received import NotDecoded, Received
from receive.otlp.requests import RECEIVED_AT_US, TIME_NS, any_of, attributes_of, protobuf_of, request_of, rows_of

_TEXTS: Final = [f"text {number}" for number in range(4)]


def sample() -> dict[str, Any]:
    record = {"timeUnixNano": str(TIME_NS), "severityNumber": 9, "traceId": "5b8efff798038103d269b633813fc60c"}
    records = [
        {**record, "body": any_of(text), "attributes": attributes_of({"a": [1, {"b": text}], "c": None})}
        for text in _TEXTS
    ]
    return request_of(*records, resource={"service.name": "shop"}, scope={"name": "cart"})


def messages_of(received: Received) -> list[str]:
    return [row["message"] for row in rows_of(received)]


def decode(request: object) -> Received:
    return decode_json(json.dumps(request).encode(), RECEIVED_AT_US)


def rejects_of(received: Received) -> list[tuple[str, bytes]]:
    return [
        (reject["reason"], reject["line"]) for lines in received.lines for reject in lines.parsed.rejects.to_pylist()
    ]


def test_the_records_before_a_cut_are_stored_and_the_cut_one_is_rejected() -> None:
    body = protobuf_of(sample())
    received = decode_protobuf(body[:-20], RECEIVED_AT_US)
    assert messages_of(received) == _TEXTS[:3]
    [(reason, line)] = rejects_of(received)
    assert reason == "not a log record: the message is cut"
    assert body[:-20].endswith(line)
    assert received.lines[0].source == "shop"
    places = [problem.place for problem in received.problems]
    assert places == ["resource_logs[0].scope_logs[0].log_records[3]"]


def test_a_request_that_is_cut_before_its_first_record_is_refused_with_the_place() -> None:
    body = protobuf_of(sample())
    with pytest.raises(NotDecoded, match=r"resource_logs\[0\].*the message is cut at byte"):
        decode_protobuf(body[: body.index(b"cart")], RECEIVED_AT_US)


@pytest.mark.parametrize("body", [b"hello", b"{}", b"\xff" * 40, b"\x0a", b"\x0a\x05abc"])
def test_what_is_not_protobuf_is_refused(body: bytes) -> None:
    with pytest.raises(NotDecoded, match=r"byte \d+|decoded"):
        decode_protobuf(body, RECEIVED_AT_US)


def test_a_field_with_an_impossible_number_does_not_keep_records_from_being_stored() -> None:
    record = b"\x12\x09\x2a\x07\x0a\x05hello"  # LogScope.log_records, with a body
    scope_logs = b"\x80\x80\x80\x80\x10\x01" + record  # the field number is 2^29
    resource_logs = b"\x12" + bytes([len(scope_logs)]) + scope_logs
    received = decode_protobuf(b"\x0a" + bytes([len(resource_logs)]) + resource_logs, RECEIVED_AT_US)
    assert messages_of(received) == ["hello"]
    assert [problem.cause for problem in received.problems] == ["not a message of protobuf at byte 4"]


def test_bytes_that_are_not_utf8_are_replaced_in_their_record_only() -> None:
    body = protobuf_of(sample()).replace(b"text 1", b"text \xff")
    received = decode_protobuf(body, RECEIVED_AT_US)
    assert messages_of(received) == ["text 0", "text \ufffd", "text 2", "text 3"]
    flags = [row["attributes"].get("invalid_utf8") for row in rows_of(received)]
    assert flags == [None, True, None, None]
    assert received.problems == ()


def test_a_resource_whose_name_is_not_utf8_is_repaired() -> None:
    body = protobuf_of(sample()).replace(b"shop", b"sh\xffp")
    assert [lines.source for lines in decode_protobuf(body, RECEIVED_AT_US).lines] == ["sh\ufffdp"]


def test_unknown_fields_and_keys_are_ignored() -> None:
    request = sample()
    request["later"] = {"a": 1}
    request["resourceLogs"][0]["later"] = [1]
    request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["later"] = True
    assert messages_of(decode(request)) == _TEXTS
    unknown_field = b"\xfa\x07\x03abc"
    assert messages_of(decode_protobuf(protobuf_of(sample()) + unknown_field, RECEIVED_AT_US)) == _TEXTS


@pytest.mark.parametrize("number", [TIME_NS, str(TIME_NS), float(1 << 60)])
def test_a_number_of_64_bits_is_a_number_or_a_text(number: float | str) -> None:
    record = {"timeUnixNano": number, "attributes": [{"key": "a", "value": {"intValue": number}}]}
    [row] = rows_of(decode(request_of(record)))
    assert row["attributes"] == {"a": int(number)}
    assert row["ts"].timestamp() == pytest.approx(int(number) / 10**9)


@pytest.mark.parametrize("severity", [10, "10", "SEVERITY_NUMBER_INFO2"])
def test_an_enumeration_is_a_number_or_a_name(severity: int | str) -> None:
    [row] = rows_of(decode(request_of({"severityNumber": severity})))
    assert (row["severity"], row.get("attributes")) == ("notice", None)


def test_ids_in_base64_are_read_as_some_senders_write_them() -> None:
    [row] = rows_of(decode(request_of({"traceId": "W47/95gDgQPSabYzgT/GDA==", "spanId": "7uGbfsPBsXQ="})))
    assert row["attributes"] == {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174"}


def test_ids_that_are_neither_are_kept_as_they_are() -> None:
    [row] = rows_of(decode(request_of({"traceId": "no id", "spanId": "EEE19B7EC3C1B174"})))
    assert row["attributes"] == {"trace_id": "no id", "span_id": "eee19b7ec3c1b174"}


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        ({"timeUnixNano": "soon"}, "timeUnixNano is not an integer"),
        ({"timeUnixNano": -1}, "a time is not a number of 64 bits"),
        ({"attributes": {"a": 1}}, "attributes is not a list"),
        ({"attributes": [5]}, "an attribute is not an object"),
        ({"attributes": [{"key": 1}]}, "key is not a text"),
        ({"attributes": [{"key": "a", "value": "b"}]}, "a value is not an object"),
        ({"body": {"intValue": "x"}}, "intValue is not an integer"),
        ({"body": {"doubleValue": "x"}}, "doubleValue is not a number"),
        ({"body": {"boolValue": "yes"}}, "boolValue is not true or false"),
        ({"body": {"arrayValue": []}}, "arrayValue is not an object"),
        ({"severityText": 5}, "severityText is not a text"),
    ],
)
def test_a_record_with_parts_of_a_wrong_type_is_rejected_and_the_others_are_stored(
    record: dict[str, Any], cause: str
) -> None:
    received = decode(request_of({"body": any_of("one")}, record, {"body": any_of("two")}))
    assert messages_of(received) == ["one", "two"]
    [(reason, line)] = rejects_of(received)
    assert reason == f"not a log record: {cause}"
    assert json.loads(line) == record
    [problem] = received.problems
    assert problem.place == "resourceLogs[0].scopeLogs[0].logRecords[1]"


def test_rejected_records_and_lines_have_offsets_of_their_own() -> None:
    received = decode(request_of({"body": any_of("one")}, {"attributes": 1}, {"attributes": 2}))
    [lines] = received.lines
    offsets = [*lines.parsed.records["line_offset"].to_pylist(), *lines.parsed.rejects["line_offset"].to_pylist()]
    assert [lines.parsed.line_at(offset) for offset in offsets] == [
        b'{"message": "one"}',
        b'{"attributes": 1}',
        b'{"attributes": 2}',
    ]
    assert lines.size == len(lines.parsed.data)


def test_values_that_are_nested_too_deeply_reject_their_record_only() -> None:
    deep: Any = 1
    for _ in range(95):
        deep = [deep]
    received = decode(request_of({"body": any_of(deep)}, {"body": any_of("one")}))
    assert messages_of(received) == ["one"]
    assert [reason for reason, _ in rejects_of(received)] == ["not a log record: a value is nested too deeply"]


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ({"resourceLogs": {}}, "resourceLogs"),
        ({"resourceLogs": [5]}, "resourceLogs[0]"),
        ({"resourceLogs": [{"scopeLogs": 5}]}, "resourceLogs[0].scopeLogs"),
        ({"resourceLogs": [{"scopeLogs": [{"logRecords": [5]}]}]}, "resourceLogs[0].scopeLogs[0].logRecords[0]"),
    ],
)
def test_a_request_without_any_record_that_can_be_decoded_is_refused_with_the_place(part: object, place: str) -> None:
    with pytest.raises(NotDecoded) as caught:
        decode(part)
    assert caught.value.place == place


def test_a_container_of_a_wrong_type_does_not_refuse_the_others() -> None:
    request = sample()
    request["resourceLogs"].insert(0, 5)
    request["resourceLogs"][1]["resource"] = {"attributes": 5}
    received = decode(request)
    assert messages_of(received) == _TEXTS
    assert [problem.place for problem in received.problems] == ["resourceLogs[0]", "resourceLogs[1].resource"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "character 0: not JSON"),
        (b"[]", "the JSON is not an object"),
        (b'{"resourceLogs": [', "character 18: not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"resourceLogs": ' + b"9" * 5000 + b"}", "too many digits"),
    ],
)
def test_what_is_not_json_is_refused_with_the_place(body: bytes, message: str) -> None:
    with pytest.raises(NotDecoded, match=message):
        decode_json(body, RECEIVED_AT_US)


def test_json_with_half_a_surrogate_pair_or_bytes_that_are_not_utf8_is_read() -> None:
    body = json.dumps(sample()).encode()
    assert messages_of(decode_json(body.replace(b"text 1", b"text \\ud800"), RECEIVED_AT_US))[1] == "text ?"
    assert messages_of(decode_json(body.replace(b"text 1", b"text \xff"), RECEIVED_AT_US))[1] == "text \ufffd"


def test_a_body_that_is_nested_too_deeply_for_protobuf_rejects_its_record_only() -> None:
    deep = b""
    for _ in range(200):
        deep = wrap(5, wrap(1, deep))  # an AnyValue with an array of one AnyValue
    records = wrap(2, wrap(5, deep)) + wrap(2, wrap(5, wrap(1, b"one")))
    received = decode_protobuf(wrap(1, wrap(2, records)), RECEIVED_AT_US)
    assert messages_of(received) == ["one"]
    assert [reason for reason, _ in rejects_of(received)] == ["not a log record: nested too deeply"]


def wrap(field: int, message: bytes) -> bytes:
    """Return a message that has another one as its field."""
    head, length = bytearray([field << 3 | 2]), len(message)
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*head, length]) + message
