"""What all formats share, tested with a simple format: ``stamp message``; lines that begin with ``!`` are rejected."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats import clock, line_format
from puppylog.formats.base import Parser
from puppylog.formats.line_format import LineFormat
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Rows, RowsBuilder

READ_AT_US = 1_900_000_000_000_000


def read(text: bytes | memoryview) -> Rows:
    rows = RowsBuilder(bytes(text))
    at = 0
    for line in bytes(text).splitlines(keepends=True) if b"\r" not in bytes(text) else bytes(text).split(b"\n")[:-1]:
        whole = line.rstrip(b"\n")
        stamp = clock.parse_iso(whole[:19].decode("utf-8", "replace"))
        if whole.startswith(b"!"):
            rows.reject(at, "does not fit")
        elif stamp is None:
            rows.add(at, columns={"message": whole.decode()})
        else:
            members = [("rest", quote(whole[20:].decode()))]
            rows.add(at, stamp.us, is_local=stamp.is_local, members=members, columns={"message": whole.decode()})
        at += len(whole) + 1
    return rows.build()


def open_in(zone: str, context: str = "") -> Parser:
    return LineFormat("simple", read, ZoneInfo(zone)).open(context)


def test_a_line_without_a_time_gets_the_time_when_it_was_read() -> None:
    (record,) = open_in("UTC").parse(b"x\n", 0, READ_AT_US).records.to_pylist()
    assert record["ts"] == datetime.fromtimestamp(READ_AT_US / 1e6, UTC)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-07-01 12:00:00", "2026-07-01T10:00:00+00:00"),
        ("2026-01-01 12:00:00", "2026-01-01T11:00:00+00:00"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00+00:00"),  # in the repeated hour: the first one
        ("2026-03-29 02:30:00", "2026-03-29T00:59:59.999999+00:00"),  # in the skipped hour
    ],
)
def test_a_stamp_without_a_zone_is_in_the_given_zone(wall: str, instant: str) -> None:
    (record,) = open_in("Europe/Berlin").parse(f"{wall} x\n".encode(), 0, READ_AT_US).records.to_pylist()
    assert abs((record["ts"] - datetime.fromisoformat(instant)).total_seconds()) < 1


def test_the_time_when_a_line_was_read_is_not_moved_to_a_zone() -> None:
    parsed = open_in("Europe/Berlin").parse(b"x\n2026-07-01 12:00:00 y\n", 0, READ_AT_US)
    assert parsed.records["ts"].to_pylist()[0] == datetime.fromtimestamp(READ_AT_US / 1e6, UTC)


def test_invalid_utf8_is_replaced_and_flagged_in_records_and_kept_in_rejected_lines() -> None:
    data = b"a\xff\xffb\n!\xff\xfe\nfine\n2026-01-01 00:00:00 \xff\n"
    parsed = open_in("UTC").parse(data, 100, READ_AT_US)
    records = parsed.records.to_pylist()
    assert [record["line_offset"] for record in records] == [100, 109, 114]
    assert [record["message"] for record in records] == ["a��b", "fine", "2026-01-01 00:00:00 �"]
    attributes = [json.loads(record["attributes"]) if record["attributes"] else None for record in records]
    read = {"ts_source": "read"}
    assert attributes == [{"invalid_utf8": True} | read, read, {"rest": "�", "invalid_utf8": True}]
    assert parsed.rejects.to_pylist() == [{"line_offset": 105, "reason": "does not fit", "line": b"!\xff\xfe"}]


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=12), st.integers(1, 30))
def test_no_line_is_lost_when_a_text_is_read_in_parts(lines: list[bytes], part_bytes: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    whole = open_in("UTC").parse(data, 7, READ_AT_US)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_format, "_PART_BYTES", part_bytes)
        parts = open_in("UTC").parse(memoryview(data), 7, READ_AT_US)
    assert parts.records.to_pylist() == whole.records.to_pylist()
    assert parts.rejects.to_pylist() == whole.rejects.to_pylist()
    assert whole.records.num_rows + whole.rejects.num_rows == len(lines)
    whole.records.validate(full=True)
    whole.rejects.validate(full=True)


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no newline"):
        open_in("UTC").parse(b"x", 0, READ_AT_US)
