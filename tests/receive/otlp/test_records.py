"""What a log record of OTLP becomes, whether it was sent in protobuf or in JSON."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.receive.otlp import decode_protobuf, lines, protobuf_request
from puppylog.receive.otlp.lines import MAX_RECORDS, RequestLines
from puppylog.receive.received import NotDecoded
from receive.otlp.requests import (
    RECEIVED_AT_US,
    TIME_NS,
    any_of,
    attributes_of,
    decode_both,
    protobuf_of,
    request_of,
    row_of,
    rows_of,
)
from support.examples import examples

TRACE_ID = "5b8efff798038103d269b633813fc60c"
SPAN_ID = "eee19b7ec3c1b174"


def ts_of(record: dict[str, Any]) -> datetime:
    [row] = rows_of(decode_both(request_of(record)))
    ts = row["ts"]
    assert isinstance(ts, datetime)
    return ts


def test_a_record_fills_columns_and_the_rest_becomes_attributes() -> None:
    record = {
        "timeUnixNano": str(TIME_NS),
        "severityNumber": 17,
        "severityText": "ERROR",
        "body": any_of("payment failed"),
        "attributes": attributes_of({"http.request.method": "POST", "url.path": "/pay", "cart.items": 3}),
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "flags": 1,
        "eventName": "payment.failed",
        "droppedAttributesCount": 2,
    }
    assert row_of(record) == {
        "severity": "error",
        "message": "payment failed",
        "request_method": "POST",
        "request_route": "/pay",
        "attributes": {
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "trace_flags": 1,
            "event_name": "payment.failed",
            "cart.items": 3,
            "otel.dropped_attributes_count": 2,
        },
    }


def test_semantic_conventions_of_http_fill_the_columns_of_requests() -> None:
    attributes = {
        "client.address": "192.0.2.7",
        "enduser.id": "mia",
        "http.request.method": "GET",
        "http.route": "/orders/{id}",
        "http.response.status_code": 404,
        "http.response.body.size": 512,
        "user_agent.original": "curl/8",
    }
    assert row_of({"attributes": attributes_of(attributes)}) == {
        "host": "192.0.2.7",
        "ruser": "mia",
        "request_method": "GET",
        "request_route": "/orders/{id}",
        "status_code": 404,
        "response_bytes": 512,
        "user_agent": "curl/8",
    }


def test_the_path_of_a_request_fills_the_route_before_its_pattern() -> None:
    row = row_of({"attributes": attributes_of({"http.route": "/orders/{id}", "url.path": "/orders/7"})})
    assert (row["request_route"], row["attributes"]) == ("/orders/7", {"http.route": "/orders/{id}"})


def test_a_record_has_its_own_time_else_the_observed_one_else_the_time_of_receipt() -> None:
    expected = datetime(2024, 4, 1, 12, 0, 0, 123456, UTC)
    assert ts_of({"timeUnixNano": str(TIME_NS), "observedTimeUnixNano": str(TIME_NS + 10**12)}) == expected
    assert ts_of({"observedTimeUnixNano": str(TIME_NS)}) == expected
    assert ts_of({"body": any_of("x")}) == datetime.fromtimestamp(RECEIVED_AT_US / 1_000_000, UTC)


@pytest.mark.parametrize("time_ns", [1, 10**15, 10**17 - 1, 10**17, 10**19 - 1, 10**19, (1 << 64) - 1])
def test_a_time_is_always_a_number_of_nanoseconds(time_ns: int) -> None:
    assert ts_of({"timeUnixNano": str(time_ns)}).timestamp() == pytest.approx(time_ns / 10**9, abs=1e-5)


def test_attributes_that_look_like_a_time_or_a_severity_do_not_replace_the_records_own() -> None:
    attributes = {
        "timestamp": "2001-01-01T00:00:00Z",
        "@timestamp": "2001-01-01T00:00:00Z",
        "level": "fatal",
        "msg": "x",
    }
    record = {
        "timeUnixNano": str(TIME_NS),
        "severityNumber": 9,
        "body": any_of("hello"),
        "attributes": attributes_of(attributes),
    }
    [row] = rows_of(decode_both(request_of(record)))
    assert row["ts"] == datetime(2024, 4, 1, 12, 0, 0, 123456, UTC)
    assert (row["severity"], row["message"]) == ("info", "hello")
    assert row["attributes"] == {
        "timestamp": "2001-01-01T00:00:00Z",
        "@timestamp": "2001-01-01T00:00:00Z",
        "attributes.level": "fatal",
        "msg": "x",
    }


def test_the_time_of_observation_is_kept_if_it_is_a_second_or_more_away() -> None:
    near = {"timeUnixNano": str(TIME_NS), "observedTimeUnixNano": str(TIME_NS + 999_999_999)}
    far = {"timeUnixNano": str(TIME_NS), "observedTimeUnixNano": str(TIME_NS + 10**9)}
    assert row_of(near) == {}
    assert row_of(far) == {"attributes": {"observedTimeUnixNano": TIME_NS + 10**9}}


@pytest.mark.parametrize(
    ("number", "text", "severity", "attributes"),
    [
        (1, "", "trace", None),
        (5, "DEBUG", "debug", None),
        (9, "Information", "info", {"severity_text": "Information"}),
        (13, "WARN", "warning", {"severity_text": "WARN"}),
        (13, "Warning", "warning", None),
        (21, "CRITICAL", "critical", None),
        (24, "", "critical", {"severity_number": 24}),
        (21, "FATAL", "critical", {"severity_text": "FATAL"}),
        (10, "notice", "notice", None),
        (9, "Loud", "info", {"severity_text": "Loud"}),
        (14, "", "warning", {"severity_number": 14}),
        (9, "error", "error", {"severity_number": 9}),
        (0, "Loud", None, {"severity_text": "Loud"}),
        (0, "", None, None),
        (99, "", None, {"severity_number": 99}),
    ],
)
def test_a_severity_is_the_senders_word_if_it_is_on_the_scale(
    number: int, text: str, severity: str | None, attributes: dict[str, Any] | None
) -> None:
    row = row_of({"severityNumber": number, "severityText": text})
    assert (row.get("severity"), row.get("attributes")) == (severity, attributes)


@pytest.mark.parametrize("severities", [5, 29, 35, 400])
def test_a_request_may_have_any_number_of_severities(severities: int) -> None:
    request = request_of(*({"severityText": f"word {severities} {number}"} for number in range(severities)))
    rows = rows_of(decode_both(request))
    texts = [row["attributes"]["severity_text"] for row in rows]
    assert texts == [f"word {severities} {number}" for number in range(severities)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("text", "text"),
        (5, "5"),
        (True, "true"),
        (1.5, "1.5"),
        (float("inf"), "inf"),
        (b"\x00\xff", "AP8="),
        ([1, "two", [3]], '[1, "two", [3]]'),
        ({"code": 7, "inner": {"a": None}}, '{"code": 7, "inner": {"a": null}}'),
        ("", None),
        (None, None),
    ],
)
def test_a_body_of_any_kind_becomes_the_message(body: Any, message: str | None) -> None:
    assert row_of({"body": any_of(body)}) == ({} if message is None else {"message": message})


def test_the_message_within_a_body_becomes_the_message_and_its_other_members_an_attribute() -> None:
    body = {"message": "paid", "order": {"id": 7}, "tags": ["a", b"b"]}
    assert row_of({"body": any_of(body)}) == {
        "message": "paid",
        "attributes": {"body": {"order": {"id": 7}, "tags": ["a", "Yg=="]}},
    }
    assert row_of({"body": any_of({"message": "paid"})}) == {"message": "paid"}
    assert row_of({"body": any_of({"stream": "stdout", "log": "paid"})}) == {
        "message": "paid",
        "attributes": {"body": {"stream": "stdout"}},
    }
    assert row_of({"body": any_of({"message": 5})}) == {"message": '{"message": 5}'}


def test_values_of_attributes_keep_their_kinds() -> None:
    attributes: dict[str, Any] = {
        "big": (1 << 63) - 1,
        "small": -(1 << 63),
        "half": 0.5,
        "no": False,
        "none": None,
        "raw": b"\x01",
    }
    attributes |= {"empty": "", "list": [1, ["x"]], "map": {"a": {"b": 1}}}
    expected = attributes | {"raw": "AQ=="}
    assert row_of({"attributes": attributes_of(attributes)}) == {"attributes": expected}


def test_ids_of_zeros_are_absent() -> None:
    assert row_of({"traceId": "0" * 32, "spanId": "0" * 16}) == {}


def test_a_record_has_the_attributes_of_its_scope_and_its_resource() -> None:
    scope = {
        "name": "shop.cart",
        "version": "1.2",
        "attributes": attributes_of({"part": "cart"}),
        "droppedAttributesCount": 1,
    }
    row = row_of({"body": any_of("x")}, scope=scope, resource={"service.name": "shop", "host.name": "web1"})
    assert row["attributes"] == {
        "otel.scope.name": "shop.cart",
        "otel.scope.version": "1.2",
        "part": "cart",
        "otel.scope.dropped_attributes_count": 1,
        "service.name": "shop",
    }
    assert row["host"] == "web1"


def test_the_record_keeps_a_key_that_its_scope_or_resource_has_too() -> None:
    scope = {"attributes": attributes_of({"zone": "scope", "other": "scope"})}
    record = {"attributes": attributes_of({"zone": "record"})}
    row = row_of(record, scope=scope, resource={"zone": "resource", "other": "resource"})
    assert row["attributes"] == {
        "zone": "record",
        "scope.zone": "scope",
        "other": "scope",
        "resource.zone": "resource",
        "resource.other": "resource",
    }


def test_an_attribute_that_comes_twice_is_kept_twice() -> None:
    record = {"attributes": [*attributes_of({"a": 1}), *attributes_of({"a": 2})]}
    assert row_of(record) == {"attributes": {"a": 1, "attributes.a": 2}}


def test_an_attribute_named_like_a_field_of_the_record_gets_a_prefix() -> None:
    record = {"traceId": TRACE_ID, "attributes": attributes_of({"trace_id": "mine"})}
    assert row_of(record) == {"attributes": {"trace_id": TRACE_ID, "attributes.trace_id": "mine"}}


def test_keys_and_values_may_hold_any_text() -> None:
    attributes = {'a"\\\n%s': 'b"\\\n%s', "100%": "100%", "ü": "\U0001f436"}
    row = row_of({"attributes": attributes_of(attributes)}, resource={"50%": "50%"})
    assert row["attributes"] == {**attributes, "50%": "50%"}


def test_records_are_gathered_by_the_service_that_they_come_from() -> None:
    request = request_of({"body": any_of("one")}, resource={"service.name": "shop"})
    for name, text in (("cart", "two"), ("shop", "three")):
        request["resourceLogs"] += request_of({"body": any_of(text)}, resource={"service.name": name})["resourceLogs"]
    request["resourceLogs"] += request_of({"body": any_of("four")})["resourceLogs"]
    received = decode_both(request)
    messages = {found.source: found.parsed.records["message"].to_pylist() for found in received.lines}
    assert messages == {"shop": ["one", "three"], "cart": ["two"], "": ["four"]}


def test_the_line_of_each_record_is_where_its_offset_says() -> None:
    received = decode_both(request_of(*({"body": any_of(f"text {number}")} for number in range(5))))
    [found] = received.lines
    texts_at = [found.parsed.line_at(offset) for offset in found.parsed.records["line_offset"].to_pylist()]
    assert texts_at == [b'{"message": "text %d"}' % number for number in range(5)]
    assert found.size == len(found.parsed.data)


def test_a_request_without_records_has_no_lines() -> None:
    assert decode_both(request_of()).lines == ()
    assert decode_both({}).lines == ()


def test_a_request_with_too_many_records_is_refused() -> None:
    found = RequestLines().open_source("")
    found.add_written(b"{}\n" * MAX_RECORDS)
    with pytest.raises(NotDecoded, match=r"more than 1,000,000 log records"):
        found.add("{}")


def test_a_request_whose_attributes_would_fill_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lines, protobuf_request):
        monkeypatch.setattr(module, "MAX_BYTES", 1 << 20)
    request = request_of(*[{}] * 20, resource={"large": "x" * (1 << 16)})
    with pytest.raises(NotDecoded, match=r"exceed 1 MiB"):
        decode_both(request)
    with pytest.raises(NotDecoded, match=r"exceed 1 MiB"):
        decode_protobuf(protobuf_of(request), RECEIVED_AT_US)


@pytest.mark.parametrize(
    "number", [0.0, -0.0, 0.1, 1e-5, 5e-324, 1e15, 123456789012345.6, 1e16, 1.5e17, 1e300, 2.0**53]
)
def test_a_number_is_written_as_python_does(number: float) -> None:
    [row] = rows_of(decode_both(request_of({"attributes": attributes_of({"a": number})})))
    assert row["attributes"] == {"a": number}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
attribute_lists = st.dictionaries(
    texts | st.sampled_from(["level", "message", "url.path", "ts"]), values, max_size=4
).map(attributes_of)
records = st.fixed_dictionaries(
    {},
    optional={
        "timeUnixNano": st.integers(0, (1 << 64) - 1).map(str),
        "observedTimeUnixNano": st.integers(0, (1 << 64) - 1).map(str),
        "severityNumber": st.integers(0, 24),
        "severityText": texts,
        "body": values.map(any_of),
        "attributes": attribute_lists,
        "traceId": st.binary(min_size=16, max_size=16).map(bytes.hex),
        "spanId": st.binary(min_size=8, max_size=8).map(bytes.hex),
        "flags": st.integers(0, (1 << 32) - 1),
        "eventName": texts,
        "droppedAttributesCount": st.integers(0, (1 << 32) - 1),
    },
)


@settings(max_examples=examples(20, soak=50), deadline=None)
@given(st.lists(records, max_size=3), st.dictionaries(texts, values, max_size=3))
def test_both_encodings_of_a_request_give_the_same_rows(sent: list[dict[str, Any]], resource: dict[str, Any]) -> None:
    received = decode_both(request_of(*sent, resource=resource))
    assert received.records + received.rejects == len(sent)
