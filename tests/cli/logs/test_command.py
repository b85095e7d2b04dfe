import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from puppylog.cli.logs.searching import Found, search_records
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader
from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import NOON, Source, rejects, rows

GOLDEN = Path(__file__).parents[1] / "golden"
# Selects the records that the fixture has stored; some tests add others.
OURS = ("--where", "user_agent is not null", "--to", "2026-03-01T12:02:00Z")


def test_without_a_terminal_a_record_is_one_line_with_all_its_fields_and_the_newest_comes_last(cli: InProcess) -> None:
    got = cli("logs", "-l", "3", *OURS)
    assert got.code == 0
    assert got.err.splitlines() == ["puppylog: the newest 3 of 120 records; -l shows more"]
    assert got.out == (GOLDEN / "logs.txt").read_text(encoding="utf-8")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [40, 80])
def test_on_a_terminal_records_are_wrapped_and_stderr_says_what_is_left_out(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    screen = _Terminal()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("PAGER", "")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        got = cli("logs", "-l", "3", *OURS, "shop", "-C", "1", "--color", "never", "--tz", "UTC")
    assert got.code == 0
    assert got.err.splitlines() == [
        "puppylog: not shown: user_agent; --vertical shows all",
        "puppylog: the newest 3 of 60 records; -l shows more",
    ]
    assert screen.getvalue() == (GOLDEN / f"logs.{width}.txt").read_text(encoding="utf-8")


def test_a_terminal_shows_a_field_that_it_otherwise_leaves_out_if_it_matches(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = _Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", screen)
        got = cli("logs", "-l", "1", *OURS, "[2J", "--color", "never")
    assert 'user_agent="\\u001b[2J"' in screen.getvalue()
    assert "not shown" not in got.err


def test_json_lines_have_every_column_and_attributes_as_an_object(cli: InProcess) -> None:
    [record] = json.loads(cli("logs", "-l", "1", "--to", "2026-03-01T12:02:00Z", "-o", "json").out)
    assert (record["line_offset"], record["attributes"], record["user_agent"]) == (11900, {"zone": "a"}, "\x1b[2J")
    assert "referer" in record


def test_a_complete_answer_has_no_note_on_stderr(cli: InProcess) -> None:
    for limit in ("120", "121"):
        got = cli("logs", "-l", limit, *OURS, "-o", "jsonl")
        assert (len(got.out.splitlines()), got.err) == (120, "")
    assert cli("logs", "-l", "119", *OURS, "-o", "jsonl", "-q").err == ""
    assert "119 of 120 records" in cli("logs", "-l", "119", *OURS, "-o", "json").err


def test_the_columns_that_are_asked_for_are_a_table(cli: InProcess) -> None:
    got = cli.at(NOON)("logs", "-l", "2", *OURS, "--columns", "ts, Status_Code,source,attributes.zone,response_bsize")
    header, *records = (line.split() for line in got.out.splitlines())
    assert header == ["ts", "Status_Code", "source", "attributes.zone", "response_bsize"]
    assert [record[1:] for record in records] == [["200", "/var/log/test.log", "a", size] for size in ("118", "119")]
    got = cli("logs", "-l", "1", *OURS, "--columns", "zone,host,group,file", "-o", "jsonl")
    assert json.loads(got.out) == {"zone": "a", "host": "10.0.0.2", "group": "shop", "file": "/var/log/test.log"}


def test_vertical_shows_one_field_per_line(cli: InProcess) -> None:
    got = cli("logs", "-l", "2", *OURS, "--vertical", "--reverse")
    first, second = got.out.split("\n\n")
    assert first.splitlines()[:2] == ["ts              2026-03-01T12:01:59+00:00", "source          /var/log/test.log"]
    assert second.splitlines()[-2:] == [r"user_agent      \x1b[2J", "zone            a"]
    got = cli("logs", "-l", "1", *OURS, "--vertical", "--columns", "host,referer")
    assert got.out.splitlines() == ["host     10.0.0.2", "referer  -"]


def test_raw_output_says_how_many_lines_are_not_exact(cli: InProcess) -> None:
    got = cli("logs", "-l", "2", *OURS, "-o", "raw")
    assert got.out.splitlines() == [
        '10.0.0.1 - - [01/Mar/2026:12:01:58 +0000] "GET /shop/2" 200 118 "-" "\x1b[2J"',
        '10.0.0.2 - - [01/Mar/2026:12:01:59 +0000] "GET /" 200 119 "-" "\x1b[2J"',
    ]
    assert "2 of 2 lines are put together from their columns and may differ from the original" in got.err


def test_reversed_records_begin_with_the_newest(cli: InProcess) -> None:
    got = cli("logs", "-l", "2", *OURS, "--reverse", "--columns", "response_bytes", "-o", "csv")
    assert got.out.split() == ["response_bytes", "119", "118"]


def test_context_is_the_records_around_a_match_each_of_them_once(cli: InProcess) -> None:
    chosen = ("--where", "user_agent is not null and status_code = 500", "--to", "2026-03-01T12:01:02Z", "-l", "3")
    got = cli("logs", *chosen, "-C", "1", "--columns", "response_bytes", "-o", "jsonl")
    records = [json.loads(line) for line in got.out.splitlines()]
    assert [record["response_bytes"] for record in records] == [39, 40, 41, 49, 50, 51, 59, 60, 61]
    assert [record["is_match"] for record in records] == [False, True, False] * 3
    got = cli("logs", *chosen, "-B", "7", "-A", "1", "--reverse", "--vertical", "--columns", "response_bytes")
    shown = [line.split()[-1] for line in got.out.splitlines() if line]
    assert shown == [
        "61",
        *map(str, range(60, 52, -1)),
        "--",
        "51",
        *map(str, range(50, 42, -1)),
        "--",
        *map(str, range(41, 32, -1)),
    ]
    assert cli("logs", *chosen, "-A", "1", "-B", "8", "-o", "table").out.count("--\n") == 0


def test_context_has_the_rejected_lines_between_its_records(cli: InProcess, server: EmbeddedStore) -> None:
    source = Source(server.connect(), "file:///var/log/mixed.log")
    source.append(rows([{"ident": "a"}, {"ident": "b"}, {"ident": "c"}]), rejects(b"\tat \x01", start=50))
    query = ("logs", "-s", "mixed.log", "ident:b", "-C", "1")
    assert [line.split()[-1] for line in cli(*query, "--vertical", "--columns", "ident").out.splitlines() if line] == [
        *("a", r"\x01", "b", "c")
    ]
    assert cli(*query).out.splitlines()[1] == r"  rejected \tat \x01"
    assert cli(*query, "-o", "raw").out.count("\n") == 4
    assert cli(*query, "-o", "jsonl").out.count("\n") == 3


def test_matches_are_marked_in_context_unless_colours_tell_them(cli: InProcess, server: EmbeddedStore) -> None:
    source = Source(server.connect(), "file:///var/log/marked.log")
    records = [{"ident": ident, "message": f"{ident}\nat line 1", "ts": NOON} for ident in "abcde"]
    source.append(rows(records), rejects(b"rejected", start=50))
    query = ("logs", "-s", "marked.log", "ident:a or ident:e", "-C", "1")
    piped = cli(*query).out.splitlines()
    assert [line[:2] for line in piped] == ["> ", "  ", "  ", "--", "  ", "> "]
    assert cli.wide(40)(*query, "--color", "never").out.splitlines() == [
        "  Sunday 2026-03-01 UTC",
        *("> 12:00:00 a  ident=a", ">   at line 1", "    rejected", "  12:00:00 b", "    at line 1"),
        "--",
        *("  12:00:00 d", "    at line 1", "> 12:00:00 e  ident=e", ">   at line 1"),
    ]
    coloured = cli.wide(40)(*query, "--color", "always").out
    assert "> " not in coloured
    assert "> " not in cli(*query[:-2]).out


def test_following_with_context_shows_the_records_after_a_match_when_they_arrive(
    cli: InProcess, server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(server.connect(), "file:///var/log/followed-context.log")

    def append(*idents: str) -> Callable[[], object]:
        return lambda: source.append(rows([{"ident": ident} for ident in idents], start=source.offset))

    def append_rejected() -> None:
        source.append(rejects(b"rejected", start=source.offset))

    append("1", "2", "hit 3")()
    _sleep_as(
        monkeypatch,
        _Sleep(
            *(append("4"), append_rejected, append("5")),
            *(append("6", "7", "8"), append("hit 9", "10"), append("hit 11")),
        ),
    )
    got = cli(
        "logs",
        "-f",
        "-s",
        "followed-context.log",
        "ident:hit*",
        "-B",
        "1",
        "-A",
        "2",
        "--columns",
        "ident",
        "--vertical",
    )
    assert got.code == 130
    shown = [line for line in got.out.splitlines() if line]
    assert shown == [
        *("  ident  2", "> ident  hit 3", "  ident  4", "  rejected  rejected", "  ident  5"),
        "--",
        *("  ident  8", "> ident  hit 9", "  ident  10", "> ident  hit 11"),
    ]


def test_a_source_is_a_path_or_its_end_or_a_pattern(cli: InProcess, server: EmbeddedStore) -> None:
    other = Source(server.connect(), "file:///srv/web/other.log")
    other.append(rows([{"ident": "of the other source"}], start=other.offset))
    for pattern in ("other.log", "web/other.log", "/srv/web/other.log", "/srv/*", "*other*"):
        got = cli("logs", "--source", pattern, "--columns", "ident", "-o", "jsonl")
        assert [json.loads(line)["ident"] for line in got.out.splitlines()] == ["of the other source"]
    got = cli("logs", "-s", "nowhere.log")
    assert (got.code, got.out) == (0, "")
    assert re.match(r"puppylog: no source matches 'nowhere\.log'; the store has (\S+/)+\w+\.log\b", got.err), got.err
    got = cli("logs", "-s", "other.log", "no such word")
    assert "no record is found; the newest record in the store is of 20" in got.err


def test_an_empty_answer_says_why_and_what_to_type(cli: InProcess, tmp_path: Path) -> None:
    assert "before the range begins" in cli("logs", "--since", "2100-01-01").err
    with EmbeddedStore(tmp_path / "empty") as empty:
        got = cli("logs", "--store", empty.url)
    assert (got.code, got.out) == (0, "")
    assert "the store has no records; 'puppylog FILE' shows a file" in got.err


def test_filter_range_and_group_limit_a_search(cli: InProcess) -> None:
    got = cli(
        *("logs", "--where", "status_code = 500 and host = '10.0.0.1'", "--group", "shop", "-o", "jsonl"),
        *("--from", "2026-03-01T12:00", "--to", "2026-03-01 12:01"),
    )
    records = [json.loads(line) for line in got.out.splitlines()]
    assert [record["ts"] for record in records] == ["2026-03-01T12:00:10+00:00", "2026-03-01T12:00:40+00:00"]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--where", "nope = 1"], "cannot use filter expression"),
        (["--where", "1; drop table x"], "cannot use filter expression"),
        (["--group", "shed"], "cannot find group 'shed'"),
        (["--since", "whenever"], "cannot read --since 'whenever'"),
        (["-f", "--to", "now"], "cannot follow to an end"),
        (["-f", "-o", "json"], "cannot follow as one JSON document"),
        (["-l", "-1"], "-1"),
        (["-f", "--reverse"], "cannot follow newest first"),
        (["--vertical", "-o", "csv"], "cannot show one field per line as csv"),
        (["--columns", "zon"], "cannot show column 'zon': no record has a field of this name; the nearest is zone"),
        (["--columns", "host", "-o", "raw"], "cannot show columns of the text as it was"),
        (["--columns", ","], "cannot show no columns"),
    ],
)
def test_a_wrong_search_is_refused(cli: InProcess, arguments: list[str], cause: str) -> None:
    got = cli("logs", *arguments)
    assert (got.code, got.out) == (2, "")
    assert cause in got.err


class _Sleep:
    """Replaces sleep_while_read: calls the next function instead of sleeping, and interrupts after the last one."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self._acts = iter(acts)

    def __call__(self, _seconds: float) -> None:
        next(self._acts, _interrupt)()


def _sleep_as(monkeypatch: pytest.MonkeyPatch, sleep: _Sleep) -> None:
    monkeypatch.setattr("puppylog.cli.logs.follower.sleep_while_read", sleep)


def _interrupt() -> NoReturn:
    raise KeyboardInterrupt


def test_following_shows_each_new_record_once_including_late_ones(
    cli: InProcess, server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(server.connect(), "file:///var/log/follow.log")
    source.append(rows([{"ident": "first"}, {"ident": "before"}], start=source.offset))

    def append(*idents: str, **columns: object) -> Callable[[], object]:
        return lambda: source.append(rows([{"ident": ident, **columns} for ident in idents], start=source.offset))

    late = append("late", ts=NOON.replace(year=2001))
    _sleep_as(monkeypatch, _Sleep(append("one", "two"), late, lambda: None, append("three")))
    got = cli("logs", "-f", "-o", "jsonl", "--where", "ident IS NOT NULL", "-l", "1")
    assert got.code == 130
    assert "the newest 1 of " in got.err
    shown = [json.loads(line)["ident"] for line in got.out.splitlines()]
    assert shown == ["before", "one", "two", "late", "three"]


def test_a_record_committed_during_the_search_is_shown_once(
    cli: InProcess, server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(server.connect(), "file:///var/log/race.log")

    def commit_first(reader: RecordReader, search: Search, **how: Any) -> Found:
        source.append(rows([{"ruser": "racer"}], start=source.offset))
        return search_records(reader, search, **how)

    monkeypatch.setattr("puppylog.cli.logs.command.search_records", commit_first)
    _sleep_as(monkeypatch, _Sleep(lambda: None))
    got = cli("logs", "-f", "-o", "jsonl", "--where", "ruser = 'racer'")
    assert [json.loads(line)["ruser"] for line in got.out.splitlines()] == ["racer"]
