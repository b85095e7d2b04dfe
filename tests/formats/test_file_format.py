"""Formats that are written as TOML files: their records, their types, their faults."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import ConfigurationError, UsageError
from puppylog.formats.base import Format, Options
from puppylog.formats.file.format import FileParser, read_format_file
from puppylog.formats.rows import MAX_RECORD_BYTES, MAX_RECORD_LINES
from puppylog.model.record import Parsed

HEAD = 'name = "own"\ntitle = "Own lines"\n'
SERVER = (
    HEAD
    + r"""
begins = '^\d{4}-'
patterns = [
  '^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) \[(?P<level>\w+)\] (?P<message>.*)$',
  '^(?P<time>\d{4}-\d\d-\d\dT\S+) (?P<message>.*)$',
]
skip = '^#'
[severity]
L = "notice"
"""
)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_file(text: str, options: Options = Options()) -> Format:  # noqa: B008 - frozen
        path = tmp_path / "own.toml"
        path.write_text(text)
        return read_format_file(path, options)

    return write_file


def make(text: str, folder: Path, options: Options = Options()) -> Format:  # noqa: B008 - frozen
    path = folder / "own.toml"
    path.write_text(text)
    return read_format_file(path, options)


def outline(parsed: Parsed) -> list[dict[str, Any]]:
    """Return the records without nulls, offsets, and attributes about the time."""
    records = []
    for record in parsed.records.to_pylist():
        found = {key: value for key, value in record.items() if value is not None and key != "line_offset"}
        found["ts"] = found["ts"].isoformat().replace("+00:00", "Z")
        attributes = json.loads(found.pop("attributes", "{}"))
        attributes.pop("ts_source", None)
        records.append(found | attributes)
    return records


def read_one(format_: Format, line: str) -> dict[str, Any]:
    parsed = format_.open().parse(f"{line}\n".encode(), 0, 0)
    assert parsed.rejects.to_pylist() == []
    (record,) = outline(parsed)
    return record


def test_the_first_pattern_that_matches_reads_a_record_and_order_is_kept(write: Any) -> None:
    lines = "2026-11-24 10:00:00.5 [WARN] one\n2026-11-24T10:00:01+01:00 two\n2026-11-24 10:00:02 [L] three\n"
    parsed = write(SERVER).open().parse(lines.encode(), 100, 0)
    assert outline(parsed) == [
        {"ts": "2026-11-24T10:00:00.500000Z", "severity": "warning", "severity_text": "WARN", "message": "one"},
        {"ts": "2026-11-24T09:00:01Z", "message": "two"},
        {"ts": "2026-11-24T10:00:02Z", "severity": "notice", "message": "three"},
    ]
    assert parsed.records["line_offset"].to_pylist() == [100, 133, 163]


def test_lines_that_do_not_begin_a_record_continue_the_one_before(write: Any) -> None:
    lines = "2026-11-24 10:00:00 [INFO] one\r\n  at a\r\n\r\n  at b\n\n2026-11-24T10:00:01Z two\n\n"
    parsed = write(SERVER).open().parse(lines.encode(), 0, 0)
    assert [record["message"] for record in outline(parsed)] == ["one\n  at a\n\n  at b", "two"]
    assert (parsed.rowless, parsed.continued, parsed.orphans) == (2, 3, 0)


def test_without_joining_a_line_that_does_not_begin_a_record_is_rejected(write: Any) -> None:
    lines = b"2026-11-24T10:00:01Z two\n  at a\n"
    parsed = write(SERVER, Options(joins_lines=False)).open().parse(lines, 0, 0)
    assert parsed.rejects.to_pylist() == [
        {"line_offset": 25, "reason": "does not match the format own", "line": b"  at a"}
    ]


def test_a_continuation_line_without_a_record_before_it_is_a_record(write: Any) -> None:
    parsed = write(SERVER).open().parse(b"  at a\n  at b\n2026-11-24T10:00:01Z two\n# note\n  at c\n", 0, 0)
    assert [record["message"] for record in outline(parsed)] == ["  at a\n  at b", "two", "  at c"]
    assert (parsed.orphans, parsed.rowless) == (2, 1)


def test_a_record_takes_no_more_lines_than_the_limit(write: Any) -> None:
    lines = "2026-11-24T10:00:01Z two\n" + "  x\n" * (2 * MAX_RECORD_LINES)
    parsed = write(SERVER).open().parse(lines.encode(), 0, 0)
    counts = [record["message"].count("\n") + 1 for record in outline(parsed)]
    assert counts == [MAX_RECORD_LINES, MAX_RECORD_LINES, 1]


def test_a_record_takes_no_more_bytes_than_the_limit(write: Any) -> None:
    line = " " + "x" * 65535 + "\n"
    lines = "2026-11-24T10:00:01Z two\n" + line * 10
    parsed = write(SERVER).open().parse(lines.encode(), 0, 0)
    sizes = [len(record["message"]) for record in outline(parsed)]
    assert len(sizes) == 3
    assert all(size <= MAX_RECORD_BYTES + len(line) for size in sizes)


def test_a_time_that_does_not_exist_rejects_the_record_with_the_name_of_the_format(write: Any) -> None:
    lines = b"2026-02-30 10:00:00 [INFO] one\n  at a\n2026-11-24 10:00:00 [INFO] two\n2026-xx\n"
    parsed = write(SERVER).open().parse(lines, 0, 0)
    assert [(reject["reason"], reject["line"]) for reject in parsed.rejects.to_pylist()] == [
        ("own: time is not a time in a known form", b"2026-02-30 10:00:00 [INFO] one\n  at a"),
        ("does not match the format own", b"2026-xx"),
    ]


@pytest.mark.parametrize(
    ("form", "stamp", "ts"),
    [
        ("%d %b %Y %H:%M:%S.%f", "24 Nov 2026 10:00:00.123456789", "2026-11-24T10:00:00.123456Z"),
        ("%m/%d/%y %I:%M:%S %p", "11/24/26 12:00:05 am", "2026-11-24T00:00:05Z"),
        ("%d.%m.%Y %H:%M", "29.02.2024 23:59", "2024-02-29T23:59:00Z"),
        ("%a %b %e %T %Y", "Tue Nov  4 10:00:00 2026", "2026-11-04T10:00:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-11-24T10:00:00-0530", "2026-11-24T15:30:00Z"),
        ("%s.%f", "1795514400.25", "2026-11-24T10:00:00.250000Z"),
        ("%y%m%d %k:%M:%S", "691124  9:00:00", "1969-11-24T09:00:00Z"),
        ("%a %b %d %H:%M:%S %Z %Y", "Tue Nov 24 10:00:00 CEST 2026", "2026-11-24T08:00:00Z"),
    ],
)
def test_a_form_reads_a_stamp(write: Any, form: str, stamp: str, ts: str) -> None:
    text = f"{HEAD}pattern = '^<(?P<time>[^>]*)>$'\n[fields.time]\nform = '{form}'\ntype = 'time'\n"
    assert read_one(write(text), f"<{stamp}>")["ts"] == ts


@pytest.mark.parametrize(
    ("unit", "stamp", "ts"),
    [
        ("s", "1795514400.25", "2026-11-24T10:00:00.250000Z"),
        ("ms", "1795514400250", "2026-11-24T10:00:00.250000Z"),
        ("us", "1795514400250001", "2026-11-24T10:00:00.250001Z"),
        ("ns", "1795514400250001999", "2026-11-24T10:00:00.250001Z"),
        ("hex", "6B056020", "2026-11-24T10:00:00Z"),
    ],
)
def test_a_unit_reads_a_number_since_the_epoch(write: Any, unit: str, stamp: str, ts: str) -> None:
    text = f"{HEAD}pattern = '^(?P<time>.*)$'\n[fields.time]\nunit = '{unit}'\n"
    assert read_one(write(text), stamp)["ts"] == ts


def test_stamps_without_a_year_take_it_from_the_calendar_in_the_order_of_the_file(write: Any) -> None:
    text = f"{HEAD}pattern = '^(?P<time>.*)$'\n[fields.time]\nform = '%b %d %H:%M:%S'\n"
    parser = write(text, Options(year=2025)).open()
    lines = b"Dec 30 10:00:00\nDec 31 10:00:00\nJan  1 10:00:00\nDec 31 23:59:59\n"
    assert [record["ts"][:4] for record in outline(parser.parse(lines, 0, 0))] == ["2025", "2025", "2026", "2025"]


def test_a_zone_of_the_format_is_that_of_stamps_without_one(write: Any) -> None:
    text = f"{HEAD}pattern = '^(?P<time>.*)$'\n[fields.time]\nzone = 'Europe/Berlin'\n"
    assert read_one(write(text), "2026-07-01 12:00:00")["ts"] == "2026-07-01T10:00:00Z"
    assert read_one(write(text), "2026-07-01 12:00:00Z")["ts"] == "2026-07-01T12:00:00Z"


@pytest.mark.parametrize(
    ("table", "value", "expected"),
    [
        ('type = "integer"', "0042", {"x": 42}),
        ('type = "integer"', "4.5", {"x": "4.5"}),
        ('type = "number"', "4.50", {"x": 4.5}),
        ('type = "text"', "42", {"x": "42"}),
        ("", "42", {"x": 42}),
        ("", "-", {}),
        ('type = "bytes"', "1.5k", {"x": 1536}),
        ('type = "bytes"\ncolumn = "response_bytes"', "2MB", {"response_bytes": 2_000_000}),
        ('type = "duration"', "1.5s", {"x_ms": 1500}),
        ('type = "duration"', "350µs", {"x_ms": 0.35}),
        ('type = "duration"\nunit = "s"', "0.25", {"x_ms": 250}),
        ('type = "duration"\nname = "took"', "1m2.5s", {"took": 62500}),
        ('type = "duration"', "00:01:02", {"x_ms": 62000}),
        ('type = "duration"', "soon", {"x": "soon"}),
        ('type = "host"', "192.0.2.1:55", {"host": "192.0.2.1", "client_port": 55}),
        ('type = "host"', "[2001:db8::1]:55", {"host": "2001:db8::1", "client_port": 55}),
        ('type = "host"', "2001:db8::1", {"host": "2001:db8::1"}),
        ('type = "host"', "192.0.2.1, 192.0.2.9", {"host": "192.0.2.1", "forwarded_for": "192.0.2.1, 192.0.2.9"}),
        (
            'type = "request"',
            "GET /a b HTTP/1.1",
            {"request_method": "GET", "request_route": "/a b", "request_proto": "HTTP/1.1"},
        ),
        ('type = "request"', "hello", {"message": "hello"}),
        ('type = "quoted"', r'"a \"b\" \\n"', {"x": r'a "b" \n'}),
        ('type = "severity"', "[WRN]", {"severity": "warning", "severity_text": "WRN"}),
        ('type = "severity"', "odd", {"x": "odd"}),
        (
            'type = "pairs"',
            'a=1 b="two, \\"x\\"" c=, level=warn msg=hi a=2 d=',
            {"a": 1, "b": 'two, "x"', "severity": "warning", "severity_text": "warn", "message": "hi"},
        ),
        ('type = "pairs"\nseparator = "key"', "first a=one two b=x\\=y", {"x": "first", "a": "one two", "b": "x=y"}),
        ('type = "pairs"\nseparator = "|"', "a=one two| b =2", {"a": "one two", "b": 2}),
        ('type = "json"', '{"level": "error", "msg": "hi", "n": {"m": 1}}', {"severity": "error", "message": "hi"}),
        ('type = "json"', "{no", {"x": "{no"}),
    ],
)
def test_a_type_reads_a_value(write: Any, table: str, value: str, expected: dict[str, Any]) -> None:
    text = f"{HEAD}pattern = '^<(?P<x>.*)>$'\n[fields.x]\n{table}\n"
    record = read_one(write(text), f"<{value}>")
    del record["ts"]
    assert {key: record.get(key) for key in expected} == expected
    assert record.keys() - {"n"} == expected.keys()


def test_keys_of_pairs_have_types_and_columns_too(write: Any) -> None:
    text = HEAD + (
        "pattern = '^(?P<all>.*)$'\n[fields.all]\ntype = 'pairs'\n[fields.rt]\ntype = 'time'\nunit = 'ms'\n"
        "[fields.src]\ntype = 'host'\n[fields.took]\ntype = 'duration'\nunit = 's'\n"
    )
    assert read_one(write(text), "rt=1795514400000 src=192.0.2.7:5 took=0.5 act=deny") == {
        "ts": "2026-11-24T10:00:00Z",
        "host": "192.0.2.7",
        "client_port": 5,
        "took_ms": 500,
        "act": "deny",
    }


@pytest.mark.parametrize("form", ["", "form = '%Y-%m-%d %H:%M:%S %Z'"])
def test_a_zone_that_can_mean_several_is_kept_and_counted(write: Any, form: str) -> None:
    text = f"{HEAD}pattern = '^(?P<time>[^|]*)(?P<x>.*)$'\n[fields.time]\ntype = 'time'\n{form}\n"
    parsed = write(text).open().parse(b"2026-11-24 10:00:00 IST\n2026-11-24 10:00:00 PST|\n", 0, 0)
    assert outline(parsed) == [
        {"ts": "2026-11-24T10:00:00Z", "zone": "IST"},
        {"ts": "2026-11-24T18:00:00Z", "x": "|"},
    ]
    assert parsed.ambiguous_zones == 1


def test_groups_that_are_apart_make_one_time(write: Any) -> None:
    text = HEAD + (
        "pattern = '^(?P<day>\\S+) x (?P<clock>\\S+)$'\n"
        "[fields.when]\ntype = 'time'\ngroups = ['day', 'clock']\nform = '%d.%m.%Y %H:%M:%S'\n"
    )
    assert read_one(write(text), "24.11.2026 x 10:00:00") == {"ts": "2026-11-24T10:00:00Z"}


def test_constants_fill_what_a_line_does_not(write: Any) -> None:
    text = HEAD + "pattern = '^(?P<level>\\w*) (?P<message>.*)$'\n[constants]\nseverity = 'info'\nteam = 'web'\n"
    assert read_one(write(text), "error x")["severity"] == "error"
    assert read_one(write(text), " x") == {
        "ts": "1970-01-01T00:00:00Z",
        "severity": "info",
        "message": "x",
        "team": "web",
    }


def test_a_log_format_may_stand_in_place_of_a_pattern(write: Any) -> None:
    record = read_one(
        write(HEAD + "log_format = '$remote_addr [$time_local] $status'\n"), "a [24/Nov/2026:10:00:00 +0000] 200"
    )
    assert record == {"ts": "2026-11-24T10:00:00Z", "host": "a", "status_code": 200}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "own"\n', "own.toml: object missing required field title"),
        (HEAD, "own.toml: pattern is missing"),
        (HEAD + "pattern = 'x'\n", "own.toml, line 3: pattern: it has no group with a name"),
        (HEAD + "pattern = '(?P<a>x'\n", "own.toml, line 3: pattern: missing ): (?P<a>x"),
        (
            HEAD + "pattern = '(?P<a>x)'\npatterns = ['(?P<a>x)']\n",
            "4: patterns: only one of pattern and patterns",
        ),
        (HEAD + "pattern = '(?P<a>x)'\nbegin = 'x'\n", "own.toml, line 4: begin: there is no such key"),
        (HEAD + "pattern = '(?P<a>x)'\nbegins = '('\n", "own.toml, line 4: begins: missing )"),
        (HEAD + "pattern = '(?P<a>x)'\n[fields.a]\ntype = 'tim'\n", "a.type: invalid enum value 'tim'; write one"),
        (HEAD + "pattern = '(?P<a>x)'\n[fields.b]\ntype = 'time'\n", "line 4: fields.b: no pattern has a group 'b'"),
        (
            HEAD + "pattern = '(?P<a>x)'\n[fields.a]\nform = '%Q'\ntype = 'time'\n",
            "5: fields.a.form: %Q is unknown",
        ),
        (HEAD + "pattern = '(?P<a>x)'\n[fields.a]\nform = '%H'\ntype = 'time'\n", "it has no day and month"),
        (
            HEAD + "pattern = '(?P<a>x)'\n[fields.a]\ntype = 'duration'\nunit = 'hex'\n",
            "only a field of type time takes hexadecimal seconds",
        ),
        (HEAD + "pattern = '(?P<a>x)'\n[fields.a]\nunit = 's'\n", "only a field of type duration or time takes it"),
        (HEAD + "pattern = '(?P<a>x)'\n[fields.a]\ncolumn = 'nope'\n", "there is no column 'nope'"),
        (HEAD + "pattern = '(?P<a>x)'\n[severity]\nW = 'warn'\n", "line 5: severity.W: 'warn' is none of trace, debug"),
        (HEAD + "pattern = '(?P<a>x)'\n[[samples]]\nline = 'x'\n", "line 4: samples[0]: exactly one of record"),
        (HEAD + "pattern = \n", "own.toml: invalid value (at line 3, column 11)"),
    ],
)
def test_a_fault_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        make(text, tmp_path)
    assert message in error.value.message
    assert error.value.message.startswith("cannot use format file ")


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read format file .*: no such file or directory"):
        read_format_file(tmp_path / "none.toml")


def test_a_mismatch_is_found_by_the_pattern_that_matches_most(write: Any) -> None:
    assert write(SERVER).find_mismatch("2026-11-24 10:00:00 WARN one") == 20
    assert write(SERVER).find_mismatch("2026-02-30 10:00:00 [WARN] one") == 0


PIECES = st.sampled_from(
    [
        b"2026-11-24 10:00:00 [INFO] x\n",
        b"2026-11-24T10:00:00Z y\r\n",
        b"2026-13-24 10:00:00 [INFO] x\n",
        b"2026-odd\n",
        b"# note\n",
        b"\n",
        b" \t\n",
        b"  at \xff\n",
        b"x\n",
    ]
)


@given(st.lists(PIECES), st.booleans())
def test_dividing_the_lines_between_calls_at_records_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], joins: bool
) -> None:
    format_ = make(SERVER, tmp_path_factory.mktemp("formats"), Options(joins_lines=joins))
    whole = format_.open().parse(b"".join(lines), 0, 0)
    parser, parts, at = format_.open(), [], 0
    assert isinstance(parser, FileParser)
    waiting = b""
    for line in lines:
        waiting += line
        start = max(parser.find_last_start(waiting), 0)
        if line.startswith((b"2026", b"#")) or not joins:
            parts.append(parser.parse(waiting[:start], at, 0))
            at, waiting = at + start, waiting[start:]
    parts.append(parser.parse(waiting, at, 0))
    assert [row for part in parts for row in part.records.to_pylist()] == whole.records.to_pylist()
    assert [row for part in parts for row in part.rejects.to_pylist()] == whole.rejects.to_pylist()
    assert sum(part.rowless for part in parts) == whole.rowless


EVERY_TYPE = (
    HEAD
    + r"""
begins = '^[^ ]'
patterns = [
  '^a(?P<time>.*?)\|(?P<l>.*?)\|(?P<h>.*?)\|(?P<p>.*)$',
  '^b(?P<n>.*?)\|(?P<r>.*?)\|(?P<q>.*?)\|(?P<j>.*)$',
  '^(?P<d>.*?)\|(?P<s>.*)$',
]
[fields.l]
type = "severity"
[fields.h]
type = "host"
[fields.p]
type = "pairs"
[fields.n]
type = "bytes"
[fields.r]
type = "request"
[fields.q]
type = "quoted"
[fields.j]
type = "json"
[fields.d]
type = "duration"
[fields.s]
type = "time"
form = ["%b %d %H:%M:%S", "%Y-%m-%d %H:%M:%S,%f%z"]
"""
)


@given(st.lists(st.one_of(st.binary(max_size=40), st.text("ab|=\"'\\ 19-:{}[].,kKsm\n", max_size=40).map(str.encode))))
def test_no_bytes_raise_and_every_line_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    data = b"|".join(pieces) + b"\n"
    for joins in (True, False):
        parser = make(EVERY_TYPE, tmp_path_factory.mktemp("formats"), Options(joins_lines=joins)).open()
        parsed = parser.parse(data, 0, 0)
        parsed.records.validate(full=True)
        for attributes in parsed.records["attributes"].to_pylist():
            json.loads(attributes or "{}")
        counted = parsed.records.num_rows + parsed.rejects.num_rows + parsed.rowless + parsed.continued
        if not joins:
            assert counted == data.count(b"\n")
