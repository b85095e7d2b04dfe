"""The format `auto` with formats that join lines: what it chooses, when it switches, and files of headers only."""

import pytest

from formats.agreement import READ_AT_US
from puppylog.formats.auto import AutoParser
from puppylog.formats.base import Options, Parser
from puppylog.formats.detection import judge
from puppylog.formats.registry import find_format

SYSLOG = b"".join(b"Nov 24 10:00:%02d web1 app[7]: started\n" % second for second in range(20))
ACCESS = b'192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n' * 20
TRACE = b"Traceback (most recent call last):\n  File x\n    y()\nValueError: no\n" * 3
W3C_HEADERS = b"#Software: IIS\n#Version: 1.0\n#Date: 2026-11-24 10:00:00\n#Fields: date time c-ip sc-status\n"
W3C_LINES = b"2026-11-24 10:00:00 192.0.2.1 200\n" * 3


def open_auto() -> Parser:
    return find_format("auto").open("", READ_AT_US)


def messages(parser: Parser, data: bytes) -> list[str | None]:
    return parser.parse(data, 0, READ_AT_US).records["message"].to_pylist()


def test_stack_traces_do_not_make_another_format_of_a_log() -> None:
    parser = open_auto()
    parsed = parser.parse(SYSLOG + TRACE + SYSLOG + TRACE, 0, READ_AT_US)
    assert (parser.name, parsed.records.num_rows, parsed.rejects.num_rows) == ("syslog", 40, 0)
    assert parsed.continued == 24


def test_a_format_that_joins_most_lines_does_not_win() -> None:
    prose = b"it began\n" + b"and went on\n" * 6
    parser = open_auto()
    assert len(messages(parser, (SYSLOG[:100].split(b"\n")[0] + b"\n" + prose) * 5)) > 5
    assert parser.name != "syslog"


@pytest.mark.parametrize(("first", "then", "name"), [(SYSLOG, ACCESS, "access"), (ACCESS, SYSLOG, "syslog")])
def test_the_format_changes_within_one_read(first: bytes, then: bytes, name: str) -> None:
    parser = open_auto()
    parsed = parser.parse(first + then, 0, READ_AT_US)
    assert (parser.name, parsed.records.num_rows, parsed.rejects.num_rows, parsed.continued) == (name, 40, 0, 0)


def test_the_format_changes_and_changes_back() -> None:
    parser = open_auto()
    parsed = parser.parse(SYSLOG + ACCESS + SYSLOG + ACCESS, 0, READ_AT_US)
    assert (parsed.records.num_rows, parsed.rejects.num_rows, parsed.continued) == (80, 0, 0)


@pytest.mark.parametrize("is_reopened", [False, True])
@pytest.mark.parametrize("cut", range(W3C_HEADERS.count(b"\n") + 1))
def test_a_file_whose_first_read_has_headers_only_is_of_the_format_of_its_lines(cut: int, is_reopened: bool) -> None:
    parser = open_auto()
    lines = W3C_HEADERS.splitlines(keepends=True)
    head = b"".join(lines[:cut])
    parsed = parser.parse(head, 0, READ_AT_US)
    assert (parsed.lines, parsed.rowless, parser.name) == (0, cut, "")
    if is_reopened:
        parser = find_format("auto").open(parser.context, READ_AT_US)
    rest = b"".join(lines[cut:]) + W3C_LINES
    parsed = parser.parse(rest, len(head), READ_AT_US)
    assert (parser.name, parsed.records.num_rows, parsed.rejects.num_rows) == ("w3c", 3, 0)
    assert parsed.records["status_code"].to_pylist() == [200] * 3


def test_the_boundary_of_the_chosen_format_is_known_before_lines_are_parsed() -> None:
    parser = open_auto()
    assert parser.find_last_start(W3C_HEADERS) == len(W3C_HEADERS)
    last = SYSLOG.rindex(b"Nov")
    assert open_auto().find_last_start(SYSLOG + b" at x\n") == last
    assert open_auto().find_last_start(ACCESS) == len(ACCESS)


def test_the_time_before_is_known_after_a_change_of_the_format() -> None:
    parser = open_auto()
    parser.parse(SYSLOG, 0, READ_AT_US)
    parsed = parser.parse(b'{"a": 1}\n' * 10, len(SYSLOG), READ_AT_US)
    assert isinstance(parser, AutoParser)
    assert (parser.name, parsed.before, parsed.read) == ("json", 10, 0)


def test_lines_count_as_fitting_if_they_look_like_continuation_lines() -> None:
    syslog = find_format("syslog", Options())
    head = SYSLOG.split(b"\n")[0] + b"\n"
    assert judge(syslog, head).fits == 1
    assert judge(syslog, head + b" at x\n" * 9).coverage == 1
    assert judge(syslog, head + b"x\n" * 9).fits == 3
    assert judge(syslog, b" at x\n" * 9).fits == 0
