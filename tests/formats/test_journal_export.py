"""The export format of systemd's journal, in whatever blocks it comes."""

import json
import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.paths import PATHS, reading
from puppylog.formats.journal.export import MAX_ENTRY_BYTES, MAX_VALUE_BYTES, ExportDecoder, MalformedExport
from puppylog.formats.journal.journal import JOURNAL
from puppylog.formats.registry import find_format
from support.journals import field, make_cursor, make_entry

NAMES = st.from_regex("[A-Z_][A-Z0-9_]{0,20}", fullmatch=True).filter(lambda name: not name.startswith("__"))
VALUES = st.binary(max_size=40) | st.sampled_from([b"", b"\n", b"\n\n", b"=\n\n", b"A\n\x01", b"\xff"])
ENTRIES = st.lists(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=6), max_size=4)


def decode(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(entry.line) for entry in ExportDecoder().feed(data)]


def test_an_entry_is_a_line_without_its_cursor() -> None:
    (entry,) = ExportDecoder().feed(make_entry(7, cursor=make_cursor(7), __SEQNUM="8", __SEQNUM_ID="a" * 32))
    assert entry.cursor == make_cursor(7)
    assert entry.hostname == "web1"
    assert json.loads(entry.line) == {
        "__REALTIME_TIMESTAMP": "1764000000000007",
        "__MONOTONIC_TIMESTAMP": "1000007",
        "_BOOT_ID": "b" * 32,
        "_HOSTNAME": "web1",
        "_SYSTEMD_UNIT": "shop.service",
        "_SELINUX_CONTEXT": "unconfined\n",
        "PRIORITY": "6",
        "MESSAGE": "number 7",
    }
    assert entry.line.endswith(b"}\n")


def test_a_field_that_comes_several_times_is_a_list_and_messages_are_lines() -> None:
    data = b"A=1\nMESSAGE=one\nA=2\nMESSAGE=two\nA=3\n\n"
    assert decode(data) == [{"A": ["1", "2", "3"], "MESSAGE": "one\ntwo"}]


def test_bytes_that_are_no_text_are_replaced_and_the_entry_says_so() -> None:
    assert decode(b"A=\xff\n\n") == [{"A": "\ufffd", "invalid_utf8": True}]


def test_a_binary_value_may_look_like_the_end_of_an_entry() -> None:
    assert decode(b"A=1\n" + field("B", "x\n\nC=2\n\n") + b"D=3\n\nE=4\n\n") == [
        {"A": "1", "B": "x\n\nC=2\n\n", "D": "3"},
        {"E": "4"},
    ]


def test_empty_lines_between_entries_are_no_entries() -> None:
    assert decode(b"\n\nA=1\n\n\n\nB=2\n\n\n") == [{"A": "1"}, {"B": "2"}]


@given(ENTRIES, st.lists(st.integers(0, 400)))
def test_the_entries_are_the_same_in_whatever_blocks_they_come(
    entries: list[list[tuple[str, bytes]]], cuts: list[int]
) -> None:
    data = b"".join(b"".join(field(name, value) for name, value in fields) + b"\n" for fields in entries)
    decoder = ExportDecoder()
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = [entry for start, end in pairwise(bounds) for entry in decoder.feed(data[start:end])]
    assert [json.loads(entry.line) for entry in found] == decode(data)
    assert len(found) == len(entries)
    assert not decoder.is_within_entry
    for fields, entry in zip(entries, found, strict=True):
        row = json.loads(entry.line)
        for name, value in dict(fields).items():
            text = value.decode(errors="replace")
            assert text in row[name] if name == "MESSAGE" or isinstance(row[name], list) else row[name] == text


@pytest.mark.parametrize("size", [1000, 1 << 16])
def test_long_values_are_cut_and_memory_is_limited(size: int) -> None:
    long = b"x" * (3 * MAX_VALUE_BYTES)
    data = b"A=" + long + b"\n" + field("B", long + b"\n") + b"C=1\n\nD=2\n\n"
    decoder, found, most = ExportDecoder(), [], 0
    for start in range(0, len(data), size):
        found += decoder.feed(data[start : start + size])
        most = max(most, len(decoder._data))
    first, second = [json.loads(entry.line) for entry in found]
    assert MAX_VALUE_BYTES <= len(first["A"]) <= MAX_VALUE_BYTES + 300
    assert len(first["B"]) == MAX_VALUE_BYTES
    assert (first["C"], first["cut"], second) == ("1", True, {"D": "2"})
    assert most < MAX_VALUE_BYTES + 2 * size + 1000


def test_an_entry_with_too_many_or_too_large_fields_keeps_its_first_ones() -> None:
    many = b"".join(b"F%d=1\n" % number for number in range(5000)) + b"__CURSOR=c\n\n"
    (entry,) = ExportDecoder().feed(many)
    row = json.loads(entry.line)
    assert (entry.cursor, row["F0"], row["cut"]) == ("c", "1", True)
    assert "F4999" not in row
    large = b"".join(b"F%d=" % number + b"x" * 200_000 + b"\n" for number in range(20)) + b"\n"
    (entry,) = ExportDecoder().feed(large)
    assert len(entry.line) < MAX_ENTRY_BYTES + 1000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"A=1\n\n=2\n\n", "byte 8: a field has no name"),
        (b"A\n" + b"\xff" * 8, "byte 2: a value of 18446744073709551615 bytes is too long"),
        (b"A\n" + struct.pack("<Q", 1) + b"xy", "byte 11: no newline follows a value"),
        (b"x" * 1_000_000 + b"\n", "byte 1000001: a name is too long"),
        (b"GET / HTTP/1.1\nHost: web1\n\n", "bytes is too long"),
    ],
)
def test_bytes_that_are_not_the_export_format_are_refused_with_their_place(data: bytes, message: str) -> None:
    with pytest.raises(MalformedExport, match=message):
        ExportDecoder().feed(data)


def test_the_entries_before_a_fault_are_given_with_it() -> None:
    with pytest.raises(MalformedExport) as caught:
        ExportDecoder().feed(b"A=1\n\nB=2\n\n=3\n\n")
    assert [entry.line for entry in caught.value.entries] == [b'{"A":"1"}\n', b'{"B":"2"}\n']


def test_an_entry_that_has_begun_is_known() -> None:
    decoder = ExportDecoder()
    decoder.feed(b"A=1\n")
    assert decoder.is_within_entry
    decoder.feed(b"\n")
    assert not decoder.is_within_entry


def parse(*entries: bytes) -> list[dict[str, Any]]:
    lines = b"".join(entry.line for entry in ExportDecoder().feed(b"".join(entries)))
    parsed = JOURNAL.open().parse(lines, 0, 0)
    assert parsed.rejects.num_rows == 0
    rows: list[dict[str, Any]] = parsed.records.to_pylist()
    return rows


def test_time_severity_and_message_are_columns_and_all_else_is_an_attribute() -> None:
    (row,) = parse(
        make_entry(7, _SOURCE_REALTIME_TIMESTAMP="1763999999999999", PRIORITY="3", STATUS="404", USER_ID="1")
    )
    assert row["ts"].timestamp() == pytest.approx(1763999999.999999)
    assert (row["severity"], row["message"], row["status_code"], row["ruser"]) == ("error", "number 7", None, None)
    attributes = json.loads(row["attributes"])
    assert (attributes["STATUS"], attributes["USER_ID"]) == ("404", "1")
    assert attributes["__REALTIME_TIMESTAMP"] == "1764000000000007"
    assert "_SOURCE_REALTIME_TIMESTAMP" not in attributes


def test_an_entry_without_the_time_of_its_program_has_the_time_of_the_journal() -> None:
    (row,) = parse(make_entry(7))
    assert row["ts"].timestamp() == pytest.approx(1764000000.000007)


ENTRIES_OF_DOORS = (
    {"_SOURCE_REALTIME_TIMESTAMP": "1763999999999999", "_PID": "812", "STATUS": "404", "USER_ID": "1", "URL": "/a"},
    {"_PID": "1e5", "EMPTY": "", "DASH": "-", "LEVEL": "error", "TIMESTAMP": "2020-01-01T00:00:00Z"},
    {"PRIORITY": "2", "MESSAGE": "the till:\n  is empty\nA=1", "__SEQNUM": "8", "__SEQNUM_ID": "a" * 32},
    {"MESSAGE": "long\n" + "x" * 119, "CODE_LINE": "7", "NOTE": "two\nlines\n"},
)


def as_json(data: bytes) -> bytes:
    """Return an entry as journalctl writes it with ``-o json``."""
    decoder = ExportDecoder()
    (entry,) = decoder.feed(data)
    return json.dumps({**json.loads(entry.line), "__CURSOR": entry.cursor, "__SEQNUM": "8"}).encode() + b"\n"


@pytest.mark.parametrize("name", ["journal_export", "json", "auto"])
def test_an_entry_becomes_the_same_record_from_the_journal_and_from_a_file(name: str) -> None:
    entries = [make_entry(at, cursor=make_cursor(at), **fields) for at, fields in enumerate(ENTRIES_OF_DOORS)]
    files = [b"".join(map(as_json, entries))] if name != "journal_export" else []
    files += [b"".join(entries)] if name != "json" else []
    expected = parse(*entries)
    for row in expected:
        row.pop("line_offset")
        row["attributes"] = json.loads(row["attributes"])
    for file in files:
        parsed = find_format(name).open().parse(file, 0, 0)
        assert parsed.rejects.num_rows == 0
        rows = parsed.records.to_pylist()
        for row in rows:
            row.pop("line_offset")
            row["attributes"] = json.loads(row["attributes"])
        assert rows == expected


@pytest.mark.parametrize("path", PATHS)
def test_an_entry_between_other_lines_of_json_is_read_as_an_entry(path: str) -> None:
    entry = as_json(make_entry(7, cursor=make_cursor(7), STATUS="404"))
    lines = b'{"level":"error","msg":"a"}\n\n' + entry + b'not json\n{"msg":"\\"__CURSOR\\": 1","status":404}\n'
    with reading(path):
        parsed = find_format("json").open().parse(lines, 0, 0)
    assert parsed.records["line_offset"].to_pylist() == [0, 29, 29 + len(entry) + 9]
    assert parsed.records["message"].to_pylist() == ["a", "number 7", '"__CURSOR": 1']
    assert parsed.records["host"].to_pylist() == [None, "web1", None]
    assert parsed.rejects["line"].to_pylist() == [b"not json"]
    assert parsed.rowless == 1
