"""What all formats share, shown on one as plain as can be: ``stamp message``, and ``!`` for what does not fit."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats import clock, line_format
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


def format_in(zone: str) -> LineFormat:
    return LineFormat("plainest", read, ZoneInfo(zone))


def test_a_line_without_a_time_has_the_time_when_it_was_read() -> None:
    (record,) = format_in("UTC").parse(b"x\n", 0, READ_AT_US).records.to_pylist()
    assert record["ts"] == datetime.fromtimestamp(READ_AT_US / 1e6, UTC)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-07-01 12:00:00", "2026-07-01T10:00:00+00:00"),
        ("2026-01-01 12:00:00", "2026-01-01T11:00:00+00:00"),
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00+00:00"),  # shown twice: the first one
        ("2026-03-29 02:30:00", "2026-03-29T00:59:59.999999+00:00"),  # never shown
    ],
)
def test_a_stamp_without_a_zone_is_in_the_zone_that_was_said(wall: str, instant: str) -> None:
    (record,) = format_in("Europe/Berlin").parse(f"{wall} x\n".encode(), 0, READ_AT_US).records.to_pylist()
    assert abs((record["ts"] - datetime.fromisoformat(instant)).total_seconds()) < 1


def test_a_line_that_has_no_time_is_in_no_zone() -> None:
    parsed = format_in("Europe/Berlin").parse(b"x\n2026-07-01 12:00:00 y\n", 0, READ_AT_US)
    assert parsed.records["ts"].to_pylist()[0] == datetime.fromtimestamp(READ_AT_US / 1e6, UTC)


def test_bytes_that_are_no_text_are_replaced_and_said_and_kept_where_they_are_rejected() -> None:
    data = b"a\xff\xffb\n!\xff\xfe\nfine\n2026-01-01 00:00:00 \xff\n"
    parsed = format_in("UTC").parse(data, 100, READ_AT_US)
    records = parsed.records.to_pylist()
    assert [record["line_offset"] for record in records] == [100, 109, 114]
    assert [record["message"] for record in records] == ["a��b", "fine", "2026-01-01 00:00:00 �"]
    attributes = [json.loads(record["attributes"]) if record["attributes"] else None for record in records]
    assert attributes == [{"invalid_utf8": True}, None, {"rest": "�", "invalid_utf8": True}]
    assert parsed.rejects.to_pylist() == [{"line_offset": 105, "reason": "does not fit", "line": b"!\xff\xfe"}]


@given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=12), st.integers(1, 30))
def test_no_line_is_lost_in_whatever_parts_they_are_read(lines: list[bytes], part_bytes: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    whole = format_in("UTC").parse(data, 7, READ_AT_US)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_format, "_PART_BYTES", part_bytes)
        parts = format_in("UTC").parse(memoryview(data), 7, READ_AT_US)
    assert parts.records.to_pylist() == whole.records.to_pylist()
    assert parts.rejects.to_pylist() == whole.rejects.to_pylist()
    assert whole.records.num_rows + whole.rejects.num_rows == len(lines)
    whole.records.validate(full=True)
    whole.rejects.validate(full=True)


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="no newline"):
        format_in("UTC").parse(b"x", 0, READ_AT_US)
