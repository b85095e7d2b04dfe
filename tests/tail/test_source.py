import errno
import gzip
import os
from pathlib import Path

import pytest

from puppylog.errors import SourceError
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile
from puppylog.tail.source import STDIN, expand_sources, find_binary, is_pipe

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


def test_while_watching_a_rotated_file_of_another_match_is_skipped(logs: Path) -> None:
    assert names(expand_sources([str(logs / "a.log*")], watch=True)) == ["a.log"]
    (logs / "a.log").unlink()
    assert names(expand_sources([str(logs / "a.log*")], watch=True)) == ["a.log.1"]


def test_a_missing_file_is_refused_unless_the_run_watches(logs: Path) -> None:
    assert refusal(logs / "none.log") == f"cannot read {logs}/none.log: no such file or directory"
    assert names(expand_sources([str(logs / "none.log")], watch=True)) == ["none.log"]


def test_a_pattern_without_a_match_is_refused_unless_the_run_watches(logs: Path) -> None:
    assert refusal(logs / "*.none") == f"cannot read {logs}/*.none: no file matches"
    assert expand_sources([str(logs / "*.none")], watch=True) == []


@pytest.mark.parametrize("watch", [True, False])
def test_a_directory_stands_for_the_files_in_it(logs: Path, watch: bool) -> None:
    (logs / ".hidden.log").write_bytes(LINE)
    (logs / "dir.log" / "deep.log").write_bytes(LINE)
    os.mkfifo(logs / "fifo")
    rotated = [] if watch else ["a.log.1"]
    assert names(expand_sources([str(logs)], watch=watch)) == ["a.log", *rotated, "b.log", "c.txt"]


def test_an_empty_directory_is_refused_unless_the_run_watches(logs: Path) -> None:
    assert refusal(logs / "dir.log") == f"cannot read {logs}/dir.log: no file matches"
    assert expand_sources([str(logs / "dir.log")], watch=True) == []


def test_a_file_in_a_directory_that_is_not_a_log_is_skipped_and_reported(logs: Path) -> None:
    (logs / "a.db").write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    said: list[str] = []
    assert names(expand_sources([str(logs)], watch=True, on_skipped=said.append)) == ["a.log", "b.log", "c.txt"]
    assert said == [f"{logs}/a.db is left out: it is an SQLite database"]


@pytest.mark.parametrize("pattern", ["", "*"])
def test_a_file_that_may_not_be_read_is_refused_in_a_directory_as_in_a_pattern(
    logs: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    def forbid(path: str) -> OpenFile:
        if path.endswith("b.log"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return open_log(path)

    monkeypatch.setattr("puppylog.tail.source.open_log", forbid)
    said: list[tuple[str, str]] = []
    found = expand_sources([str(logs / pattern)], on_refused=lambda path, cause: said.append((path, cause)))
    assert names(found) == ["a.log", "a.log.1", "c.txt"]
    assert said == [(f"{logs}/b.log", f"cannot read {logs}/b.log: permission denied")]


def test_a_pattern_that_matches_no_log_is_refused(logs: Path) -> None:
    (logs / "a.db").write_bytes(b"SQLite format 3\0" + b"\0" * 100)
    assert refusal(logs / "*.db") == f"cannot read {logs}/a.db: it is an SQLite database"


def test_a_named_pipe_is_accepted_by_its_path_without_waiting_for_a_writer(logs: Path) -> None:
    os.mkfifo(logs / "fifo")
    assert names(expand_sources([str(logs / "fifo")])) == ["fifo"]
    assert is_pipe(str(logs / "fifo"))
    assert not is_pipe(str(logs / "a.log"))
    assert not is_pipe(str(logs / "none"))
    assert refusal(logs / "fif*").endswith("no file matches")


def test_two_paths_of_one_file_are_followed_as_one(logs: Path) -> None:
    (logs / "0.log").symlink_to(logs / "a.log")
    said: list[str] = []
    assert names(expand_sources([str(logs / "0.log"), str(logs / "*.log")], on_skipped=said.append)) == [
        "a.log",
        "b.log",
    ]
    assert said == [f"{logs}/0.log is left out: it is the same file as {logs}/a.log"]
    followed = [str(logs / "0.log")]
    assert names(expand_sources([str(logs / "?.log")], followed=followed, watch=True)) == ["0.log", "b.log"]


def test_a_limit_on_open_files_says_nothing_about_a_file(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: object) -> int:
        raise OSError(24, "Too many open files", path)

    monkeypatch.setattr(os, "open", refuse)
    assert names(expand_sources([str(logs / "a.log")], watch=True)) == ["a.log"]


def test_a_file_without_read_permission_is_refused(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if path.endswith("b.log"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)  # the mode of the file would say nothing to a superuser
    cause = f"cannot read {logs}/b.log: permission denied"
    assert refusal(logs / "b.log") == cause
    said: list[tuple[str, str]] = []
    assert names(expand_sources([str(logs / "*.log")], on_refused=lambda *told: said.append(told))) == ["a.log"]
    sources = [str(logs / "b.log"), str(logs / "a.log")]
    assert names(expand_sources(sources, on_refused=lambda *told: said.append(told))) == ["a.log"]
    assert said == [(str(logs / "b.log"), cause)] * 2
    assert names(expand_sources([str(logs / "b.log")], watch=True)) == ["b.log"], "it is tried again"
    assert names(expand_sources([str(logs / "*.log")], watch=True)) == ["a.log", "b.log"]


def test_a_followed_file_is_not_checked_again(logs: Path) -> None:
    path = str(logs / "a.log")
    Path(path).write_bytes(b"\x1f\x8b turned into something else")
    assert expand_sources([path, str(logs / "*.log")], watch=True, followed=[path]) == [path, str(logs / "b.log")]
    refusal(path)


def test_compressed_files_are_checked_by_their_decompressed_bytes(logs: Path) -> None:
    (logs / "a.log.2.gz").write_bytes(gzip.compress(LINE))
    (logs / "b.tgz").write_bytes(gzip.compress(b"a.log".ljust(257, b"\0") + b"ustar\0"))
    assert names(expand_sources([str(logs / "a.log.2.gz")])) == ["a.log.2.gz"]
    assert names(expand_sources([str(logs / "a.log*")])) == ["a.log", "a.log.1", "a.log.2.gz"]
    assert names(expand_sources([str(logs / "a.log*")], watch=True)) == ["a.log"]
    assert refusal(logs / "b.tgz") == f"cannot read {logs}/b.tgz: it is a tar archive"


@pytest.mark.parametrize(
    ("beginning", "what"),
    [
        (b"\x04\x22\x4d\x18", "it is compressed (lz4)"),
        (b"\x1f\x9d\x90", "it is compressed (compress)"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"SQLite format 3\0", "it is an SQLite database"),
    ],
)
def test_a_refusal_names_the_kind_of_the_file(logs: Path, beginning: bytes, what: str) -> None:
    (logs / "x").write_bytes(beginning + b"\0" * 100)
    assert refusal(logs / "x") == f"cannot read {logs}/x: {what}"


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
def test_a_log_with_binary_data_in_its_lines_is_accepted(sample: bytes) -> None:
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


def test_a_real_program_is_refused() -> None:
    assert refusal("/bin/sh") == "cannot read /bin/sh: it is a program"
