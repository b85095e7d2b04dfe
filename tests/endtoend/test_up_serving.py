"""``puppylog up`` with a server: what the service manager is told, SIGHUP, and the end."""

import re
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from support.certificate import write_certificate
from support.embedded import EmbeddedStore, wait_until
from support.free_port import find_free_port
from support.permanent import Permanent

pytestmark = pytest.mark.sampled

PLAIN = '[[source]]\npaths = ["plain.log"]\nformat = "plain"\n'
LISTEN = '[listen]\naddress = "127.0.0.1:{}"\n'


@pytest.fixture
def permanent(tmp_path: Path) -> Iterator[Permanent]:
    with EmbeddedStore(tmp_path / "own") as own, Permanent(own, tmp_path) as permanent:
        yield permanent


def get(port: int, path: str, tls: ssl.SSLContext | None = None) -> int:
    """Return the status of the answer."""
    connection = (
        HTTPConnection("127.0.0.1", port, timeout=60)
        if tls is None
        else HTTPSConnection("127.0.0.1", port, timeout=60, context=tls)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_service_manager_is_told_where_the_server_listens(permanent: Permanent) -> None:
    port = find_free_port()
    permanent.file.write_text(PLAIN + LISTEN.format(port))
    permanent.start()
    told = permanent.reload(PLAIN + LISTEN.format(port) + "open = true\n")
    assert f"STATUS=1 source, store {permanent.own.url}, http://127.0.0.1:{port}" in told
    assert "the table [listen] has changed in the configuration: it is used after a restart" in permanent.read_talk()
    assert get(port, "/ready") == 200
    with socket.create_connection(("127.0.0.1", port), timeout=60) as idle:
        assert permanent.end() == 0  # a client that is connected does not hold the process
        assert idle.recv(1) == b""


def test_a_log_is_collected_while_the_server_listens_and_after_both_were_killed(permanent: Permanent) -> None:
    port = find_free_port()
    permanent.file.write_text(PLAIN + LISTEN.format(port))
    permanent.start()
    for _ in range(2):
        permanent.write("plain.log", 100)
        wait_until(lambda: get(port, "/ready") == 200, what="the store's answer")
        permanent.wait_for_lines()
        permanent.end(signal.SIGKILL)
        permanent.own.kill_engine()
        permanent.start()  # on the same port, at once
    assert permanent.end() == 0


def test_sighup_reads_the_certificate_again(permanent: Permanent, tmp_path: Path) -> None:
    port = find_free_port()
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    first, second = map(write_certificate, folders)
    used = tmp_path / "used.pem"
    shutil.copy(first, used)
    text = LISTEN.format(port) + 'certificate = "used.pem"\n'
    permanent.file.write_text(text)
    permanent.start()
    assert get(port, "/", ssl.create_default_context(cafile=first)) == 200
    shutil.copy(second, used)
    permanent.reload(text)
    trusting = ssl.create_default_context(cafile=second)
    assert get(port, "/", trusting) == 200
    used.write_text("nothing")
    permanent.reload(text)
    said = f"cannot use the certificate {used}: the file has no certificate in PEM format"
    assert f"{said}; the certificate that was read before stays in use" in permanent.read_talk()
    assert get(port, "/", trusting) == 200
    assert re.search(rf"listening on https://127\.0\.0\.1:{port}\n", permanent.read_talk())
    assert permanent.end() == 0
    permanent.file.write_text(text)
    assert permanent.try_start() == 78
    assert permanent.read_talk().endswith(f"{said}\n")
