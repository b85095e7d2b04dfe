import gzip
import os
import sqlite3
from pathlib import Path

import pytest

from puppylog.errors import SourceError
from puppylog.tail.source import STDIN, expand_sources, find_binary

LINE = b'203.0.113.9 - - [23/Nov/2026:18:00:01 +0000] "GET /shop/cart HTTP/1.1" 200 512\n'
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)).replace(b"\n", b"") + b"\x00" * 40
HELLO_LINE = b'203.0.113.9 - - [23/Nov/2026:18:00:02 +0000] "' + TLS_HELLO + b'" 400 226\n'


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for name in ("b.log", "a.log", "a.log.1", "c.txt"):
        (tmp_path / name).write_bytes(LINE)
    (tmp_path / "dir.log").mkdir()
    return tmp_path


def names(paths: list[str]) -> list[str]:
    return [Path(path).name for path in paths]


def refusal(*patterns: str | Path, watch: bool = False) -> str:
    with pytest.raises(SourceError) as caught:
        expand_sources([str(pattern) for pattern in patterns], watch=watch)
    return caught.value.message


def test_paths_are_absolute_and_stay_in_their_order_each_once(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(logs)
    assert expand_sources(["b.log", "a.log", "./b.log", STDIN]) == [str(logs / "b.log"), str(logs / "a.log"), STDIN]


def test_a_pattern_gives_its_files_by_name_and_no_directories(logs: Path) -> None:
    assert names(expand_sources([str(logs / "*.log")])) == ["a.log", "b.log"]
    assert names(expand_sources([str(logs / "**/?.log*")])) == ["a.log", "a.log.1", "b.log"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(logs: Path) -> None:
    (logs / "[ab].log").write_bytes(LINE)
    assert names(expand_sources([str(logs / "[ab].log")])) == ["[ab].log"]


def test_while_watching_a_rotated_file_is_left_to_the_one_that_it_was_rotated_from(logs: Path) -> None:
    assert names(expand_sources([str(logs / "a.log*")], watch=True)) == ["a.log"]
    (logs / "a.log").unlink()
    assert names(expand_sources([str(logs / "a.log*")], watch=True)) == ["a.log.1"]


def test_a_missing_file_is_refused_unless_it_is_watched_for(logs: Path) -> None:
    assert refusal(logs / "none.log") == f"cannot read {logs}/none.log: no such file or directory"
    assert names(expand_sources([str(logs / "none.log")], watch=True)) == ["none.log"]


def test_a_pattern_without_a_match_is_refused_unless_it_is_watched_for(logs: Path) -> None:
    assert refusal(logs / "*.none") == f"cannot read {logs}/*.none: no file matches"
    assert expand_sources([str(logs / "*.none")], watch=True) == []


@pytest.mark.parametrize("watch", [True, False])
def test_a_directory_is_refused(logs: Path, watch: bool) -> None:
    assert refusal(logs / "dir.log", watch=watch) == f"cannot read {logs}/dir.log: it is a directory"


def test_a_pipe_is_refused_without_waiting_for_its_writer(logs: Path) -> None:
    os.mkfifo(logs / "fifo")
    assert refusal(logs / "fifo") == f"cannot read {logs}/fifo: it is not a regular file"


def test_a_file_that_we_may_not_read_is_refused(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith("b.log"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)  # the mode of the file would say nothing to a superuser
    assert refusal(logs / "b.log", watch=True) == f"cannot read {logs}/b.log: permission denied"
    assert refusal(logs / "*.log") == f"cannot read {logs}/b.log: permission denied"
    assert names(expand_sources([str(logs / "*.log")], watch=True)) == ["a.log"]


def test_a_followed_file_is_not_judged_again(logs: Path) -> None:
    path = str(logs / "a.log")
    Path(path).write_bytes(b"\x1f\x8b turned into something else")
    assert expand_sources([path, str(logs / "*.log")], watch=True, followed=[path]) == [path, str(logs / "b.log")]
    refusal(path, watch=True)


def test_compressed_files_and_databases_are_refused_by_their_kind(logs: Path) -> None:
    (logs / "a.log.2.gz").write_bytes(gzip.compress(LINE))
    with sqlite3.connect(logs / "a.db") as database:
        database.execute("create table lines (line text)")
    database.close()
    assert refusal(logs / "a.log.2.gz") == f"cannot read {logs}/a.log.2.gz: it is compressed (gzip)"
    assert refusal(logs / "a.db") == f"cannot read {logs}/a.db: it is an SQLite database"
    assert refusal(logs / "a.log.2*").endswith("it is compressed (gzip)")
    assert names(expand_sources([str(logs / "a.*")], watch=True)) == ["a.log"]


@pytest.mark.parametrize(
    "sample",
    [
        b"",
        b"\n\n\n",
        LINE,
        LINE[:30],
        LINE + HELLO_LINE + LINE,
        HELLO_LINE,
        b"\0" * 5000 + LINE,
        b"\0" * 8192,
        b"\xff garbage without NULs\n",
        "Zeile mit Umläuten: äöü\n".encode(),
        b'{"ts":1,"msg":"a\0b"}\n' * 3,
    ],
)
def test_a_log_is_no_binary_file_whatever_came_over_the_wire(sample: bytes) -> None:
    assert find_binary(sample) is None


@pytest.mark.parametrize(
    "sample",
    [
        b"\x7fELF\x02\x01\x01" + b"\0" * 100,
        LINE.decode().encode("utf-16-le") * 3,
        LINE.decode().encode("utf-16") * 3,
        bytes(range(256)) * 32,
        b"\x00\x01\x00\x00" * 2000,
        b"BZh91AY&SY\x00\x11",
    ],
)
def test_other_files_are_binary(sample: bytes) -> None:
    assert find_binary(sample) is not None


def test_a_program_that_is_really_there_is_refused() -> None:
    assert refusal("/bin/sh") == "cannot read /bin/sh: it is a program"
