"""A collector with --watch, as a process: its sources, its reaction to SIGHUP, and what it remembers."""

import gzip
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until

pytestmark = pytest.mark.sampled

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{name} HTTP/1.1" 200 5 "-" "-"\n'
W3C = "#Version: 1.0\n#Fields: date time c-ip cs-uri-stem sc-status\n"


@contextmanager
def watching(puppylog: Puppylog, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a collector with --watch, and check that it ends in order."""
    with puppylog.start("collector", "--watch", *arguments) as collector:
        try:
            yield collector
            collector.send_signal(signal.SIGTERM)
            assert collector.wait(60) == 0
        finally:
            collector.kill()


def texts(server: EmbeddedStore, column: str = "request_route") -> list[str]:
    with server.connect() as store:
        sql = f"SELECT {column} AS text FROM puppylog.log_records ORDER BY file_id, line_offset"
        return [str(text) for text in store.query(sql)["text"].to_pylist()]


def has_lines(server: EmbeddedStore, count: int) -> bool:
    return len(texts(server)) == count


def test_a_directory_is_followed_with_its_new_files(puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(LINE.format(name="a"))
    with watching(puppylog, "-s", str(logs)):
        wait_until(lambda: texts(server) == ["/a"], what="the first file")
        (logs / "b.log").write_text(LINE.format(name="b"))
        wait_until(lambda: texts(server) == ["/a", "/b"], what="the new file")


def test_a_named_pipe_is_read_from_several_writers_in_turn(
    puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with watching(puppylog, "-s", str(pipe)):
        for count, name in enumerate(("one", "two"), start=1):
            with pipe.open("w") as writer:
                writer.write(LINE.format(name=name))
            wait_until(partial(has_lines, server, count), what=f"writer {count}")
    assert texts(server) == ["/one", "/two"]


def test_a_compressed_file_is_read_uncompressed(puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path) -> None:
    path = tmp_path / "access.log.7.gz"
    path.write_bytes(gzip.compress("".join(LINE.format(name=number) for number in range(1000)).encode()))
    for _ in range(2):
        assert puppylog("collector", "-s", str(path)).code == 0
        assert texts(server) == [f"/{number}" for number in range(1000)]


def test_a_stack_trace_becomes_one_record_after_a_pause(
    puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    path.write_text("2026-03-01 12:00:00 ERROR boom\n  at a\n")
    trace = "boom\n  at a\n  at b"
    with watching(puppylog, "-s", str(path), "--multiline", "indent", "--multiline-timeout", "0.5"):
        with path.open("a") as log:
            log.write("  at b\n")
        wait_until(lambda: texts(server, "message") == [trace], what="the record")
        with path.open("a") as log:
            log.write("2026-03-01 12:00:01 INFO next\n2026-03-01 12:00:02 INFO last\n")
        wait_until(lambda: len(texts(server, "message")) == 3, what="the others")
    assert texts(server, "message") == [trace, "next", "last"]


def test_a_restarted_collector_remembers_the_context_of_earlier_lines(
    puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path
) -> None:
    path = tmp_path / "u_ex.log"
    path.write_text(W3C + "2026-03-01 12:00:00 10.0.0.1 /a 200\n")
    assert puppylog("collector", "-s", str(path)).code == 0
    with path.open("a") as log:
        log.write("2026-03-01 12:00:01 10.0.0.1 /b 200\n")
    assert puppylog("collector", "-s", str(path)).code == 0
    assert texts(server) == ["/a", "/b"]


def test_a_file_that_changes_its_format_is_read_in_the_new_format(
    puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    path.write_text(LINE.format(name="a") * 10)
    assert puppylog("collector", "-s", str(path)).code == 0
    with path.open("a") as log:
        log.write('{"time": "2026-03-01T12:00:00Z", "msg": "hello"}\n' * 10)
    ran = puppylog("collector", "-s", str(path))
    assert f"reading {path} as json" in ran.err
    assert texts(server, "coalesce(message, request_route)") == ["/a"] * 10 + ["hello"] * 10


def test_a_hangup_makes_the_collector_read_the_servers_configuration_again(
    puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path
) -> None:
    configuration, path = tmp_path / "nginx.conf", tmp_path / "access.log"
    configuration.write_text("log_format main '$remote_addr|$request_uri';\n")
    path.write_text("10.0.0.1|/a\n")
    arguments = ("-s", str(path), "--format-from", str(configuration), "-f", "main")
    with watching(puppylog, *arguments) as collector:
        wait_until(lambda: texts(server) == ["/a"], what="the first line")
        configuration.write_text("log_format main '$request_uri|$remote_addr';\n")
        collector.send_signal(signal.SIGHUP)
        assert collector.stderr is not None
        assert any(b"restarting after SIGHUP" in line for line in iter(collector.stderr.readline, b""))
        with path.open("a") as log:
            log.write("/b|10.0.0.1\n")
        wait_until(lambda: len(texts(server)) == 2, what="the second line")
        configuration.write_text("nothing\n")
        collector.send_signal(signal.SIGHUP)
        said = iter(collector.stderr.readline, b"")
        assert any(b"what was read before stays in effect" in line for line in said)
        with path.open("a") as log:
            log.write("/c|10.0.0.1\n")
        wait_until(lambda: len(texts(server)) == 3, what="the third line")
    assert texts(server)[1:] == ["/b", "/c"]
