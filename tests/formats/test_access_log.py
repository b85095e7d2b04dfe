"""Compares the readers of access logs in C and in Python on whole and damaged lines of every kind."""

import json
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.log_lines import characters, lists_of_lines, variants
from formats.paths import PATHS, reading
from puppylog.formats import line_format
from puppylog.formats.registry import find_format
from puppylog.model.record import RECORDS, REJECTS, Parsed

paths = st.sampled_from(PATHS)


def rows_of(parsed: Parsed) -> dict[int, Any]:
    """Return by offset the row of each line: the columns of a record that are not null, or the reason and the bytes."""
    assert parsed.records.schema == RECORDS
    assert parsed.rejects.schema == REJECTS
    parsed.records.validate(full=True)
    parsed.rejects.validate(full=True)
    rows: dict[int, Any] = {}
    for batch in (parsed.records, parsed.rejects):
        offsets = batch.column("line_offset").to_pylist()
        assert offsets == sorted(set(offsets))
    for record in parsed.records.to_pylist():
        row = {name: value for name, value in record.items() if value is not None}
        if "attributes" in row:
            row["attributes"] = json.loads(row["attributes"])
        rows[row.pop("line_offset")] = row
    for reject in parsed.rejects.to_pylist():
        rows[reject["line_offset"]] = (reject["reason"], reject["line"])
    assert len(rows) == parsed.lines
    return rows


def join_lines(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def read(lines: list[bytes], variant: str, offset: int, path: str) -> Parsed:
    with reading(path):
        return find_format(variant).open().parse(join_lines(lines), offset, 0)


@given(lists_of_lines, variants, st.integers(1, 1 << 40))
def test_both_readers_make_the_same_row_of_every_line(lines: list[bytes], variant: str, offset: int) -> None:
    native, python = (rows_of(read(lines, variant, offset, path)) for path in PATHS)
    assert native == python
    starts = accumulate((len(line) + 1 for line in lines[:-1]), initial=offset)
    assert sorted(python) == [start for start, line in zip(starts, lines, strict=False) if line.strip(b" \t\r")]


@given(st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=20), variants)
def test_random_bytes_are_rejected_and_no_line_is_lost(lines: list[bytes], variant: str) -> None:
    native, python = (read(lines, variant, 1, path) for path in PATHS)
    assert rows_of(native) == rows_of(python)
    for parsed in (native, python):
        assert parsed.lines + parsed.rowless == len(lines)
        assert parsed.rejects.column("line").to_pylist() == [line for line in lines if line.strip(b" \t\r")]


fields = st.text(characters, min_size=1, max_size=20).filter(lambda text: text != "-")
names = st.text(st.characters(exclude_characters='" \\\n', exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    lambda text: text != "-"
)


@given(
    st.fixed_dictionaries(
        {
            "host": names,
            "ident": st.none() | names,
            "ruser": st.none() | fields.filter(lambda user: not user.startswith("- ")),
            "request_method": st.from_regex("[A-Z][A-Z0-9_-]*", fullmatch=True),
            "request_route": fields,
            "request_proto": st.from_regex("HTTP/[0-9](\\.[0-9])?", fullmatch=True),
            "status_code": st.none() | st.integers(100, 999),
            "response_bytes": st.none() | st.integers(0, (1 << 63) - 1),
            "referer": st.none() | fields,
            "user_agent": st.none() | fields,
        }
    ),
    paths,
)
def test_fields_written_as_a_line_are_read_back(row: dict[str, Any], path: str) -> None:
    written = {name: "-" if value is None else value for name, value in row.items()}
    line = (
        '{host} {ident} {ruser} [29/Feb/2024:23:59:59 -0130] "{request_method} {request_route} {request_proto}"'
        ' {status_code} {response_bytes} "{referer}" "{user_agent}"\n'.format(**written)
    )
    with reading(path):
        parsed = find_format("access").open().parse(line.encode(), 7, 0)
    (read,) = parsed.records.to_pylist()
    at = datetime(2024, 3, 1, 1, 29, 59, tzinfo=UTC)
    nothing = {"severity": None, "message": None, "attributes": None}
    assert read == {"line_offset": 7, "ts": at, **row, **nothing}


@given(lists_of_lines, variants, st.data(), paths)
def test_lines_parsed_in_pieces_give_the_same_rows(
    lines: list[bytes], variant: str, data: st.DataObject, path: str
) -> None:
    log_format = find_format(variant).open()
    cut = data.draw(st.integers(0, len(lines)))
    head, tail = join_lines(lines[:cut]), join_lines(lines[cut:])
    with reading(path), pytest.MonkeyPatch.context() as patched:
        at_once = rows_of(log_format.parse(head + tail, 100, 0))
        pieces = [log_format.parse(memoryview(head), 100, 0), log_format.parse(memoryview(tail), 100 + len(head), 0)]
        assert at_once == {offset: row for piece in pieces for offset, row in rows_of(piece).items()}
        patched.setattr(line_format, "_PART_BYTES", data.draw(st.integers(1, 400)))
        assert rows_of(log_format.parse(head + tail, 100, 0)) == at_once


@pytest.mark.parametrize("path", PATHS)
def test_a_megabyte_of_newlines_is_as_many_blank_lines(path: str) -> None:
    with reading(path):
        parsed = find_format("access").open().parse(b"\n" * (1 << 20), 5, 0)
    assert (parsed.lines, parsed.rowless) == (0, 1 << 20)


@pytest.mark.parametrize("path", PATHS)
def test_an_empty_text_has_no_rows(path: str) -> None:
    with reading(path):
        assert rows_of(find_format("access").open().parse(b"", 5, 0)) == {}


@pytest.mark.parametrize(("path", "number"), [("native", 100_000), ("python", 20_000)])
def test_a_file_of_many_lines_keeps_its_order(path: str, number: int) -> None:
    good = b'192.0.2.1 - - [01/Jan/2024:00:00:%02d +0000] "GET /%d HTTP/1.1" 200 %d "-" "curl/8.5.0"\n'
    lines = [b"garbage\n" if k % 1000 == 999 else good % (k % 60, k, k) for k in range(number)]
    with reading(path):
        parsed = find_format("access").open().parse(b"".join(lines), 0, 0)
    assert parsed.records.num_rows == number - number // 1000
    assert parsed.records.column("request_route").to_pylist() == [f"/{k}" for k in range(number) if k % 1000 != 999]
    assert parsed.records.column("response_bytes").to_pylist() == [k for k in range(number) if k % 1000 != 999]
    assert parsed.rejects.column("line").to_pylist() == [b"garbage"] * (number // 1000)
