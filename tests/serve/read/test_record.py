"""One record, and the records around it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.read_interface import get
from support.served import Served

LONG = "x" * (1 << 20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("record")) as served:
        lines = [json.dumps({"message": f"line {at}"}).encode() for at in range(10)]
        lines[3] = b"no object \xff"
        lines[5] = json.dumps({"message": LONG, "trace": LONG, "user_agent": "short"}).encode()
        body = b"".join(line + b"\n" for line in lines)
        assert served.send("POST", "/api/v1/lines?source=shop&format=json", body).status == 200
        yield served


def place(record: dict[str, Any]) -> dict[str, int]:
    return {"file_id": record["file_id"], "line_offset": record["line_offset"]}


def find(served: Served, q: str) -> dict[str, Any]:
    [record] = get(served, "records", q=q)["records"]
    return dict(record)


def test_a_long_text_is_cut_in_a_list_and_whole_in_the_record_itself(served: Served) -> None:
    listed = find(served, "user_agent:short")
    assert len(listed["message"]) == 8192
    assert listed["cut"]["message"] == len(LONG)
    assert listed["cut"]["attributes"] > len(LONG)
    assert "attributes" not in listed
    one = get(served, "records/one", **place(listed))
    assert one["record"]["message"] == LONG
    assert one["record"]["attributes"]["trace"] == LONG
    assert "cut" not in one["record"]


def test_a_long_text_in_attributes_is_cut_alone(served: Served) -> None:
    line = json.dumps({"message": "nested", "error": {"trace": "y" * 20_000, "code": 7}}).encode()
    assert served.send("POST", "/api/v1/lines?source=nested&format=json", line + b"\n").status == 200
    listed = find(served, "nested")
    assert listed["attributes"]["error"]["code"] == 7
    assert len(listed["attributes"]["error"]["trace"]) == 8192
    assert listed["cut"] == {"attributes.error.trace": 20_000}


def test_the_line_of_a_received_record_is_put_together(served: Served) -> None:
    one = get(served, "records/one", **place(find(served, '"line 4"')))
    assert "line 4" in one["text"]
    assert one["is_exact"] is False


def test_a_record_that_the_store_does_not_have_is_not_found(served: Served) -> None:
    for path in ("records/one", "records/context"):
        error = get(served, path, status=404, file_id=99, line_offset=0)["error"]
        assert error["message"] == "cannot find the record: the store has none at offset 0 of file 99"
    assert get(served, "records/one", status=400, file_id=1)["error"]["place"] == "line_offset"


@pytest.mark.parametrize(
    ("message", "extent", "messages", "more"),
    [
        ("line 4", (1, 2), ["line 2", "line 4", "xxx", "line 6"], (True, True)),
        ("line 1", (1, 0), ["line 0", "line 1"], (False, True)),
        ("line 8", (0, 1), ["line 8", "line 9"], (True, False)),
        ("line 9", (0, 5), ["line 9"], (True, False)),
    ],
)
def test_the_context_of_a_record_is_of_its_file(
    served: Served, message: str, extent: tuple[int, int], messages: list[str], more: tuple[bool, bool]
) -> None:
    found = get(served, "records/context", before=extent[0], after=extent[1], **place(find(served, f'"{message}"')))
    shown = [record["message"] if len(record["message"]) < 10 else "xxx" for record in found["records"]]
    assert shown == messages
    assert (found["has_before"], found["has_after"]) == more
    rejected = [(line["line"], line["is_cut"]) for line in found["rejected"]]
    assert rejected == ([("no object \ufffd", False)] if message == "line 4" else [])
