"""Calls that no client of Puppylog makes are refused, one by one, and none is a defect of the server."""

import json
import secrets
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.model.record import RECORDS
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.serve.store.calls import CALLS
from puppylog.stores.messages import encode
from puppylog.stores.remote.frames import END, Kind, pack_batch, pack_frame
from puppylog.stores.remote.protocol import CALL_HEADER, CONTENT_TYPE, PREFIX, PROTOCOL, PROTOCOL_HEADER, SESSION_HEADER
from support.examples import IS_SOAK
from support.lines import records
from support.served import Answer, Served

MOVE = Move(1, 0, 100, EMPTY_FINGERPRINT, finished=False)
HEAD = pack_frame(Kind.JSON, encode({"moves": [MOVE], "requests": [], "parts": [[1, 1, "R", 0]]}))
SESSION = secrets.token_hex(16)
OTHERS = (
    *("query", "append", "replay", "open_session", "open_streams", "close_stream", "claim_sending"),
    *("stage_rows", "discard_rows", "rewrite", "delete_stream"),
)
BAD: list[object] = [
    {},
    [],
    1,
    None,
    {"source_uris": 7, "group": 1},
    {"moves": [1], "requests": [], "parts": []},
    {"moves": [], "requests": [], "parts": [[1, 2, "R", 0]]},
    {"moves": [], "requests": [], "parts": [["x", 2, "R", 0]]},
    {"sql": 1, "parameters": 2, "timeout_s": "x"},
    {"sql": "SELECT $a", "parameters": {"a": [1]}, "timeout_s": None},
    {"metric": {"name": "DROP"}},
    {"alert": {"comparison": "?"}},
    {"new": {"name": "x", "scope": "king", "hash": 1, "expires_at": "soon"}},
    {"silence": {"name": 1}},
    {"name": None, "at": "never"},
    {"id": 1, "number": "x", "parts": []},
    {"id": "a", "parts": 0, "file": {"stream_id": 1}, "context": ""},
    {"id": "a", "parts": 0, "file": {"stream_id": 1, "file_id": 1, "byte_offset": 1, "first_offset": 0}, "context": ""},
    {"stream_id": "x"},
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        send(served, "open_session", {"client": {"host": "web1", "pid": 1}, "claims": [], "is_sender": False})
        yield served
        assert served.reported == []


def post(served: Served, call: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    usual = {PROTOCOL_HEADER: str(PROTOCOL), SESSION_HEADER: SESSION, CALL_HEADER: secrets.token_hex(16)}
    return served.send("POST", PREFIX + call, body, {**usual, **(headers or {})})


def send(served: Served, call: str, arguments: object) -> Answer:
    return post(served, call, pack_frame(Kind.JSON, json.dumps(arguments).encode()) + END)


def test_arguments_of_another_shape_are_refused_or_make_no_sense_to_the_store(served: Served) -> None:
    for number, call in enumerate(["hello", *CALLS, *OTHERS]):
        # `make test` sends each call a half of the arguments.
        for arguments in BAD if IS_SOAK else BAD[number % 2 :: 2]:
            answer = send(served, call, arguments)
            assert answer.status < 500 or b"Error" in answer.body, (call, arguments, answer)
            assert answer.headers["content-type"] == CONTENT_TYPE
            assert served.reported == [], (call, arguments)


@given(body=st.binary(max_size=300), call=st.sampled_from(["append", "query", "replay", "report", "stage_rows"]))
def test_bodies_that_are_no_frames_are_refused(served: Served, body: bytes, call: str) -> None:
    assert post(served, call, body).status == 400


def test_rows_of_other_columns_and_surplus_frames_are_refused(served: Served) -> None:
    rows = pack_batch(Kind.RECORDS, records(1).records)
    head = HEAD
    other = pack_batch(Kind.RECORDS, records(1).records.select(["line_offset", "ts"]))
    for body in (head + other + END, head + rows + rows + END, head + END, head + rows):
        assert post(served, "append", body).status == 400


def test_a_call_of_another_version_is_refused_and_hello_tells_which_one_this_is(served: Served) -> None:
    for version in ({PROTOCOL_HEADER: "999"}, {PROTOCOL_HEADER: ""}):
        refused = post(served, "list_metrics", pack_frame(Kind.JSON, b"{}") + END, version)
        assert refused.status == 400
        assert b"StoreRefused" in refused.body
        assert post(served, "hello", pack_frame(Kind.JSON, b"{}") + END, version).status == 200


def test_another_method_or_path_is_not_found(served: Served) -> None:
    assert served.send("GET", PREFIX + "hello").status == 405
    for path in ("no_such_call", "../../../etc/passwd", "hello/", "%2e%2e/hello"):
        assert served.send("POST", PREFIX + path).status in (307, 404, 405), path


def test_rows_without_a_move_are_refused(served: Served) -> None:
    head = pack_frame(Kind.JSON, b'{"moves":[],"requests":[],"parts":[[1,1,"R",0]]}')
    answer = post(served, "append", head + pack_batch(Kind.RECORDS, records(1).records) + END)
    assert answer.status == 400
    assert b"a file whose position it does not move" in answer.body


def test_times_and_numbers_out_of_every_range_are_refused_or_stored(served: Served) -> None:
    columns = list(records(1).records.columns)
    for number, (value, type_) in ((1, (-(2**63), "ts")), (0, (-1, "int64"))):
        column = pa.array([value], pa.timestamp("us", "UTC") if type_ == "ts" else pa.int64())
        rows = pa.RecordBatch.from_arrays([*columns[:number], column, *columns[number + 1 :]], schema=RECORDS)
        body = HEAD + pack_batch(Kind.RECORDS, rows) + END
        assert post(served, "append", body).status in (200, 400, 409)
    assert served.reported == []
