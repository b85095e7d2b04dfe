import json
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore
from support.inprocess import InProcess

GOOD = '192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{} HTTP/1.1" 200 17 "-" "curl/8"\n'
BAD = '192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET /\x1b[2J HTTP/1.1" 2x0 17 "-" "curl/8"\n'


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("".join(GOOD.format(number) for number in range(3)) + "\n" + BAD)
    return path


def test_format_coverage_and_the_first_mismatch_are_shown(cli: InProcess, log: Path) -> None:
    ran = cli("collector", "detect", str(log))
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"{log}: access, 3 of 4 lines fit (75 %)"
    assert "request_route   /0" in lines
    at = lines.index("the first mismatch, line 5: status is not three digits")
    assert lines[at + 1].endswith('\\x1b[2J HTTP/1.1" 2x0 17 "-" "curl/8"')
    assert lines[at + 1][lines[at + 2].index("^") :].startswith("2x0 17")


def test_detect_accepts_a_format(cli: InProcess, log: Path) -> None:
    ran = cli("collector", "detect", str(log), "-f", "common", "-o", "json")
    (row,) = json.loads(ran.out)
    assert (row["format"], row["coverage"], row["records"], row["rejected"]) == ("common", 0.75, 3, 1)
    assert (row["line"], row["reason"]) == (5, "status is not three digits")
    assert (row["times"], row["severities"], row["joined"]) == (3, 0, 0)
    assert json.loads(row["record"])["request_route"] == "/0"


def test_detect_exits_with_1_if_no_line_fits(cli: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("nothing\n")
    assert cli("collector", "detect", str(path), "-f", "combined").code == 1


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_detect_reads_standard_input(server: EmbeddedStore, log: Path, name: str) -> None:
    puppylog = Puppylog(server.url, log.parent)
    ran = puppylog("collector", "detect", name, stdin=log.read_text())
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"{name}: access, 3 of 4 lines fit (75 %)")
    refused = puppylog("collector", "detect", name, stdin="")
    assert (refused.code, refused.err) == (2, f"puppylog: cannot tell the format of {name}: it is empty\n")


@pytest.mark.parametrize(("content", "cause"), [(None, "no such file"), (b"", "it is empty")])
def test_a_file_that_cannot_be_read_is_an_error(
    cli: InProcess, tmp_path: Path, content: bytes | None, cause: str
) -> None:
    path = tmp_path / "x.log"
    if content is not None:
        path.write_bytes(content)
    ran = cli("collector", "detect", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert cause in ran.err


def test_the_formats_are_listed_each_with_a_line(cli: InProcess) -> None:
    rows = [json.loads(line) for line in cli("formats", "-o", "jsonl").out.splitlines()]
    assert rows[0]["format"] == "auto"
    lines = {row["format"]: row["a line"] for row in rows}
    assert '"GET ' in lines["combined"]


def test_detect_says_what_was_found(cli: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text("Nov 24 10:00:00 web1 app: no\n  at x\n<13>app: without a time\n")
    lines = cli("collector", "detect", str(path), "-f", "syslog").out.splitlines()
    assert lines[1] == "time found in 1 of 2 records; severity in 1; 1 line joined to the record before"


def test_lines_that_end_with_cr_only_are_told_apart(cli: InProcess, tmp_path: Path) -> None:
    path = tmp_path / "mac.log"
    path.write_bytes(b"".join(GOOD.format(number).encode().replace(b"\n", b"\r") for number in range(100)))
    ran = cli("collector", "detect", str(path), "-o", "json")
    (row, *_) = json.loads(ran.out)
    assert (row["format"], row["records"], row["rejected"]) == ("access", 100, 0)
