"""Receivers of syslog that a command line asks for by URLs."""

from pathlib import Path

import pytest

from puppylog.config.listen import ListenConfig, SyslogConfig, add_syslog, parse_syslog_url
from puppylog.errors import UsageError
from puppylog.model.address import Address


def test_a_url_names_protocol_and_address() -> None:
    assert parse_syslog_url("udp://[::1]:5514") == SyslogConfig(name="udp-5514", address=Address("::1", 5514))
    assert parse_syslog_url("tcp://a.example:514").protocol == "tcp"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("127.0.0.1:514", "it names no protocol"),
        ("relp://127.0.0.1:514", "it names no protocol"),
        ("tcp://127.0.0.1", "it does not end with a port"),
    ],
)
def test_a_wrong_url_is_refused(url: str, cause: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_syslog_url(url)
    assert refused.value.cause == cause


def test_a_server_is_added_to_receivers_without_one() -> None:
    assert add_syslog(None, None, ()) is None
    receiver = parse_syslog_url("udp://127.0.0.1:5514")
    assert add_syslog(None, None, [receiver]) == ListenConfig(address=Address("127.0.0.1", 7380), syslog=(receiver,))


def test_receivers_of_file_and_command_line_are_both_used(tmp_path: Path) -> None:
    first, second = parse_syslog_url("udp://127.0.0.1:5514"), parse_syslog_url("tls://127.0.0.1:6514")
    given = ListenConfig(address=Address("127.0.0.1", 1), certificate=tmp_path / "both.pem", syslog=(first,))
    listen = add_syslog(given, Address("127.0.0.1", 2), [second])
    assert listen is not None
    assert (listen.address.port, listen.syslog) == (2, (first, second))


def test_a_receiver_that_stands_twice_or_has_no_certificate_is_refused() -> None:
    receiver, encrypted = parse_syslog_url("udp://127.0.0.1:5514"), parse_syslog_url("tls://127.0.0.1:6514")
    with pytest.raises(UsageError, match="asked for twice"):
        add_syslog(None, None, [receiver, receiver])
    with pytest.raises(UsageError, match="has no certificate"):
        add_syslog(None, None, [encrypted])
