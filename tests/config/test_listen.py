"""What the configuration file says about the server."""

from pathlib import Path

import pytest

from puppylog.config.listen import ListenConfig, SyslogConfig
from puppylog.model.address import Address
from support.configuration_files import Write, list_faults, read


def test_the_table_listen_has_defaults_and_paths_relative_to_its_file(write: Write, tmp_path: Path) -> None:
    listen = read(write('[listen]\ncertificate = "tls.pem"\nhosts = ["Logs.example.org"]')).listen
    assert listen == ListenConfig(
        address=Address("127.0.0.1", 7380), hosts=("logs.example.org",), certificate=tmp_path / "tls.pem"
    )
    assert listen.url == "https://127.0.0.1:7380"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('address = "7380"', "address: cannot use the address '7380': it does not end with a port"),
        ('address = "a:65536"', "address: cannot use the address 'a:65536': its port is larger than 65535"),
        ('address = "a/b:1"', "address: cannot use the address 'a/b:1': its host is neither an IP address nor a name"),
        ('key = "key.pem"', "key: a key needs a certificate; name the certificate, too"),
        ('hosts = ["https://a"]', "hosts: 'https://a' is not a name of a host"),
        ('trusted_proxies = ["10.0.0.1/8"]', "trusted_proxies: 10.0.0.1/8 has host bits set; write 10.0.0.1 or"),
        ('max_body = "2GiB"', "max_body must be from 1 B to 1GiB"),
        ("open = 1", "open must be true or false, not 1"),
    ],
)
def test_a_wrong_table_listen_is_a_fault_that_names_its_key(write: Write, text: str, fault: str) -> None:
    [found] = list_faults(write(f"[listen]\n{text}"))
    assert found.startswith(f"[listen]: {fault}")


def test_the_table_listen_loki_has_a_format_that_exists(write: Write) -> None:
    listen = read(write('[listen]\nopen = true\n[listen.loki]\nformat = "logfmt"')).listen
    assert listen is not None
    assert (listen.open, listen.loki_format) == (True, "logfmt")
    assert list_faults(write('[listen.loki]\nformat = "nonesuch"'))[0].startswith("[listen.loki]: format: ")
    assert list_faults(write('[listen.loki]\nzone = "x"')) == ["[listen.loki]: unknown key 'zone' (known are format)"]
    assert list_faults(write("[[listen.loki]]")) == ["listen.loki must be written as [listen.loki]"]


def test_receivers_of_syslog_stand_below_the_table_listen(write: Write, tmp_path: Path) -> None:
    text = """
    [listen]
    certificate = "tls.pem"
    [[listen.syslog]]
    name = "routers"
    address = "10.0.0.1:514"
    tz = "Europe/Berlin"
    [[listen.syslog]]
    name = "servers"
    address = "[::]:6514"
    protocol = "tls"
    client_ca = "ca.pem"
    time = "receipt"
    """
    listen = read(write(text)).listen
    assert listen is not None
    assert listen.syslog == (
        SyslogConfig(name="routers", address=Address("10.0.0.1", 514), tz="Europe/Berlin"),
        SyslogConfig(
            name="servers",
            address=Address("::", 6514),
            protocol="tls",
            client_ca=tmp_path / "ca.pem",
            time="receipt",
        ),
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('name = "a"', '[[listen.syslog]] "a": address is missing'),
        ('name = "a"\naddress = "a:1"\nkeys = 1', "[[listen.syslog]] \"a\": unknown key 'keys' (did you mean 'key'?)"),
        ('name = "a"\naddress = "a:1"\nformat = "nonesuch"', '[[listen.syslog]] "a": format: '),
        ('name = "a"\naddress = "a:1"\nprotocol = "tls"', "[listen]: syslog 'a': tls needs a certificate"),
        (
            'name = "a"\naddress = "a:1"\n[[listen.syslog]]\nname = "b"\naddress = "a:1"',
            "[listen]: syslog 'b': the address a:1 is that of syslog 'a'",
        ),
        (
            'name = "a"\naddress = "127.0.0.1:7380"\nprotocol = "tcp"',
            "[listen]: syslog 'a': the address 127.0.0.1:7380 is that of [listen]",
        ),
        ('name = "a"\naddress = "a:1"\ncertificate = "b"', '[[listen.syslog]] "a": certificate is for protocol tls'),
    ],
)
def test_a_wrong_receiver_of_syslog_is_a_fault_that_names_it(write: Write, text: str, fault: str) -> None:
    [found] = list_faults(write(f"[listen]\n[[listen.syslog]]\n{text}"))
    assert found.startswith(fault)


def test_receivers_of_datagrams_and_of_connections_may_have_one_address(write: Write) -> None:
    udp, tcp = (
        f'[[listen.syslog]]\nname = "{protocol}"\naddress = "127.0.0.1:5514"\nprotocol = "{protocol}"\n'
        for protocol in ("udp", "tcp")
    )
    assert list_faults(write(f"[listen]\n{udp}{tcp}")) == []
