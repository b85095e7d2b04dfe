"""Syslog through a server to a store: all protocols, zones and groups, and what a receiver's table asks for."""

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from puppylog.config.listen import SyslogConfig
from puppylog.errors import ListenFailed
from puppylog.model.address import Address
from puppylog.serve.server import Server
from support.certificate import write_certificate
from support.served import LOOPBACK, Served

ANY = Address("127.0.0.1", 0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> Iterator[Served]:
    receivers = (
        SyslogConfig(name="switches", address=ANY, group="network", tz="Europe/Berlin"),
        SyslogConfig(name="servers", address=ANY, protocol="tcp"),
        SyslogConfig(name="encrypted", address=ANY, protocol="tls", certificate=certificate),
        SyslogConfig(name="json", address=ANY, protocol="tcp", format="json", time="receipt"),
    )
    listen = replace(LOOPBACK, syslog=receivers)
    with Served(tmp_path_factory.mktemp("served"), listen=listen) as served:
        yield served


def address(served: Served, name: str) -> tuple[str, int]:
    listening = served.server.syslog.addresses[name]
    return listening.host, listening.port


def wait_for(found: Callable[[], list[dict[str, Any]]], reported: list[str]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 20
    while not (rows := found()):
        assert time.monotonic() < deadline, reported
        time.sleep(0.02)
    return rows


def find(served: Served, name: str, message: str) -> dict[str, Any]:
    rows = wait_for(
        lambda: served.query(
            f"""select r.*, g.name as group_name from log_records r
            join log_streams s on s.id = r.stream_id left join log_groups g on g.id = s.group_id
            where s.source_uri = 'syslog:///{name}' and r.message = '{message}'"""
        ),
        served.reported,
    )
    assert len(rows) == 1
    return {**rows[0], "attributes": json.loads(rows[0]["attributes"])}


def test_a_datagram_becomes_a_record_of_the_receivers_group_and_zone(served: Served) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<189>7: Nov 24 2026 10:00:00 CET: %SYS-5-CONFIG_I: changed", address(served, "switches"))
    record = find(served, "switches", "changed")
    assert (record["group_name"], record["severity"], record["host"]) == ("network", "notice", "127.0.0.1")
    assert record["ts"].isoformat() == "2026-11-24T09:00:00+00:00"
    assert record["attributes"] == {"facility": "local7", "app": "%SYS-5-CONFIG_I", "peer": "127.0.0.1"}


def test_a_connection_gives_records_with_and_without_tls(served: Served, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    for name in ("servers", "encrypted"):
        sender = socket.create_connection(address(served, name), timeout=20)
        if name == "encrypted":
            sender = context.wrap_socket(sender, server_hostname="127.0.0.1")
        with sender:
            sender.sendall(b"44 <34>1 2026-11-24T10:00:00Z web1 su - - - one\n<34>Nov 24 10:00:00 web1 su: two\n")
        assert find(served, name, "one")["host"] == find(served, name, "two")["host"] == "web1"


def test_a_receiver_may_have_another_format_and_the_time_of_receipt(served: Served) -> None:
    before = time.time()
    with socket.create_connection(address(served, "json"), timeout=20) as sender:
        sender.sendall(b'{"time": "2020-01-01T00:00:00Z", "level": "warn", "msg": "old", "n": 1}\nno json\n')
    record = find(served, "json", "old")
    assert record["ts"].timestamp() >= before - 1
    assert (record["severity"], record["attributes"]["n"]) == ("warning", 1)
    assert record["attributes"]["sent_at"] == "2020-01-01T00:00:00.000000Z"
    assert "unparsed" in find(served, "json", "no json")["attributes"]


def test_each_record_has_its_place_in_its_stream_once(served: Served) -> None:
    with socket.create_connection(address(served, "servers"), timeout=20) as sender:
        for number in range(3):
            sender.sendall(f"<13>in its place {number}\n".encode())
            find(served, "servers", f"in its place {number}")
    twice = "select file_id, line_offset from log_records group by all having count(*) > 1"
    assert served.query(twice) == []


def test_a_receiver_that_other_machines_reach_is_named_in_a_warning(served: Served) -> None:
    everywhere = Address("0.0.0.0", 0)  # noqa: S104 - closed at once
    receivers = (SyslogConfig(name="a", address=everywhere), SyslogConfig(name="b", address=ANY))
    server = Server(replace(LOOPBACK, syslog=receivers), served.settings, report=served.reported.append)
    try:
        assert server.list_warnings() == [
            f"everyone who reaches udp://{server.syslog.addresses['a']} may write to the store: syslog has no tokens"
        ]
    finally:
        server.close()


def test_an_address_that_is_taken_is_an_error_and_releases_the_others(served: Served) -> None:
    taken = served.server.syslog.addresses["switches"]
    free = served.server.address
    receivers = (SyslogConfig(name="a", address=ANY, protocol="tcp"), SyslogConfig(name="b", address=taken))
    with pytest.raises(ListenFailed, match="another process listens there"):
        Server(replace(LOOPBACK, syslog=receivers), served.settings, report=served.reported.append)
    with pytest.raises(ListenFailed, match="another process listens there"):
        Server(replace(LOOPBACK, address=free, syslog=receivers[:1]), served.settings, report=served.reported.append)


@pytest.mark.parametrize("options", [["-d"], ["-T"], ["-T", "--octet-count"]])
@pytest.mark.parametrize("protocol", ["--rfc3164", "--rfc5424"])
def test_logger_of_util_linux_is_understood(served: Served, options: list[str], protocol: str) -> None:
    logger = shutil.which("logger")
    if logger is None:
        pytest.skip("NOT TESTED: logger, which is not installed")
    name = "switches" if "-d" in options else "servers"
    host, port = address(served, name)
    message = f"by logger {' '.join(options)} {protocol}"
    command = [logger, "-n", host, "-P", str(port), *options, protocol, "-t", "trial", "-p", "local3.warning", message]
    subprocess.run(command, check=True, timeout=20)
    record = find(served, name, message)
    assert record["severity"] == "warning"
    assert (record["attributes"]["facility"], record["attributes"]["app"]) == ("local3", "trial")
