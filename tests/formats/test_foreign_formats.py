"""Lines of another format in the middle of a file, which `auto` reads with the formats that are sure of them."""

from collections.abc import Sequence
from typing import Any

import pytest

from formats.paths import PATHS, reading
from puppylog.formats.registry import find_format

READ_AT_US = 1_796_083_200_000_000
REQUEST = '192.0.2.7 - - [24/Nov/2026:10:00:02 +0000] "GET /cart HTTP/1.1" 200 12 "-" "curl/8.5.0"'


def read(lines: Sequence[str], *, cut_at: int = 0, written: str = "auto") -> tuple[list[dict[str, Any]], list[str]]:
    """Return the records and the rejected lines of a file that is read in two parts, the second by another parser."""
    parts = ["".join(f"{line}\n" for line in part).encode() for part in (lines[:cut_at], lines[cut_at:])]
    records: list[dict[str, Any]] = []
    rejects: list[str] = []
    context, offset = "", 0
    for part in parts:
        parser = find_format(written).open(context, READ_AT_US)
        parsed = parser.parse(part, offset, READ_AT_US)
        records += parsed.records.to_pylist()
        rejects += [line.decode() for line in parsed.rejects["line"].to_pylist()]
        context, offset = parser.context, offset + len(part)
    return records, rejects


def words_of(records: Sequence[dict[str, Any]]) -> list[tuple[str, str | None, str | None]]:
    return [(f"{row['ts']:%H:%M:%S}", row["severity"], row["message"]) for row in records]


FOREIGN = {
    'time="2026-11-24T10:00:01Z" level=error msg="cannot connect" shop=7': ("10:00:01", "error", "cannot connect"),
    '{"level":"warn","msg":"the till is slow","time":"2026-11-24T10:00:01Z"}': (
        "10:00:01",
        "warning",
        "the till is slow",
    ),
    "2026-11-24 10:00:01 ERROR the till is closed": ("10:00:01", "error", "the till is closed"),
    "E1124 10:00:01.000000       1 till.go:12] closed": ("10:00:01", "error", "closed"),
    "2026/11/24 10:00:01 [crit] 12#12: *7 no disk": ("10:00:01", "critical", "no disk"),
    "[Tue Nov 24 10:00:01.000000 2026] [core:error] [pid 12] no disk": ("10:00:01", "error", "no disk"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("line", FOREIGN)
@pytest.mark.parametrize("cut_at", [0, 6, 7, 8])
def test_a_line_between_requests_is_read_by_its_own_format(line: str, cut_at: int, path: str) -> None:
    lines = [REQUEST] * 6 + [line] + [REQUEST] * 2
    with reading(path):
        records, rejects = read(lines, cut_at=cut_at)
    assert rejects == []
    assert words_of(records)[6] == FOREIGN[line]
    assert [row["request_route"] for row in records] == ["/cart"] * 6 + [None] + ["/cart"] * 2
    offsets = [row["line_offset"] for row in records]
    assert offsets == [sum(len(before) + 1 for before in lines[:at]) for at in range(9)]


def test_a_line_with_several_records_becomes_all_of_them_or_none() -> None:
    timed = '{"time":"2026-11-24T10:00:03Z","msg":"a"}'
    untimed = '{"msg":"b"}'
    records, rejects = read([REQUEST] * 3 + [f'{{"Records":[{timed},{timed}]}}', REQUEST])
    assert ([row["message"] for row in records], rejects) == ([None, None, None, "a", "a", None], [])
    line = f'{{"Records":[{timed},{untimed}]}}'
    records, rejects = read([REQUEST] * 3 + [line, REQUEST])
    assert (len(records), rejects) == (4, [line])


def test_requests_between_objects_are_records() -> None:
    opened = '{"level":"info","msg":"opened","time":"2026-11-24T10:00:00Z"}'
    records, rejects = read([opened] * 3 + [REQUEST, opened])
    assert ([row["status_code"] for row in records], rejects) == ([None, None, None, 200, None], [])


@pytest.mark.parametrize(
    "line",
    [
        REQUEST.removesuffix('" 200 12 "-" "curl/8.5.0"'),
        '{"level":"warn","msg":"without a time"}',
        '{"level":"warn","msg":"cut off","time":"2026-11-24T10:0',
        "2026-11-24 10:00:01 a time and no level",
        "03/04/2026 10:00:01 ERROR a day that is not sure",
        "ERROR a level and no time",
        "level=error msg=x",
        "hello",
    ],
)
def test_a_line_that_no_format_is_sure_of_stays_rejected(line: str) -> None:
    records, rejects = read([REQUEST] * 6 + [line, REQUEST])
    assert (len(records), rejects) == (7, [line])


def test_a_foreign_line_is_read_by_itself_and_joins_no_other() -> None:
    error, trace = "2026-11-24 10:00:01 ERROR the till is closed", "  at Till.open (till.c:17)"
    records, rejects = read([REQUEST] * 6 + [error, trace, REQUEST])
    assert (len(records), rejects) == (8, [trace])
    assert records[6]["message"] == "the till is closed"


def test_rows_of_tables_and_lines_of_a_given_format_stay_rejected() -> None:
    error = "2026-11-24T10:00:01Z ERROR the till is closed"
    table = ["time,level,message", *["2026-11-24T10:00:00Z,info,opened"] * 4, error]
    assert read(table)[1] == [error]
    assert read([REQUEST] * 4 + [error], written="access")[1] == [error]
