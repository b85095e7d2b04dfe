"""JSON lines, written and read back on both paths."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS
from formats.sample_files import read_samples
from formats.test_json_text import without_invalid_characters, written_objects
from puppylog.formats.json_lines import REASONS
from puppylog.formats.json_object import BUNDLE
from puppylog.formats.registry import find_format
from support.examples import examples

paths = st.sampled_from(PATHS)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda word: word != "-"
)
requests = st.fixed_dictionaries(
    {
        "ts": st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - the zone comes now
            lambda at: at.replace(tzinfo=UTC)
        ),
        "host": st.from_regex(r"[0-9A-Za-z._-]+", fullmatch=True).filter(lambda host: host != "-"),
        "ruser": st.none() | words,
        "request_method": st.from_regex("[A-Z][A-Z0-9_-]*", fullmatch=True),
        "request_route": words.map("/{}".format),
        "request_proto": st.sampled_from(["HTTP/1.1", "HTTP/2.0", "HTTP/3"]),
        "status_code": st.integers(100, 999),
        "response_bytes": st.integers(0, (1 << 63) - 1),
        "referer": st.none() | words,
        "user_agent": st.none() | words,
        "message": words.filter(lambda word: not word.endswith(("\n", "\r"))),
    }
)


def as_caddy(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "ts": row["ts"].isoformat(),
        "level": "info",
        "msg": row["message"],
        "request": {
            "remote_ip": row["host"],
            "proto": row["request_proto"],
            "method": row["request_method"],
            "uri": row["request_route"],
            "headers": {"User-Agent": [row["user_agent"] or ""], "Referer": [row["referer"] or ""]},
        },
        "user_id": row["ruser"] or "",
        "size": row["response_bytes"],
        "status": row["status_code"],
    }


def as_nginx(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "msec": f"{row['ts'].timestamp():.6f}",
        "severity": "INFO",
        "message": row["message"],
        "remote_addr": row["host"],
        "remote_user": row["ruser"],
        "request": f"{row['request_method']} {row['request_route']} {row['request_proto']}",
        "status": str(row["status_code"]),
        "body_bytes_sent": str(row["response_bytes"]),
        "http_referer": row["referer"] or "-",
        "http_user_agent": row["user_agent"],
    }


@given(requests, st.sampled_from([as_caddy, as_nginx]), st.booleans(), paths)
def test_requests_written_as_servers_write_them_are_read_back(
    row: Any, write: Any, ensure_ascii: bool, path: str
) -> None:
    line = json.dumps(write(row), ensure_ascii=ensure_ascii)
    (record,) = read("json", line.encode() + b"\n", path).records
    assert record == {"line_offset": 0, "ident": None, "severity": "info", "attributes": None, **row}


@settings(max_examples=examples(20, soak=50))
@given(st.lists(written_objects(), max_size=3), paths)
def test_members_without_a_known_name_become_attributes(documents: list[str], path: str) -> None:
    lines = [f'{{"x":{document}}}'.replace("\n", " ") for document in documents]
    outcome = read("json", "".join(f"{line}\n" for line in lines).encode(), path)
    assert not outcome.rejects
    for line, record in zip(lines, outcome.records, strict=True):
        attributes = json.loads(record["attributes"], object_pairs_hook=without_duplicates)
        attributes.pop("invalid_escape", None)
        attributes.pop("ts_source")
        assert attributes == without_invalid_characters(json.loads(line))


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@settings(max_examples=examples(20, soak=50))
@given(st.lists(written_objects().map(lambda text: text.replace("\n", " ") + "\n"), max_size=4).map("".join))
def test_both_paths_read_documents_in_the_same_way(data: str) -> None:
    assert read("json", data.encode(), "native") == read("json", data.encode(), "python")


@given(texts("json"), st.data())
def test_both_paths_read_the_same_rows_in_any_pieces(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read("json", data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read("json", data, "python") == outcome
    assert read("json", data, "native", cuts) == outcome


@pytest.mark.parametrize("path", PATHS)
def test_numbers_and_blanks_stay_as_they_are_written(path: str) -> None:
    line = b'{ "a" :1.10,"b":[ 1,2 ], "c":{"d":1E+2,"e":1e9999}, "f":"\\u00e9" }\n'
    (record,) = read("json", line, path).records
    assert (
        record["attributes"]
        == '{"a": 1.10, "b": [ 1,2 ], "c": {"d":1E+2,"e":1e9999}, "f": "\\u00e9", "ts_source": "read"}'
    )


@pytest.mark.parametrize("path", PATHS)
def test_one_duplicate_among_twenty_thousand_members_is_dropped(path: str) -> None:
    count = 20_000
    members = ",".join(f'"k{k % (count - 1)}":{k}' for k in range(count))
    (record,) = read("json", f"{{{members}}}\n".encode(), path).records
    attributes = json.loads(record["attributes"], object_pairs_hook=without_duplicates)
    assert attributes.pop("ts_source") == "read"
    assert len(attributes) == count - 1
    assert attributes["k0"] == count - 1


@pytest.mark.parametrize("path", PATHS)
def test_a_very_long_line_of_brackets_is_nested_too_deeply(path: str) -> None:
    outcome = read("json", b'{"a":' + b"[" * 1_000_000 + b"\n", path)
    assert [row["reason"] for row in outcome.rejects] == ["nested too deeply"]


@pytest.mark.parametrize("reason", sorted({*REASONS} - {BUNDLE}))
def test_each_reason_has_a_sample(reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples("json")}


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("prose", 0),
        ('{"a":1,}', 7),
        ('{"a":1', 6),
        ('{"a":[1,x]}', 8),
        ('{"a":1} {}', 8),
        ('{"a":1,"b":NaN}', 11),
        ('{"a":"b\tc"}', 7),
        ('{"a":' + "[" * 100, 104),
        ("{}", 0),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(line: str, at: int) -> None:
    assert find_format("json").find_mismatch(line) == at
