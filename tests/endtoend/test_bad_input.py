"""Bad input gets one line that names the thing, the cause and the place, and its exit code. Never a traceback."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore
from support.inprocess import InProcessPuppylog
from support.lines import open_stream
from support.refusals import assert_refused

LINE = b'10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A store in which almost all of these tests store nothing."""
    with EmbeddedStore(tmp_path_factory.mktemp("server") / "store") as server:
        yield server


@pytest.fixture
def puppylog(server: EmbeddedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> InProcessPuppylog:
    return InProcessPuppylog(Puppylog(server.url, tmp_path), capsys)


def test_a_missing_file(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    assert_refused(
        puppylog("collector", "-s", str(tmp_path / "nope.log")), 2, "cannot read", "nope.log", "no such file"
    )


def test_a_directory_without_a_file(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    directory = tmp_path / "logs"
    (directory / "deeper").mkdir(parents=True)
    assert_refused(puppylog("collector", "-s", str(directory)), 2, "cannot read", str(directory), "no file matches")


@pytest.mark.skipif(os.geteuid() == 0, reason="NOT TESTED: a file without permission; root may read everything")
def test_a_file_without_permission(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    path = tmp_path / "secret.log"
    path.write_bytes(LINE)
    path.chmod(0)
    assert_refused(puppylog("collector", "-s", str(path)), 2, "cannot read", "secret.log", "permission denied")


def test_a_binary_file(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(b"\x7fELF\x00" + bytes(range(256)) * 8)
    assert_refused(puppylog("collector", "-s", str(path)), 2, "cannot read", "access.log", "it is a program")


def test_a_compressed_file_that_breaks_off(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    whole = tmp_path / "whole.log"
    whole.write_bytes(LINE * 3)
    broken = tmp_path / "access.log.gz"
    broken.write_bytes(gzip.compress(LINE * 2) + gzip.compress(LINE * 1000)[:-40])
    ran = puppylog("collector", "-s", str(broken), "-s", str(whole), "-q")
    assert (ran.code, ran.out) == (2, "")
    assert "access.log.gz" in ran.err
    assert "bytes" in ran.err
    count = "select count(*) >= 5 and count(*) = count(distinct (file_id, line_offset)) as all_once from log_records"
    assert json.loads(puppylog("sql", count, "-o", "jsonl").out) == {"all_once": True}


def test_an_unknown_format(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(LINE)
    assert_refused(puppylog("collector", "-s", str(path), "-f", "nope"), 2, "nope", "puppylog formats")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-i", "Not a name", "-s", "count", "-p", "*", "--period", "10"], ["Not a name"]),
        (["-i", "a", "-s", "count", "-p", "*", "--period", "0"], ["period", "0"]),
        (["-i", "a", "-s", "avg", "-p", "no_such", "--period", "10"], ["no_such", "no column"]),
        (["-i", "a", "-s", "median", "-p", "*", "--period", "10"], ["median"]),
        (["-i", "a", "-s", "count", "-p", "*", "--period", "10", "--segment", "(SELECT 1)"], ["subquery", "column 1"]),
        (["-i", "a", "-s", "count", "-p", "*", "--period", "10", "--segment", "host; DROP TABLE x"], [";", "column 5"]),
        (["-i", "a", "-s", "count", "-p", "*", "--period", "10", "--filter", "statuscode = 1"], ["status_code"]),
    ],
)
def test_a_metric_that_cannot_be_computed(puppylog: InProcessPuppylog, arguments: list[str], words: list[str]) -> None:
    assert_refused(puppylog("monitor", "metrics", "create", *arguments), 2, *words)


@pytest.mark.parametrize("command", [["metrics", "get"], ["metrics", "meta"], ["alerts", "get"], ["alerts", "meta"]])
def test_an_unknown_name(puppylog: InProcessPuppylog, command: list[str]) -> None:
    assert_refused(puppylog("monitor", *command, "nope"), 2, "nope", "cannot find")


def test_a_directory_that_is_no_store(puppylog: InProcessPuppylog, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.tex").write_text("precious")
    ran = puppylog("monitor", "metrics", "list", "--store", f"duckdb://{tmp_path}/theirs")
    assert_refused(ran, 78, "theirs", "other files")


def test_a_url_that_names_no_store(puppylog: InProcessPuppylog) -> None:
    assert_refused(
        puppylog("monitor", "metrics", "list", "--store", "mysql://x"),
        78,
        "cannot open store mysql://…",
        "postgresql://user@host/database",
    )


@pytest.mark.parametrize("sql", ["DROP TABLE log_records", "SELECT 1; SELECT 2", "SELECT nope FROM log_records", "x"])
def test_sql_that_does_not_read(puppylog: InProcessPuppylog, sql: str) -> None:
    assert_refused(puppylog("sql", sql), 2, "cannot run this SQL")


def test_a_second_collector_on_a_file(puppylog: InProcessPuppylog, server: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(LINE)
    with server.connect() as store:
        open_stream(store, f"file://{path}")
        assert_refused(puppylog("collector", "-s", str(path)), 69, "access.log", "follows it already")
