"""``/api/v1/fields`` and ``complete`` on a served store."""

import json
from collections.abc import Iterator

import pytest

from support.read_interface import get
from support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("fields")) as served:
        lines = [{"message": f"m {at}", "shop": "a" if at % 3 else "שלום", "id": at, "o": {"k": 1}} for at in range(60)]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        assert served.send("POST", "/api/v1/lines?source=shop&format=json&group=web", body).status == 200
        yield served


def test_the_fields_of_the_newest_records_are_listed_by_use(served: Served) -> None:
    found = get(served, "fields", q="m")
    fields = {field["name"]: field for field in found["fields"]}
    assert found["sample_records"] == 60
    assert (fields["shop"]["kind"], fields["shop"]["share"], fields["shop"]["distinct"]) == ("attribute", 1.0, 2)
    assert fields["shop"]["examples"] == ["a", "שלום"]
    assert fields["shop"]["is_facet"] is True
    assert fields["id"]["is_facet"] is False
    assert fields["message"]["is_facet"] is False
    assert fields["o.k"]["examples"] == ["1"]
    assert fields["source"]["examples"] == ["lines:///shop"]
    assert fields["group"]["examples"] == ["web"]
    assert "host" not in fields
    assert get(served, "fields", q="nothing")["fields"] == []


def test_a_caret_is_counted_as_javascript_counts(served: Served) -> None:
    found = get(served, "complete", q="🐶 sho", at=6)
    assert (found["start"], found["end"]) == (3, 6)
    assert found["items"][0] == {
        "insert": "shop:",
        "label": "shop",
        "kind": "field",
        "detail": "attribute · 100 % of the newest records",
    }
    values = get(served, "complete", q="shop:ש", at=6)
    assert [item["insert"] for item in values["items"]] == ["שלום"]
    assert values["items"][0]["detail"] == "20 of the newest 60 records"


def test_a_completed_value_of_a_source_finds_its_records(served: Served) -> None:
    [item] = get(served, "complete", q="source:sh")["items"]
    assert get(served, "histogram", q=f"source:{item['insert']}")["records"] == 60
