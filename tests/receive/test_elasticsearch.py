"""Bodies of ``_bulk``: documents become records, and every action has an item in the answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.receive.bulk_answer import BulkAnswer, ItemError
from puppylog.receive.elasticsearch import decode_bulk
from puppylog.receive.received import NotDecoded, Received

CREATE = b'{"create":{"_index":"web"}}\n'
ECS = {
    "@timestamp": "2026-11-27T10:00:00.250Z",
    "log": {"level": "WARN", "logger": "shop"},
    "message": "slow",
    "service": {"name": "cart"},
    "http": {"request": {"method": "GET"}, "response": {"status_code": 503, "body": {"bytes": 12}}},
    "url": {"path": "/cart"},
    "source": {"ip": "10.0.0.9"},
    "user_agent": {"original": "curl/8"},
    "host": {"name": "web1"},
}


def decode(body: bytes, index: str = "") -> tuple[Received, list[dict[str, Any]]]:
    received, answer = decode_bulk(body, index=index, read_at_us=7)
    rendered = json.loads(answer.render(0))
    assert rendered["errors"] is any("error" in item for each in rendered["items"] for item in each.values())
    return received, rendered["items"]


def messages(received: Received) -> dict[str, list[str]]:
    return {lines.source: lines.parsed.records["message"].to_pylist() for lines in received.lines}


def statuses(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(operation, item["status"]) for each in items for operation, item in each.items()]


def test_names_of_the_common_schema_fill_columns() -> None:
    received, _ = decode(CREATE + json.dumps(ECS).encode() + b"\n")
    (row,) = received.lines[0].parsed.records.to_pylist()
    assert row["ts"].isoformat() == "2026-11-27T10:00:00.250000+00:00"
    assert (row["severity"], row["message"], row["host"]) == ("warning", "slow", "10.0.0.9")
    assert (row["request_method"], row["request_route"], row["status_code"]) == ("GET", "/cart", 503)
    assert (row["response_bytes"], row["user_agent"]) == (12, "curl/8")
    attributes = json.loads(row["attributes"])
    assert attributes["service"] == {"name": "cart"}
    assert attributes["host"] == {"name": "web1"}
    assert attributes["log"] == {"logger": "shop"}


def test_a_document_without_a_time_has_the_time_of_receipt() -> None:
    received, _ = decode(CREATE + b"{}\n")
    assert received.lines[0].parsed.records["ts"].cast("int64").to_pylist() == [7]  # type: ignore[arg-type] # the stub


ONE_INDEX = CREATE * 0 + b"".join(CREATE + b'{"message":"m%d"}\n' % n for n in range(4))
SEVERAL = b"".join(b'{"index":{"_index":"i%d"}}\n{"message":"m%d"}\n' % (n % 2, n) for n in range(4))
WITH_IDS = b"".join(b'{"index":{"_index":"i","_id":"%d"}}\n{"message":"m%d"}\n' % (n, n) for n in range(4))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (ONE_INDEX, {"web": ["m0", "m1", "m2", "m3"]}),
        (ONE_INDEX.removesuffix(b"\n"), {"web": ["m0", "m1", "m2", "m3"]}),
        (SEVERAL, {"i0": ["m0", "m2"], "i1": ["m1", "m3"]}),
        (WITH_IDS, {"i": ["m0", "m1", "m2", "m3"]}),
    ],
)
def test_documents_are_gathered_by_their_index(body: bytes, found: dict[str, list[str]]) -> None:
    received, items = decode(body)
    assert messages(received) == found
    assert [status for _, status in statuses(items)] == [201] * 4
    for lines in received.lines:
        for at, message in zip(
            lines.parsed.records["line_offset"].to_pylist(), lines.parsed.records["message"].to_pylist(), strict=True
        ):
            assert message.encode() in lines.parsed.line_at(at)


def test_an_id_is_an_attribute_and_the_documents_own_wins() -> None:
    action = b'{"index":{"_index":"i","_id":"a\\"1"}}\n'
    received, _ = decode(action + b'{"message":"m"}\n' + action + b'{"_id":"own"}\n' + action + b" { }\n")
    attributes = received.lines[0].parsed.records["attributes"].to_pylist()
    read = {"ts_source": "read"}
    assert [json.loads(text) for text in attributes] == [
        {"_id": 'a"1'} | read,
        {"_id": "own"} | read,
        {"_id": 'a"1'} | read,
    ]


def test_the_index_of_the_address_is_the_default_and_its_date_is_left_out() -> None:
    received, _ = decode(
        b'{"create":{}}\n{"message":"a"}\n{"create":{"_index":"b-2026.11.27"}}\n{"message":"b"}\n', "a-x"
    )
    assert messages(received) == {"a-x": ["a"], "b": ["b"]}


@pytest.mark.parametrize("first", [CREATE, b'{"index":{"_index":"web","_id":"1"}}\n', b'{"index":{"_index":"x"}}\n'])
def test_a_document_that_is_no_json_is_an_item_with_an_error_and_a_rejected_line(first: bytes) -> None:
    received, items = decode(first + b'{"message":"a"}\n' + CREATE + b"nope\n" + CREATE + b'{"message":"b"}\n')
    assert sorted(found for of_index in messages(received).values() for found in of_index) == ["a", "b"]
    assert [status for _, status in statuses(items)] == [201, 400, 201]
    assert items[1]["create"]["error"]["type"] == "document_parsing_exception"
    (rejected,) = [line for lines in received.lines for line in lines.parsed.rejects.to_pylist()]
    assert rejected["line"] == b"nope"


def test_records_are_not_updated_or_deleted() -> None:
    body = b'{"delete":{"_id":"1"}}\n{"update":{"_id":"1"}}\n{"doc":{"a":1}}\n' + CREATE + b'{"message":"m"}\n'
    received, items = decode(body, "web")
    assert messages(received) == {"web": ["m"]}
    assert statuses(items) == [("delete", 400), ("update", 400), ("create", 201)]


def test_a_client_may_note_something_for_itself_in_an_action() -> None:
    action = b'{"index":{"_index":"web","pipeline":null},"attempts":%d}\n'
    received, items = decode(action % 3 + b'{"message":"a"}\n' + action % 2 + b'{"message":"b"}\n')
    assert messages(received) == {"web": ["a", "b"]}
    assert statuses(items) == [("index", 201)] * 2


def test_a_document_that_looks_like_an_action_is_a_document() -> None:
    received, items = decode(CREATE + CREATE + CREATE + b'{"message":"m"}\n' + b'{"delete":{}}\n' + CREATE + CREATE)
    assert received.records == 3
    assert statuses(items) == [("create", 201), ("create", 201), ("delete", 400), ("create", 201)]


def test_a_line_without_an_action_is_kept_as_a_rejected_line() -> None:
    body = CREATE + b'{"message":"a"}\nbad\n{"message":"its document"}\n' + CREATE + b'{"message":"b"}\n' + CREATE
    received, items = decode(body)
    assert messages(received) == {"web": ["a", "b"], "": []}
    assert [status for _, status in statuses(items)] == [201, 400, 201, 400]
    assert "line 3" in items[1]["index"]["error"]["reason"]
    assert items[3]["create"]["error"]["reason"] == "the document is missing"
    assert received.lines[1].parsed.rejects["line"].to_pylist() == [b"bad", b'{"message":"its document"}']


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"hello\n", "line 1"),
        (b'\n\n{"message":"m"}\n', "line 3"),
        (b'{"create":[]}\n', "line 1"),
        (b"[" * 9999, "line 1"),
    ],
)
def test_a_body_without_actions_is_refused_with_the_place(body: bytes, place: str) -> None:
    with pytest.raises(NotDecoded) as raised:
        decode(body)
    assert raised.value.place == place


def test_an_answer_is_compact_and_its_parts_can_be_chosen() -> None:
    answer = BulkAnswer()
    answer.add("create", 2)
    assert answer.render(3) == '{"took":3,"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}'
    assert answer.render(3, ["errors"]) == '{"errors":false}'
    answer.add_error("index", ItemError(400, "t", "r"))
    failed = '{"index":{"status":400,"error":{"type":"t","reason":"r"}}}'
    assert answer.render(3, ["took", "errors", "items.*.error"]) == f'{{"took":3,"errors":true,"items":[{failed}]}}'
    assert answer.render(3, ["errors", "items.*.error", "items.*.status"]).count("status") == 3
    assert BulkAnswer.from_json(answer.to_json()) == answer


def test_an_answer_of_many_equal_items_is_kept_short() -> None:
    _, answer = decode_bulk((CREATE + b"nope\n") * 20_000 + CREATE + b"{}\n", read_at_us=0)
    assert len(answer.errors) == 20_000
    assert len(answer.to_json()) < 1000
    assert BulkAnswer.from_json(answer.to_json()) == answer


ACTION_LINES = st.sampled_from(
    [
        CREATE,
        b'{"index":{"_index":"a"}}\n',
        b'{"index":{"_index":"a","_id":"1"}}\n',
        b'{"delete":{"_id":"1"}}\n',
        b'{"update":{}}\n',
        b'{"message":"m"}\n',
        b"x\n",
        b"\n",
        b"\xff\n",
        b" { }\n",
    ]
)


@given(st.lists(ACTION_LINES, max_size=12).map(b"".join) | st.binary(max_size=200))
def test_every_document_of_any_body_is_a_record_or_a_rejected_line_with_an_item(body: bytes) -> None:
    try:
        received, answer = decode_bulk(body, index="web", read_at_us=0)
    except NotDecoded:
        return
    items = json.loads(answer.render(0))["items"]
    assert len(items) == answer.count
    assert [at for at, each in enumerate(items) if "error" in next(iter(each.values()))] == sorted(answer.errors)
    assert received.records == answer.count - len(answer.errors)
    for lines in received.lines:
        assert all(0 <= at < lines.size for at in lines.parsed.records["line_offset"].to_pylist())
        assert lines.parsed.data.count(b"\n") == lines.parsed.lines
