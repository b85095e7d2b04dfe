"""``puppylog FILE``: what is collected, what is shown, and what is said."""

import contextlib
import gzip
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.monitor.search import Search, count_records
from puppylog.settings import cache_directory
from puppylog.stores.cache import CachedStore, StoreCache
from puppylog.stores.connect import connect, stop
from support.commands import Ran
from support.embedded import wait_until
from support.inprocess import InProcess

LINE = '{client} - - [01/Mar/2026:12:00:{second:02} +0000] "GET {route} HTTP/1.1" {status} 512 "-" "curl/8.5.0"\n'


def lines(count: int, *, first: int = 0, client: str = "192.0.2.1", route: str = "/a?b=1", status: int = 200) -> str:
    return "".join(
        LINE.format(client=client, second=second, route=route, status=status) for second in range(first, first + count)
    )


@pytest.fixture
def puppylog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[InProcess]:
    """Runs commands in a directory of the test, with a cache of its own; afterwards its engines have ended."""
    for name in [name for name in os.environ if name.startswith(("PUPPYLOG_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    yield InProcess(capsys)
    for path in (tmp_path / ".cache" / "puppylog").glob("*-*/"):
        stop(CachedStore(path, []).url)


def report_of(ran: Ran) -> dict[str, object]:
    report = json.loads(ran.out)
    assert isinstance(report, dict)
    return report


def test_a_file_becomes_a_report_and_only_new_lines_are_read_again(puppylog: InProcess, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(lines(20) + lines(2, first=20, route="/broken", status=502) + "not a request\n")
    ran = puppylog("access.log")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == "access.log"
    assert "22 records, 1 rejected (4.3 %), access" in ran.out
    assert re.search(r"^20 +90\.9 % .* /a$", ran.out, re.MULTILINE)
    assert "Routes with server errors" in ran.out
    assert "22 records, 1 rejected in" in ran.err

    with log.open("a") as file:
        file.write(lines(5, first=30))
    again = puppylog(str(log))
    assert again.code == 0
    assert "27 records, 1 rejected" in again.out
    assert "5 records, 0 rejected in" in again.err

    first, second, third = again.out.rstrip().splitlines()[-3:]
    assert first.startswith("puppylog logs 'status_code>=500' --store duckdb:///")
    for command in (first, second, third):
        words = command.replace("'", "").split(" --store ")[0].split()
        assert words[:1] == ["puppylog"]
        assert re.search(r" --store duckdb://\S+access\.log-\w+$", command)
    shown = puppylog("logs", "status_code>=500", "--store", first.split()[-1], "-o", "jsonl")
    assert [json.loads(line)["status_code"] for line in shown.out.splitlines()] == [502, 502]


def test_a_file_that_cannot_be_read_does_not_hide_the_others(
    puppylog: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.log").write_text(lines(3))
    (tmp_path / "b.log").write_text(lines(5))
    monkeypatch.setattr("os.access", lambda *_: False)  # as for a user without rights: only opening a file tells
    assert puppylog("a.log", "b.log").code == 0


def test_a_report_as_json_has_exact_numbers_and_can_be_limited_to_a_range(puppylog: InProcess, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(lines(3))
    report = report_of(puppylog("a.log", "-o", "json"))
    assert (report["records"], report["rejects"], report["kind"]) == (3, 0, "status")
    assert report["first_at"] == "2026-03-01T12:00:00+00:00"
    assert report["routes"] == {
        "items": [{"value": "/a", "records": 3, "server_errors": 0, "response_bytes": 1536.0}],
        "different": 1,
    }
    none = puppylog("a.log", "--since", "1h", "--tz", "UTC")
    assert (none.code, none.out) == (0, "")
    assert "the newest record in the store is of 2026-03-01T12:00:02+00:00, before the range begins" in none.err
    limited = report_of(
        puppylog("a.log", "-o", "json", "--from", "2026-03-01T12:00:01Z", "--to", "2026-03-01T12:00:02Z")
    )
    assert limited["records"] == 1


def test_compressed_files_directories_and_patterns_are_opened(puppylog: InProcess, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "one.log").write_text(lines(3))
    (logs / "two.log.gz").write_bytes(gzip.compress(lines(4, client="192.0.2.2").encode()))
    assert report_of(puppylog("logs/", "-o", "json"))["records"] == 7
    assert report_of(puppylog("open", "logs", "-o", "json"))["records"] == 7
    assert report_of(puppylog("logs/*.gz", "-o", "json"))["records"] == 4


@contextlib.contextmanager
def standard_input(text: str) -> Iterator[None]:
    """Make a pipe with the text the standard input of this process."""
    saved = os.dup(0)
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    os.dup2(read, 0)
    os.close(read)
    try:
        yield
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_standard_input_is_a_new_store_each_time(puppylog: InProcess) -> None:
    for count in (3, 4):
        with standard_input(lines(count)):
            ran = puppylog("-", "-o", "json")
        assert report_of(ran)["records"] == count


def test_an_interrupt_ends_a_pipe_and_its_report_is_shown(puppylog: InProcess, tmp_path: Path) -> None:
    del puppylog  # the fixture sets the environment, and stops the engine
    command = [sys.executable, "-m", "puppylog", "-", "-o", "json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(lines(5).encode())
        process.stdin.flush()
        folder = tmp_path / ".cache" / "puppylog"
        wait_until(lambda: any(folder.glob("stdin-*/collecting.lock")), what="the collecting")
        [path] = folder.glob("stdin-*")
        with connect(CachedStore(path, []).url) as store:
            wait_until(lambda: count_records(store, Search(), 10) == 5, what="the records")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["records"]) == (0, 5), err


def test_a_file_that_cannot_be_read_is_named_and_no_store_is_made(puppylog: InProcess, tmp_path: Path) -> None:
    ran = puppylog("missing.log")
    assert (ran.code, ran.out) == (2, "")
    assert f"cannot read {tmp_path}/missing.log" in ran.err
    assert not (tmp_path / ".cache").exists()


def test_files_that_can_be_read_are_reported_and_the_exit_code_says_that_others_cannot(
    puppylog: InProcess, tmp_path: Path
) -> None:
    (tmp_path / "good.log").write_text(lines(3))
    (tmp_path / "bad.bin").write_bytes(b"\x7fELF" + bytes(range(256)))
    ran = puppylog("good.log", "bad.bin", "-o", "json")
    assert ran.code == 2
    assert "it is a program" in ran.err
    assert report_of(ran)["records"] == 3


def test_an_empty_file_says_that_there_is_nothing_to_show(puppylog: InProcess, tmp_path: Path) -> None:
    (tmp_path / "empty.log").touch()
    ran = puppylog("empty.log")
    assert (ran.code, ran.out) == (0, "")
    assert "the store has no records" in ran.err


def test_if_most_lines_are_rejected_the_report_says_what_to_type_and_another_format_reads_the_file_again(
    puppylog: InProcess, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_text(lines(4))
    ran = puppylog("a.log", "-f", "json")
    assert ran.code == 0
    assert "0 records, 4 rejected (100 %)" in ran.out
    assert f"puppylog collector detect {tmp_path}/a.log" in ran.err
    assert report_of(puppylog("a.log", "-o", "json"))["records"] == 4


def test_records_without_a_time_of_their_own_are_counted(puppylog: InProcess, tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(
        '{"message": "started"}\n' * 3 + '{"message": "x", "time": "2026-03-01T12:00:00Z"}\n'
    )
    ran = puppylog("app.log")
    assert "3 records (75.0 %) have no time of their own: their time is when they were read" in " ".join(
        ran.out.split()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.log", "--store", "duckdb:///nowhere"), "cannot use --store with FILE"),
        (("--store", "duckdb:///nowhere", "a.log"), "cannot use --store with FILE"),
        (("a.log", "--group", "shop"), "cannot use --group with FILE"),
        (("a.log", "-o", "csv"), "'csv' is not one of"),
    ],
)
def test_options_that_make_no_sense_with_files_are_refused(
    puppylog: InProcess, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "a.log").write_text(lines(1))
    ran = puppylog(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_report_waits_for_another_one_on_its_files_and_does_not_wait_for_a_collector(
    puppylog: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.log").write_text(lines(4))
    puppylog("a.log")
    [path] = (tmp_path / ".cache" / "puppylog").glob("a.log-*")
    said: list[str] = []
    with contextlib.ExitStack() as other:
        assert other.enter_context(CachedStore(path, []).collecting(lambda: False))

        def hear(_: object, text: str) -> None:
            said.append(text)
            other.close()

        with monkeypatch.context() as patch:
            patch.setattr("puppylog.cli.open.tell", hear)
            assert report_of(puppylog("a.log", "-o", "json"))["records"] == 4
    assert said[0] == "another process reads the same files for a report; waiting for it"

    with connect(CachedStore(path, []).url) as store:
        [stream] = store.query("SELECT source_uri FROM puppylog.log_streams").to_pylist()
        store.open_streams([stream["source_uri"]])
        ran = puppylog("a.log", "-o", "json")
    assert ran.code == 0
    assert report_of(ran)["records"] == 4
    assert "the report has what is stored now" in ran.err


def test_a_format_of_rows_in_the_environment_is_no_reason_to_refuse(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUPPYLOG_OUTPUT", "jsonl")
    assert report_of(cli("open"))["records"] == 120
    monkeypatch.setenv("PUPPYLOG_OUTPUT", "csv")
    assert "120 records" in cli("open").out
    monkeypatch.setenv("PUPPYLOG_OUTPUT", "nonsense")
    assert cli("open").code == 2


def test_without_files_the_report_is_about_the_store_of_the_settings(cli: InProcess) -> None:
    report = report_of(cli("open", "-o", "json"))
    assert (report["records"], report["rejects"]) == (120, 1)
    assert report["commands"][0] == "puppylog logs 'status_code>=500'"  # type: ignore[index]  # a list
    assert report_of(cli("open", "--group", "shop", "-o", "json"))["records"] == 120
    assert "cannot find group" in cli("open", "--group", "nowhere").err


@pytest.mark.parametrize("output", ["table", "json", "html"])
def test_a_report_in_time_says_since_when_it_counts(cli: InProcess, output: str) -> None:
    got = cli("open", "--within", "0.000001", "--tz", "UTC", "-o", output, "-q")
    assert got.code == 0
    [since] = re.findall(r"only records since (2026-03-01 12:0\d:\d\d\+00:00)", got.out)[:1]
    assert f"counted since {since}: 1e-06 s are not enough for all records" in got.err
    if output == "json":
        part = report_of(got)
        assert str(part["counted_since"]).startswith(since.replace(" ", "T")[:19])
        assert part["records"] == report_of(cli("open", "--from", str(part["counted_since"]), "-o", "json"))["records"]
        assert report_of(cli("open", "--within", "60", "-o", "json"))["counted_since"] is None


def test_a_cache_is_in_the_directory_that_the_environment_names(tmp_path: Path) -> None:
    assert cache_directory({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "puppylog"
    place = StoreCache(cache_directory({"HOME": str(tmp_path)})).find(["/a.log"], [])
    assert place.path.parent == tmp_path / ".cache" / "puppylog"
