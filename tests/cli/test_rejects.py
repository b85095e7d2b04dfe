import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from puppylog.tui.clean import width_of
from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import NOON, Source
from support.rejected import MISFIT, access_line, places, reject

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A store that no test changes."""
    with EmbeddedStore(tmp_path_factory.mktemp("server") / "store") as server:
        fill(server)
        yield server


@pytest.fixture
def own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: InProcess) -> Iterator[EmbeddedStore]:
    """A store with the same lines, of the test's own; commands use it."""
    del cli  # it has set the other store
    with EmbeddedStore(tmp_path / "store") as server:
        fill(server)
        monkeypatch.setenv("PUPPYLOG_STORE", server.url)
        yield server


def fill(server: EmbeddedStore) -> None:
    """Store rejected lines of two sources: two of an access log and a hostile one; and one of a group."""
    store = server.connect()
    reject(Source(store, "file:///var/log/a.log"), [access_line(1), MISFIT, access_line(2)], reason="a bad quote")
    reject(Source(store, "file:///srv/b.log", group="shop"), [b"=1+1"], reason="no time in it")


def test_lines_are_listed_with_their_sources_and_cleaned(cli: InProcess) -> None:
    got = cli("rejects", "list", "-o", "jsonl")
    assert (got.code, got.err) == (0, "")
    listed = [json.loads(line) for line in got.out.splitlines()]
    assert [sorted(line) for line in listed] == [["file", "line", "line_offset", "reason", "rejected_at", "source"]] * 4
    assert [(line["source"], line["line_offset"], line["reason"]) for line in listed] == [
        ("file:///var/log/a.log", 0, "a bad quote"),
        ("file:///var/log/a.log", len(access_line(1)) + 1, "a bad quote"),
        ("file:///var/log/a.log", len(access_line(1)) + 1 + len(MISFIT) + 1, "a bad quote"),
        ("file:///srv/b.log", 0, "no time in it"),
    ]
    assert listed[1]["line"] == MISFIT.decode(errors="replace")
    assert "\x1b" not in got.out


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_no_output_has_a_control_sequence(cli: InProcess, output: str) -> None:
    got = cli("rejects", "list", "-o", output, "--source", "*a.log")
    assert got.code == 0
    assert "[2J this is no line of an access log" in got.out
    assert "\x1b" not in got.out


def test_a_terminal_shows_each_line_below_its_place_and_its_reason(cli: InProcess) -> None:
    for width in (40, 80, 160):
        got = cli.wide(width)("rejects", "list", "--color", "never")
        assert got.err == ""
        lines = got.out.splitlines()
        assert max(map(width_of, lines)) <= width
        assert "\x1b" not in got.out
        assert lines[-1] == "  │ =1+1"
        shown = " ".join(got.out.split())
        assert "/srv/b.log (/var/log/test.log) at byte 0: no time in it │ =1+1" in shown


def test_a_terminal_shows_the_start_of_a_long_line_and_says_that_it_is_cut(
    own_server: EmbeddedStore, cli: InProcess
) -> None:
    reject(Source(own_server.connect(), "file:///srv/c.log"), [b"x " * 5000], reason="no time in it")
    got = cli.wide(40)("rejects", "list", "-l", "1", "--color", "never")
    drawn = [line for line in got.out.splitlines() if line.startswith("  │ ")]
    assert len(drawn) == 6
    assert drawn[-1].endswith("…")
    assert "cut: line; -o jsonl shows all" in got.err


def test_a_command_that_finds_no_rejected_line_says_so(cli: InProcess) -> None:
    for command in ("list", "count"):
        assert cli("rejects", command, "--reason", "no such reason").err == "puppylog: no rejected line is found\n"
    assert cli.wide(80)("rejects", "list", "--reason", "no such reason").out == ""


def test_the_newest_lines_come_last_up_to_a_limit(cli: InProcess) -> None:
    listed = [json.loads(line) for line in cli("rejects", "list", "-l", "2", "-o", "jsonl").out.splitlines()]
    assert [line["line"] for line in listed] == [access_line(2).decode(), "=1+1"]
    none = cli("rejects", "list", "-l", "0", "-o", "jsonl")
    assert (none.out, none.err) == ("", "puppylog: the newest 0 of 4 lines; -l shows more\n")


def test_reasons_are_counted(cli: InProcess) -> None:
    got = cli("rejects", "count", "-o", "csv")
    assert (got.code, got.err) == (0, "")
    cells = [line.split(",")[:3] for line in got.out.splitlines()]
    assert "".join(",".join(row) + "\n" for row in cells) == (GOLDEN / "rejects.count.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["--source", "/srv/*"], 1),
        (["--source", "/srv/*", "--source", "/var/log/a.log"], 4),
        (["--group", "shop"], 1),
        (["--reason", "BAD"], 3),
        (["--since", "1h"], 4),
        (["--to", (NOON - timedelta(days=9000)).isoformat()], 0),
    ],
)
def test_filters_limit_what_is_exported(cli: InProcess, tmp_path: Path, arguments: list[str], lines: int) -> None:
    got = cli("rejects", "export", "--file", str(tmp_path / "out"), *arguments)
    assert (got.code, got.out, got.err) == (0, "", "")
    assert (tmp_path / "out").read_bytes().count(b"\n") == lines


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["list", "--source", "/nowhere"], "cannot find source '/nowhere'"),
        (["count", "--group", "shed"], "cannot find group 'shed'"),
        (["list", "--since", "whenever"], "cannot read --since 'whenever'"),
        (["export", "--file", "/nowhere/out"], "cannot write /nowhere/out: no such file or directory"),
        (["replay"], "cannot replay without a format: name it with --format"),
        (["replay", "--format", "nope"], "cannot use format 'nope'"),
    ],
)
def test_rejects_refuses_wrong_arguments(cli: InProcess, arguments: list[str], cause: str) -> None:
    got = cli("rejects", *arguments)
    assert (got.code, got.out) == (2, "")
    assert cause in got.err


def test_lines_are_exported_byte_by_byte(server: EmbeddedStore, cli: InProcess, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "puppylog", "rejects", "export", "--store", server.url]
    done = subprocess.run(words, capture_output=True, check=True, timeout=60)
    expected = b"".join(line + b"\n" for line in (access_line(1), MISFIT, access_line(2), b"=1+1"))
    assert (done.stdout, done.stderr) == (expected, b"")
    path = tmp_path / "rejected"
    path.write_bytes(done.stdout)
    assert "combined, 2 of 4 lines fit" in cli("collector", "detect", str(path), "-f", "combined").out


def test_lines_are_not_exported_to_a_terminal(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    got = cli("rejects", "export")
    assert got.code == 2
    assert "cannot write the lines to a terminal" in got.err


def test_a_replay_reports_how_many_lines_became_records(own_server: EmbeddedStore, cli: InProcess) -> None:
    dry = cli("rejects", "replay", "--format", "combined", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert dry.out == (GOLDEN / "rejects.replay.dry.txt").read_text(encoding="utf-8")
    assert len(places(own_server.connect(), "rejected_lines")) == 4
    got = cli("rejects", "replay", "--format", "combined")
    assert (got.code, got.out) == (0, "")
    assert got.err == (GOLDEN / "rejects.replay.txt").read_text(encoding="utf-8")
    assert len(places(own_server.connect(), "log_records")) == 2
    assert cli("rejects", "replay", "--format", "combined", "--quiet").err == ""


def test_a_replay_is_limited_by_the_same_filters(own_server: EmbeddedStore, cli: InProcess) -> None:
    got = cli("rejects", "replay", "--format", "combined", "--source", "/srv/b.log")
    assert got.err.startswith("puppylog: 1 rejected lines read: 0 are records now, 1 stay\n")
    assert places(own_server.connect(), "log_records") == []
