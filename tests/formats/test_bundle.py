"""Lines of JSON that have several records."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read
from formats.paths import PATHS
from puppylog.formats.bundle import split_bundle

EVENT = {"eventTime": "2026-11-24T10:00:00Z", "eventName": "é"}


@pytest.mark.parametrize("path", PATHS)
def test_each_record_of_a_bundle_is_a_record_with_a_place_of_its_own(path: str) -> None:
    lines = [json.dumps({"message": "a"}), json.dumps({"Records": [EVENT, EVENT]}, ensure_ascii=False), "{}", "{"]
    data = "".join(f"{line}\n" for line in lines).encode()
    outcome = read("json", data, path)
    assert_no_line_is_lost(data, outcome)
    assert len(outcome.records) == 4
    second = outcome.records[2]["line_offset"]
    assert data[second:].startswith(b'{"eventTime"')
    assert [reject["line"] for reject in outcome.rejects] == [b"{"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("line", ['{"resourceLogs":[]}', '{"Records": [] }', '{"resourceLogs":[{"scopeLogs":[]}]}'])
def test_a_bundle_without_records_makes_no_row(line: str, path: str) -> None:
    outcome = read("json", f"{line}\n".encode(), path)
    assert (outcome.records, outcome.rejects, outcome.rowless) == ([], [], 1)


@pytest.mark.parametrize("line", ['{"Records":[1]}', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[7]}]}]}'])
def test_a_bundle_of_another_form_is_one_record_that_says_so(line: str) -> None:
    [part] = split_bundle(line)
    assert json.loads(part.line) == {"unparsed": True, **json.loads(line)}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "value", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(
    ["timeUnixNano", "severityNumber", "severityText", "body", "attributes", "traceId", "flags", "x"]
)


@given(st.lists(st.dictionaries(names, values, max_size=5), max_size=3), st.sampled_from(PATHS))
def test_no_bundle_loses_a_line_or_fails(records: list[dict[str, Any]], path: str) -> None:
    bundle = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    data = f"{json.dumps(bundle)}\n{json.dumps({'Records': records}, ensure_ascii=False)}\n".encode()
    outcome = read("json", data, path)
    assert_no_line_is_lost(data, outcome)
