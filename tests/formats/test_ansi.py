"""Sequences that colour text on a terminal are removed before lines are parsed, and kept in rejected lines."""

import pytest

from formats.agreement import READ_AT_US
from formats.paths import PATHS, reading
from puppylog.formats.registry import find_format

RED, OFF = b"\x1b[1;31m", b"\x1b[0m"
HEAD = b"Nov 24 10:00:00 web1 app: "


@pytest.mark.parametrize("path", PATHS)
def test_colours_are_removed_and_offsets_stay_those_of_the_file(path: str) -> None:
    first, second = RED + HEAD + OFF + RED + b"red" + OFF + b" text\n", b" at " + RED + b"x" + OFF + b"\n"
    rejected, last = RED + b"<999>x" + OFF + b"\r\n", HEAD + b"\x1b[38;5;7mend\xff\n"
    with reading(path):
        parser = find_format("syslog").open("2026-11")
        data = first + second + rejected + last
        assert parser.find_last_start(data) == len(first + second + rejected)
        assert parser.find_last_start(first + second) == 0
        parsed = parser.parse(data, 100, READ_AT_US)
    assert parsed.records["message"].to_pylist() == ["red text\n at x", "end\ufffd"]
    assert parsed.records["line_offset"].to_pylist() == [100, 100 + len(first + second + rejected)]
    assert ["invalid_utf8" in text for text in parsed.records["attributes"].to_pylist()] == [False, True]
    (reject,) = parsed.rejects.to_pylist()
    assert (reject["line_offset"], reject["line"]) == (100 + len(first + second), rejected[:-1])


def test_a_lone_escape_character_is_text() -> None:
    parsed = find_format("plain").open().parse(b"a\x1bb \x1b[\n", 0, READ_AT_US)
    assert parsed.records["message"].to_pylist() == ["a\x1bb \x1b["]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("name", "line"), [("json", b'{"msg": "%s"}\n'), ("logfmt", b'level=info msg="%s"\n')])
def test_colours_are_removed_by_readers_that_reject_lines_with_colours(path: str, name: str, line: bytes) -> None:
    plain, coloured, rejected = line % b"one", RED + line % (b"t" + OFF + b"wo\xff"), RED + b"no \xff" + OFF + b"\n"
    with reading(path):
        data = plain + coloured + rejected + plain
        parsed = find_format(name).open().parse(data, 100, READ_AT_US)
    assert parsed.records["message"].to_pylist() == ["one", "two\ufffd", "one"]
    starts = [100, 100 + len(plain), 100 + len(plain + coloured + rejected)]
    assert parsed.records["line_offset"].to_pylist() == starts
    (reject,) = parsed.rejects.to_pylist()
    assert (reject["line_offset"], reject["line"]) == (100 + len(plain + coloured), rejected[:-1])
