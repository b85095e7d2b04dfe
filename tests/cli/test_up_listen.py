import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("own") / "store") as own:
        yield own


@pytest.fixture
def puppylog(own: EmbeddedStore, tmp_path: Path) -> Puppylog:
    return Puppylog(own.url, tmp_path)


@contextmanager
def listening(puppylog: Puppylog, *arguments: str) -> Iterator[int]:
    """Run ``puppylog up`` with arguments; give the port where it listens."""
    process = puppylog.start("up", *arguments)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(rb"listening on http://127\.0\.0\.1:(\d+)$", line):
                yield int(found[1])
                break
        else:
            pytest.fail("it does not listen")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_up_listens_where_the_command_line_says(puppylog: Puppylog) -> None:
    with listening(puppylog, "--listen", "127.0.0.1:0") as port:
        assert get(port, "/ready") == (200, "ready\n")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_up_listens_where_the_file_says(puppylog: Puppylog, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[listen]\naddress = "127.0.0.1:0"\n')
    with listening(puppylog, "-c", str(tmp_path / "config.toml")) as port:
        assert get(port, "/ready") == (200, "ready\n")


def test_up_receives_syslog_where_the_command_line_says(puppylog: Puppylog, own: EmbeddedStore) -> None:
    process = puppylog.start("up", "--listen", "127.0.0.1:0", "--listen-syslog", "udp://127.0.0.1:0")
    try:
        assert process.stderr is not None
        found = next(
            filter(None, (re.search(rb"udp://127\.0\.0\.1:(\d+) for syslog", line) for line in process.stderr))
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>by the command line", ("127.0.0.1", int(found[1])))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    with own.connect() as store:
        found_rows = store.query("select message from log_records where message = 'by the command line'").to_pylist()
    assert len(found_rows) == 1  # what has arrived is stored before the end


def test_an_address_that_is_in_use_ends_the_command_with_an_error(puppylog: Puppylog) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        refused = puppylog("up", "--listen", address)
    assert refused.code == 69
    assert refused.err == (
        f"puppylog: cannot listen on {address}: another process listens there; choose another address\n"
    )


def test_a_wrong_address_is_refused(puppylog: Puppylog) -> None:
    refused = puppylog("up", "--listen", "7380")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "write HOST:PORT" in refused.err


def test_a_process_that_does_not_listen_loads_no_server(puppylog: Puppylog) -> None:
    code = "import sys, puppylog.cli.up_run; print([name for name in sys.modules if name in ('uvicorn', 'starlette')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=puppylog.environment, check=True
    )
    assert done.stdout == "[]\n"
