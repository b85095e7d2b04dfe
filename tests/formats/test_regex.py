"""Lines read by a regular expression: Arrow finds in all lines at once what Python finds in each line."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of
from puppylog.formats.host import read_host
from puppylog.formats.registry import find_format
from support.examples import examples

PATTERN = (
    r'^(?P<host>[^ ]+) "(?P<request>[^"]*)" (?P<status>[^ ]+) (?P<bytes>[^ ]+)(?: (?P<shop>[^ ]+))?( (?P<seconds>.*))?$'
)

hosts = st.text("abc019.:-é", min_size=1, max_size=8)
requests = st.sampled_from(
    ["GET / HTTP/1.1", "POST /a b HTTP/2.0", "GET /old", "get / HTTP/1.1", "-", "", "GET x", "x y z"]
)
numbers = st.one_of(
    st.integers(-2, 40000).map(str),
    st.sampled_from(["-", "007", "9223372036854775807", "9223372036854775808", "9" * 25, "1.5", "x", "٣", '"']),
)
extras = st.sampled_from(["", " eu", " -", " eu 0.25", " eu -", ' "q"\\ x', " eu 1e5", " 17 -3", "  "])
fitting = st.tuples(hosts, requests, numbers, numbers, extras).map('{0[0]} "{0[1]}" {0[2]} {0[3]}{0[4]}'.format)
lines = st.one_of(
    fitting, fitting, fitting, st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)
)


def known(text: str | None) -> str | None:
    return None if text in {None, "", "-"} else text


def read_slowly(line: str) -> dict[str, Any] | str:
    """Return the columns that are not null, or the reason to reject the line, with Python's module re."""
    line = line.removesuffix("\r")
    match = re.fullmatch(PATTERN, line)
    if match is None:
        return "does not match the pattern"
    host = read_host(match["host"])
    row: dict[str, Any] = {"host": host and known(host.name)}
    request = re.fullmatch(r"([A-Z][A-Z0-9_-]*) (?:(.+) (HTTP/[^ ]+)|(/.*))", match["request"])
    if request is None:
        row["message"] = known(match["request"])
    else:
        row |= {"request_method": request[1], "request_route": request[2] or request[4], "request_proto": request[3]}
    for group, column, limit in (("status", "status_code", 1 << 15), ("bytes", "response_bytes", 1 << 63)):
        text = known(match[group])
        if text is not None and (re.fullmatch("[0-9]{1,19}", text) is None or int(text) >= limit):
            return f"group {group} is not a whole number in its range"
        row[column] = None if text is None else int(text)
    others = {group: known(match[group]) for group in ("shop", "seconds")}
    others |= {"host": known(match["host"])} if host is None else {"client_port": known(host.port)}
    row["attributes"] = {
        group: json.loads(text) if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", text) else text
        for group, text in others.items()
        if text is not None
    }
    return {name: value for name, value in row.items() if value not in (None, {})}


@settings(max_examples=examples(20, soak=50))
@given(st.lists(lines, max_size=12))
def test_the_columns_equal_those_of_a_slow_reader(written: list[str]) -> None:
    data = "".join(f"{line}\n" for line in written).encode()
    outcome = read(PATTERN, data, "python")
    assert_no_line_is_lost(data, outcome)
    rows: dict[int, Any] = {reject["line_offset"]: reject["reason"] for reject in outcome.rejects}
    for record in outcome.records:
        row = {name: value for name, value in record.items() if value is not None and name != "ts"}
        if "attributes" in row:
            row["attributes"] = json.loads(row["attributes"])
            assert row["attributes"].pop("ts_source") == "read"
            if not row["attributes"]:
                del row["attributes"]
        rows[row.pop("line_offset")] = row
    assert rows == {
        at: read_slowly(line) for at, line in zip(starts_of(data), written, strict=True) if line.strip(" \t\r")
    }


@settings(max_examples=examples(20, soak=50))
@given(
    st.lists(st.sampled_from(["Nov 24 10:00:00", "Dec 31 23:59:59", "Jan  1 00:00:00", "Jun 1 10:00:00", "-"])),
    st.data(),
)
def test_years_do_not_depend_on_where_lines_are_cut(stamps: list[str], draw: st.DataObject) -> None:
    data = "".join(f"{stamp}: hello\n" for stamp in stamps).encode()
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)))) if data else set()
    written = "^(?P<time>.*): (?P<msg>.*)"
    assert read(written, data, "python", cuts) == read(written, data, "python")


def test_a_line_takes_time_proportional_to_its_length() -> None:
    data = b"a" * 100_000 + b"\n"
    assert len(read("^(?P<a>(a+)+)$(?P<b>b)?", data, "python").records) == 1
    assert read("^(a|aa)+(?P<b>b)$", data, "python").rejects[0]["reason"] == "does not match the pattern"


def test_the_format_and_its_parser_are_named_by_the_expression() -> None:
    assert find_format(PATTERN).name == find_format(PATTERN).open().name == PATTERN


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("", 0),
        ('é "GET / HTTP/1.1" 200', 22),
        ('é "GET / HTTP/1.1" OK 5', 19),
        ('é "GET / HTTP/1.1" 200 -5', 23),
        ("é GET", 2),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(line: str, at: int) -> None:
    assert find_format(PATTERN).find_mismatch(line) == at
