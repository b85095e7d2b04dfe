"""W3C extended logs: fields that change, days that directives give, and continuing in the middle of a file."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.layout_lines import moments, w3c_lines
from formats.paths import PATHS, reading
from puppylog.errors import UsageError
from puppylog.formats.registry import find_format
from puppylog.formats.w3c import W3c, is_w3c
from puppylog.model.record import Parsed

paths = st.sampled_from(PATHS)
values = st.text(st.characters(exclude_characters="\n\r\t", exclude_categories=["Cs"]), max_size=20)


def rows_of(parsed: Parsed) -> tuple[list[Any], list[Any], int]:
    parsed.records.validate(full=True)
    parsed.rejects.validate(full=True)
    return parsed.records.to_pylist(), parsed.rejects.to_pylist(), parsed.rowless


def read(data: bytes, path: str = "native") -> Parsed:
    with reading(path):
        return W3c().open().parse(data, 0, 0)


def join_lines(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


@given(moments, st.lists(values, min_size=5, max_size=5), st.sampled_from(" \t"), paths)
def test_values_in_quotes_are_read_back(at: datetime, row: list[str], delimiter: str, path: str) -> None:
    fields = "#Fields: date time cs-username cs(User-Agent) cs(Referer) cs-method c-dns"
    stamp = [f"{at.year:04}-{at:%m-%d}", f"{at:%H:%M:%S.%f}"]
    line = delimiter.join([*stamp, *map(quoted, row)])
    parsed = read(f"{fields}\n{line}\n".encode(), path)
    (record,) = parsed.records.to_pylist()
    columns = ["ruser", "user_agent", "referer", "request_method", "host"]
    assert [record[name] for name in columns] == [None if value in {"", "-"} else value for value in row]
    assert record["ts"] == at.replace(tzinfo=UTC)
    assert parsed.rowless == 1


@given(w3c_lines)
def test_both_paths_read_the_same_and_no_line_is_lost(lines: list[bytes]) -> None:
    native, python = read(join_lines(lines)), read(join_lines(lines), "python")
    assert rows_of(native) == rows_of(python)
    assert native.lines + native.rowless == len(lines)
    texts = join_lines(lines).removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]
    assert native.rowless == sum(line.startswith(b"#") or not line.strip(b" \t\r") for line in texts)


@given(w3c_lines, st.data(), paths)
def test_a_parser_with_the_context_of_another_continues_like_it(
    lines: list[bytes], data: st.DataObject, path: str
) -> None:
    whole = read(join_lines(lines), path)
    cut = data.draw(st.integers(0, len(lines)))
    head, tail = join_lines(lines[:cut]), join_lines(lines[cut:])
    with reading(path):
        first = W3c().open()
        before = rows_of(first.parse(head, 0, 0))
        after = rows_of(W3c().open(first.context).parse(memoryview(tail), len(head), 0))
    assert rows_of(whole) == (before[0] + after[0], before[1] + after[1], before[2] + after[2])


@pytest.mark.parametrize("path", PATHS)
def test_changed_fields_count_from_their_directive_on(path: str) -> None:
    lines = [
        b"#Fields: date time c-ip",
        b"2024-10-10 00:00:01 192.0.2.1",
        b"#Fields: c-ip date time sc-status",
        b"192.0.2.2 2024-10-10 00:00:02 200",
        b"2024-10-10 00:00:03 192.0.2.3",
    ]
    parsed = read(join_lines(lines), path)
    assert parsed.records["host"].to_pylist() == ["192.0.2.1", "192.0.2.2"]
    assert parsed.rejects["reason"].to_pylist() == ["fewer fields than in #Fields"]
    offsets = [*parsed.records["line_offset"].to_pylist(), *parsed.rejects["line_offset"].to_pylist()]
    assert offsets == [join_lines(lines).index(line) for line in (lines[1], lines[3], lines[4])]


def test_the_context_is_the_day_and_the_fields() -> None:
    parser = W3c().open()
    assert parser.context == ""
    parser.parse(b"#Software: x\n#Date: 2024-10-10 01:02:03\n#Fields:  time\tc-ip \n", 0, 0)
    assert parser.context == "2024-10-10 time c-ip"
    parser.parse(b"#Fields: date c-ip\r\n", 0, 0)
    assert parser.context == "2024-10-10 date c-ip"
    assert W3c().open("- date c-ip").context == "- date c-ip"


@pytest.mark.parametrize("context", ["", "garbage", "- " + "x " * 1000, "\x00"])
def test_a_context_that_is_not_understood_counts_as_empty(context: str) -> None:
    assert W3c().open(context).context == ""


def test_a_day_that_does_not_exist_rejects_the_lines() -> None:
    parsed = read(b"#Date: 2024-02-31\n#Fields: time c-ip\n00:00:01 192.0.2.1\n")
    assert parsed.rejects["reason"].to_pylist() == ["time out of range"]


@pytest.mark.parametrize("fields", [b"x " * 513, b"y" * 20_000])
def test_too_many_fields_count_as_no_fields(fields: bytes) -> None:
    parsed = read(b"#Fields: " + fields + b"\n1 2 3\n")
    assert parsed.rejects["reason"].to_pylist() == ["no #Fields before it"]


@pytest.mark.parametrize("written", ["w3c: date time c-ip", "#Fields: date time c-ip", "#fields:date  time c-ip\n"])
def test_fields_may_be_given_with_the_format(written: str) -> None:
    assert is_w3c(written)
    format_ = find_format(written)
    assert format_.name == "w3c: date time c-ip"
    parsed = format_.open().parse(b"2024-10-10 00:00:01 192.0.2.1\n#Fields: c-ip\n192.0.2.2\n", 0, 0)
    assert parsed.records["host"].to_pylist() == ["192.0.2.1", "192.0.2.2"]
    assert format_.find_mismatch("2024-10-10 noon 192.0.2.1") == 11


@pytest.mark.parametrize("written", ["w3c: " + "x " * 513, "w3c: " + "y" * 20_000])
def test_a_format_with_too_many_fields_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match=r"^cannot use format .*: it must be w3c: and 1 to 512 fields$"):
        find_format(written)


@pytest.mark.parametrize("path", PATHS)
def test_directives_make_no_rows(path: str) -> None:
    parsed = read(b"#\n#Version: 1.0\n#Fields: a\n" * 1000, path)
    assert (parsed.lines, parsed.rowless) == (0, 3000)
