"""Tables: their headers, their rows of several lines, and what the parser remembers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.base import Options
from puppylog.formats.csv.csv import make_csv
from puppylog.formats.csv.header import read_header
from puppylog.formats.csv.parser import TableParser
from puppylog.formats.registry import find_format
from puppylog.formats.rows import MAX_RECORD_LINES

HEADER = b"time,level,message,items\n"


def open_csv(context: str = "") -> TableParser:
    parser = make_csv(Options()).open(context)
    assert isinstance(parser, TableParser)
    return parser


def messages(parsed: Any) -> list[str | None]:
    found: list[str | None] = parsed.records["message"].to_pylist()
    return found


def test_a_parser_that_continues_a_file_knows_its_header() -> None:
    first = open_csv()
    assert first.parse(HEADER, 0, 0).rowless == 1
    parsed = open_csv(first.context).parse(b"2026-11-24T10:00:00Z,info,hello,3\n", 25, 0)
    assert messages(parsed) == ["hello"]
    assert parsed.records["line_offset"].to_pylist() == [25]


def test_a_header_that_appears_again_makes_no_record() -> None:
    data = HEADER + b"2026-11-24T10:00:00Z,info,one,3\n" + HEADER + b"2026-11-24T10:00:01Z,info,two,3\n"
    parsed = open_csv().parse(data, 0, 0)
    assert (messages(parsed), parsed.rowless, parsed.rejects.num_rows) == (["one", "two"], 2, 0)


def test_another_header_is_that_of_the_rows_below_it() -> None:
    data = (
        HEADER
        + b"2026-11-24T10:00:00Z,info,one,3\n"
        + b"time,level,message,items,user\n2026-11-24T10:00:01Z,info,two,3,anna\n"
    )
    parser = open_csv()
    parsed = parser.parse(data, 0, 0)
    assert (messages(parsed), parsed.records["ruser"].to_pylist()) == (["one", "two"], [None, "anna"])
    assert parsed.records["line_offset"].to_pylist() == [25, 87]
    assert "items,user" in parser.context


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert messages(open_csv().parse(b"\xef\xbb\xbf" + HEADER + b"2026-11-24T10:00:00Z,info,one,3\n", 0, 0)) == ["one"]


@pytest.mark.parametrize(
    ("line", "delimiter", "names"),
    [
        ("time,message", ",", ("time", "message")),
        ('"Zeit";"Text, lang"', ";", ("Zeit", "Text, lang")),
        ("a\tb", "\t", ("a", "b")),
        ("a|b", "|", ("a", "b")),
        ("#time,message", ",", ("time", "message")),
    ],
)
def test_a_header_has_a_delimiter_and_names(line: str, delimiter: str, names: tuple[str, ...]) -> None:
    header = read_header(line)
    assert header is not None
    assert (header.delimiter, header.names) == (delimiter, names)


@pytest.mark.parametrize("line", ["time", "a,1", "a,,b", "a,a", "2026-11-24,x", "x" * 5000 + ",y", ""])
def test_other_lines_are_no_header(line: str) -> None:
    assert read_header(line) is None


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["time,level,message", *(f"2026-11-24T10:00:0{n}Z,info,x {n}" for n in range(9))], "csv"),
        (["name;size", *(f"a{n};{n}" for n in range(9))], "plain"),
        (["#separator \\x09", "#fields\tts\tmsg", *(f"179551440{n}.000000\tx {n}" for n in range(9))], "zeek"),
    ],
)
def test_auto_takes_a_table_only_if_its_header_names_a_time_or_a_message(lines: list[str], name: str) -> None:
    parser = find_format("auto").open()
    parser.parse("".join(f"{line}\n" for line in lines).encode(), 0, 0)
    assert parser.name == name


def test_an_unclosed_quote_rejects_one_line_and_the_rows_after_it_are_read() -> None:
    rows = b"".join(b"2026-11-24T10:00:00Z,info,row %d,3\n" % number for number in range(MAX_RECORD_LINES + 5))
    parsed = open_csv().parse(HEADER + b'2026-11-24T10:00:00Z,info,"open,3\n' + rows, 0, 0)
    assert parsed.rejects.to_pylist() == [
        {"line_offset": 25, "reason": "an unclosed quote", "line": b'2026-11-24T10:00:00Z,info,"open,3'}
    ]
    assert parsed.records.num_rows == MAX_RECORD_LINES + 5


def test_a_row_that_may_go_on_is_found() -> None:
    parser = open_csv()
    assert parser.find_last_start(b"a,b\n") == 4
    assert parser.find_last_start(HEADER + b'2026-11-24T10:00:00Z,info,"a\n') == len(HEADER)
    parser.parse(HEADER, 0, 0)
    complete = b'2026-11-24T10:00:00Z,info,"a\nb",3\n'
    assert parser.find_last_start(complete) == len(complete)
    assert parser.find_last_start(complete + b'2026-11-24T10:00:00Z,info,"a\nb\n') == len(complete)


PIECES = st.sampled_from(
    [
        HEADER,
        b"2026-11-24T10:00:00Z,warn,one,1\r\n",
        b'2026-11-24T10:00:01Z,info,"two, ""2""",2\n',
        b'2026-11-24T10:00:02Z,info,"three\n\n3",3\n',
        b"2026-13-24T10:00:01Z,info,x,2\n",
        b"short,row\n",
        b"a,long,row,of,fields\n",
        b'a 5" disk,b,c,d\n',
        b"\n",
        b"x,\xff,y,z\n",
    ]
)


@given(st.lists(PIECES, max_size=7))
def test_dividing_the_rows_between_calls_changes_nothing(pieces: list[bytes]) -> None:
    whole = open_csv().parse(HEADER + b"".join(pieces), 0, 0)
    parser, context, at = open_csv(), "", 0
    parts = []
    for piece in [HEADER, *pieces]:
        parser = open_csv(context)
        parts.append(parser.parse(piece, at, 0))
        context, at = parser.context, at + len(piece)
    assert [row for part in parts for row in part.records.to_pylist()] == whole.records.to_pylist()
    assert [row for part in parts for row in part.rejects.to_pylist()] == whole.rejects.to_pylist()
    assert sum(part.rowless for part in parts) == whole.rowless


@pytest.mark.parametrize("name", ["csv", "zeek"])
@given(
    header=st.sampled_from([b"", HEADER, b"#fields\tts\tmsg\n"]),
    data=st.text("ab,;\"'\t#|\n 1é", max_size=200).map(str.encode) | st.binary(max_size=100),
)
def test_no_bytes_raise_and_every_line_is_counted_once(name: str, header: bytes, data: bytes) -> None:
    data += b"\n"
    parser = find_format(name).open()
    parser.parse(header, 0, 0)
    parsed = parser.parse(data, len(header), 0)
    parsed.records.validate(full=True)
    counted = parsed.records.num_rows + parsed.rejects.num_rows + parsed.rowless + parsed.continued
    assert counted == data.count(b"\n")


def test_auto_knows_a_table_by_its_header_before_the_first_row() -> None:
    parser = find_format("auto").open()
    assert parser.parse(HEADER, 0, 0).rowless == 1
    assert parser.name == "csv"
    parser = find_format("auto").open(parser.context)
    assert messages(parser.parse(b'2026-11-24T10:00:00Z,warn,"two\nlines",3\n', len(HEADER), 0)) == ["two\nlines"]


def test_names_with_blanks_and_signs_fill_columns() -> None:
    data = b"Severity Level,Date & Time,Users,Content\nWarning,2026-11-24 10:00:01,ann,the disk is nearly full\n"
    (record,) = open_csv().parse(data, 0, 0).records.to_pylist()
    assert (record["severity"], record["message"]) == ("warning", "the disk is nearly full")
    assert f"{record['ts']:%H:%M:%S}" == "10:00:01"


def test_content_is_the_message_only_if_no_column_is_called_so() -> None:
    data = b"time,content,message\n2026-11-24T10:00:01Z,text,hello\n"
    (record,) = open_csv().parse(data, 0, 0).records.to_pylist()
    assert (record["message"], record["attributes"]) == ("hello", '{"content": "text"}')
