"""Lines of a request in any format; ``auto`` remembers the format of a source between its requests."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.receive.lines import decode_lines
from puppylog.receive.received import ReceivedLines

AUTO = find_format("auto")
ACCESS = b'10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 12\n'
JSON = b'{"level": "info", "message": "one"}\n'


def decode(body: bytes, format_: str = "auto", context: str = "") -> ReceivedLines:
    (lines,) = decode_lines(body, find_format(format_), context=context, source="app", read_at_us=7).lines
    return lines


def test_a_last_line_without_a_newline_is_a_line() -> None:
    lines = decode(b'{"message": "one"}\n{"message": "two"}', "json")
    assert lines.parsed.records["message"].to_pylist() == ["one", "two"]
    assert lines.size == 38
    assert lines.parsed.line_at(19) == b'{"message": "two"}'


def test_a_line_that_does_not_fit_is_rejected_with_its_bytes() -> None:
    lines = decode(b'{"message": "one"}\n\xff no object\n', "json")
    assert lines.parsed.records.num_rows == 1
    assert lines.parsed.rejects.to_pylist() == [
        {"line_offset": 19, "reason": "not a JSON object", "line": b"\xff no object"}
    ]


def test_a_record_without_a_time_has_the_time_of_receipt() -> None:
    assert decode(JSON).parsed.records["ts"].cast(pa.int64()).to_pylist() == [7]


def test_an_empty_body_has_no_lines() -> None:
    assert decode_lines(b"", AUTO, read_at_us=0).lines == ()


def test_the_format_of_a_source_is_remembered() -> None:
    first = decode(ACCESS)
    assert first.format_name == "access"
    assert first.context == "access\n"
    rejected = decode(b"a line of text\n", context=first.context)
    assert (rejected.format_name, rejected.parsed.rejects.num_rows) == ("access", 1)
    assert decode(b"a line of text\n").format_name == "plain"


def test_a_request_that_does_not_fit_the_remembered_format_is_looked_at_anew() -> None:
    changed = decode(JSON, context="access\n")
    assert (changed.format_name, changed.context, changed.parsed.records.num_rows) == ("json", "json\n", 1)


def test_a_few_lines_of_plain_text_decide_nothing_about_the_next_request() -> None:
    assert decode(b"starting\n").context is None
    assert decode(b"a line of text\n" * 20).context == "plain\n"


def test_directives_of_an_earlier_request_hold_for_the_next_one() -> None:
    header = decode(b"#Version: 1.0\n#Fields: date time cs-method cs-uri-stem sc-status\n", "w3c")
    assert header.parsed.rowless == 2
    line = b"2025-10-10 13:55:36 GET /a 200\n"
    assert decode(line, "w3c").parsed.rejects.num_rows == 1
    assert decode(line, "w3c", header.context or "").parsed.records["request_route"].to_pylist() == ["/a"]
    assert decode(line, "auto", header.context or "").parsed.records.num_rows == 1
    assert decode(JSON, "json", header.context or "").parsed.records.num_rows == 1


@given(st.binary(max_size=400), st.sampled_from(["auto", "json", "access", "syslog", "w3c"]), st.text(max_size=20))
def test_any_bytes_become_rows(body: bytes, format_: str, context: str) -> None:
    received = decode_lines(body, find_format(format_, Options()), context=context, read_at_us=0)
    for lines in received.lines:
        assert lines.parsed.lines + lines.parsed.rowless >= body.count(b"\n")
        for rows in (lines.parsed.records, lines.parsed.rejects):
            assert all(0 <= at < lines.size for at in rows["line_offset"].to_pylist())
