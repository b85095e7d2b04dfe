"""The requests of senders that the tests do not install: they are written as the senders' sources write them.

Each case is what a sender does from its start to its first batch. Every answer has the status for which the sender goes
on, and what its code looks for; the batch is then in the store. The page docs/receivers.md lists these senders.
"""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from puppylog.config.listen import SyslogConfig
from puppylog.model.address import Address
from serve.sender_requests import FLUENT_BIT, Case
from serve.senders_of_elasticsearch import ELASTICSEARCH
from serve.senders_of_lines import LINES
from serve.senders_of_loki import LOKI
from support.served import LOOPBACK, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    anywhere = Address("127.0.0.1", 0)
    receivers = (
        SyslogConfig(name="tcp", address=anywhere, protocol="tcp"),
        SyslogConfig(name="udp", address=anywhere),
    )
    with Served(tmp_path_factory.mktemp("others"), listen=replace(LOOPBACK, syslog=receivers)) as served:
        yield served


def records(served: Served, stream: str) -> list[dict[str, Any]]:
    rows = served.query(
        "SELECT records.* FROM puppylog.log_records AS records"
        " JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id"
        f" WHERE source_uri = '{stream}' ORDER BY line_offset"
    )
    return [
        {**row, "ts": row["ts"].isoformat(), "attributes": json.loads(row["attributes"] or "{}"), "source": stream}
        for row in rows
    ]


@pytest.mark.sampled
@pytest.mark.parametrize("case", [*LOKI, *ELASTICSEARCH, *LINES], ids=lambda case: case.sender)
def test_a_sender_is_answered_so_that_it_goes_on_and_its_batch_is_stored(served: Served, case: Case) -> None:
    for sent in case.sent:
        answer = served.send(sent.method, sent.path, sent.body, sent.headers)
        assert answer.status == sent.status, (sent.path, answer.text)
        assert [part for part in sent.has if part not in answer.text] == []
        assert [part for part in sent.lacks if part in answer.text] == []
        if sent.path == "/" or sent.path.startswith("/_"):
            assert answer.headers["x-elastic-product"] == "Elasticsearch"
    stored = records(served, case.stream)
    assert [{key: row[key] for key in expected} for row, expected in zip(stored, case.records, strict=True)] == list(
        case.records
    )


SYSLOG: Final = {
    "Docker, driver syslog": ("<30>Sep 21 14:13:20 web1[712]: hello", "web1"),
    "Docker, driver syslog with the format rfc3164": ("<30>Sep 21 14:13:20 host1 web2[712]: hello", "web2"),
    "Docker, driver syslog with the format rfc5424micro": (
        "<30>1 2026-09-21T14:13:20.123456Z host1 web3 712 web3 - hello",
        "web3",
    ),
    "Fluent Bit, output syslog with the format rfc5424": (
        "<14>1 2026-09-21T14:13:20.123456Z host1 web4 42 - - hello",
        "web4",
    ),
    "Fluent Bit, output syslog with the format rfc3164": ("<14>Sep 21 14:13:20 host1 web5: hello", "web5"),
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["tcp", "udp"])
@pytest.mark.parametrize("sender", SYSLOG)
def test_a_sender_of_syslog_is_read(served: Served, sender: str, name: str) -> None:
    message, app = SYSLOG[sender]
    address = served.server.syslog.addresses[name]
    if name == "tcp":
        with socket.create_connection((address.host, address.port), timeout=20) as connected:
            connected.sendall(message.encode() + b"\n")
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(message.encode(), (address.host, address.port))
    deadline = time.monotonic() + 20
    while not (found := [row for row in records(served, f"syslog:///{name}") if row["attributes"].get("app") == app]):
        assert time.monotonic() < deadline, served.reported
        time.sleep(0.02)
    (row,) = found
    assert (row["message"], row["severity"]) == ("hello", "info")


def test_what_a_sender_sends_by_default_and_nothing_reads_is_refused_with_an_advice(served: Served) -> None:
    answer = served.send(
        "POST", "/api/v1/lines?source=x", b"\x92\xcb\x41", {**FLUENT_BIT, "Content-Type": "application/msgpack"}
    )
    assert (answer.status, "json_lines" in answer.text) == (415, True)
