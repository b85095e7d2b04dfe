"""The server of the files: where `puppylog up` listens, and for whom."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from puppylog.collect.format_choice import anchor_format, choose_format
from puppylog.config.faults import Faults, Location
from puppylog.config.listen_tables import ListenTable, LokiTable, SyslogTable
from puppylog.errors import UsageError
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.model.address import Address

Network: TypeAlias = IPv4Network | IPv6Network

_PROTOCOLS: Final[tuple[Literal["udp", "tcp", "tls"], ...]] = ("udp", "tcp", "tls")

MAX_BODY_BYTES = 1 << 30
"""A body is in memory as a whole, so a file may not ask for larger ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogConfig:
    """A receiver of syslog: a table ``[[listen.syslog]]``. The fields are those of `SyslogTable`."""

    name: str
    address: Address
    protocol: Literal["udp", "tcp", "tls"] = "udp"
    format: str = "syslog"
    group: str | None = None
    tz: str | None = None  # a name of a zone; None: the zone of the settings
    time: Literal["message", "receipt"] = "message"
    certificate: Path | None = None  # absolute; None: that of `ListenConfig`
    key: Path | None = None  # absolute; None: in the file of the certificate
    client_ca: Path | None = None  # absolute; None: every client may send


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """Where the server listens, and for whom: the table ``[listen]``. The fields are those of `ListenTable`."""

    address: Address
    hosts: tuple[str, ...] = ()  # in lower case
    certificate: Path | None = None  # absolute; None: no TLS
    key: Path | None = None  # absolute; None: in the file of the certificate
    trusted_proxies: tuple[Network, ...] = ()
    open: bool = False
    max_body: int = 64 << 20  # in bytes, after decompression
    syslog: tuple[SyslogConfig, ...] = ()
    loki_format: str | None = None  # of lines that senders for Loki send; None: JSON objects or messages

    @property
    def url(self) -> str:
        """The address as a URL."""
        return f"{'http' if self.certificate is None else 'https'}://{self.address}"


def read_listen(
    table: ListenTable, syslog: Sequence[SyslogConfig], loki_format: str | None, location: Location, faults: Faults
) -> ListenConfig | None:
    """Return the server of a table, with its receivers. Return None after its faults were noted.

    Relative paths are relative to the directory of the file.
    """
    before = len(faults.found)
    directory = location.file.absolute().parent
    if table.key is not None and table.certificate is None:
        faults.add(location, "key: a key needs a certificate", "name the certificate, too")
    if not 0 < table.max_body <= MAX_BODY_BYTES:
        faults.add(location, "max_body must be from 1 B to 1GiB, because a body is in memory as a whole")
    for host in table.hosts:
        if "/" in host or ("*" in host and host != "*" and "*" in host.removeprefix("*.")):
            faults.add(
                location, f"hosts: {host!r} is not a name of a host", "write app.example.org, *.example.org or *"
            )
    listen = ListenConfig(
        address=Address.parse(table.address),
        hosts=tuple(host.lower() for host in table.hosts),
        certificate=None if table.certificate is None else directory / table.certificate,
        key=None if table.key is None else directory / table.key,
        trusted_proxies=tuple(_read_networks(table.trusted_proxies, location, faults)),
        open=table.open,
        max_body=table.max_body,
        syslog=tuple(syslog),
        loki_format=loki_format,
    )
    for receiver in syslog:
        if receiver.protocol == "tls" and receiver.certificate is None and table.certificate is None:
            faults.add(location, f"syslog {receiver.name!r}: tls needs a certificate")
    _find_shared_addresses(listen, location, faults)
    return listen if len(faults.found) == before else None


def _find_shared_addresses(listen: ListenConfig, location: Location, faults: Faults) -> None:
    """Note receivers whose address another receiver has, or the server itself. Datagrams have ports of their own."""
    taken = {(False, listen.address): "[listen]"}
    for receiver in listen.syslog:
        is_udp = receiver.protocol == "udp"
        other = taken.setdefault((is_udp, receiver.address), f"syslog {receiver.name!r}")
        if other != f"syslog {receiver.name!r}" and receiver.address.port:
            faults.add(location, f"syslog {receiver.name!r}: the address {receiver.address} is that of {other}")


def read_loki_format(table: LokiTable, location: Location, faults: Faults) -> str | None:
    """Return the format of lines that senders for Loki send. Return None after its faults were noted."""
    if table.format is None:
        return None
    before = len(faults.found)
    with faults.noting(location, "format"):
        find_format(table.format)
    return table.format if len(faults.found) == before else None


def read_syslog(table: SyslogTable, location: Location, faults: Faults) -> SyslogConfig | None:
    """Return the receiver of a table. Return None after its faults were noted. Paths are those of `read_listen`."""
    before = len(faults.found)
    directory = location.file.absolute().parent
    files = {"certificate": table.certificate, "key": table.key, "client_ca": table.client_ca}
    if table.key is not None and table.certificate is None:
        faults.add(location, "key: a key needs a certificate", "name the certificate, too")
    for key in [key for key, file in files.items() if file is not None and table.protocol != "tls"]:
        faults.add(location, f"{key} is for protocol tls, not for {table.protocol}")
    format_ = anchor_format(table.format, directory)
    with faults.noting(location, "format"):
        choose_format(format_, None, Options(ZoneInfo("UTC"), None))
    receiver = SyslogConfig(
        name=table.name,
        address=Address.parse(table.address),
        protocol=table.protocol,
        format=format_,
        group=table.group,
        tz=table.tz,
        time=table.time,
        **{key: None if file is None else directory / file for key, file in files.items()},
    )
    return receiver if len(faults.found) == before else None


def parse_syslog_url(text: str) -> SyslogConfig:
    """Return the receiver of syslog that a URL such as ``udp://0.0.0.0:5514`` asks for.

    Raises:
        UsageError: the text is no such URL.
    """
    scheme, separator, rest = text.partition("://")
    protocol = next((known for known in _PROTOCOLS if known == scheme), None)
    if not separator or protocol is None:
        raise UsageError("use", f"the URL {text!r}", "it names no protocol", "write udp://, tcp:// or tls://HOST:PORT")
    address = Address.parse(rest)
    return SyslogConfig(name=f"{protocol}-{address.port}", address=address, protocol=protocol)


def add_syslog(
    listen: ListenConfig | None, address: Address | None, syslog: Sequence[SyslogConfig]
) -> ListenConfig | None:
    """Return the server that a command line asks for; None if neither it nor the files ask for one.

    Args:
        listen: the server of the files.
        address: where it is to serve HTTP instead.
        syslog: further receivers of syslog. A receiver with TLS has the certificate of the server.

    Raises:
        UsageError: a receiver with TLS has no certificate, or has the name of another receiver.
    """
    if listen is None and address is None and not syslog:
        return None
    given = listen or ListenConfig(address=Address.parse(ListenTable().address))
    names = [receiver.name for receiver in (*given.syslog, *syslog)]
    for receiver in syslog:
        if receiver.protocol == "tls" and given.certificate is None:
            raise UsageError("listen on", f"{receiver.protocol}://{receiver.address}", "[listen] has no certificate")
        if names.count(receiver.name) > 1:
            raise UsageError("listen on", f"{receiver.protocol}://{receiver.address}", "it is asked for twice")
    return replace(given, address=address or given.address, syslog=(*given.syslog, *syslog))


def _read_networks(texts: tuple[str, ...], location: Location, faults: Faults) -> list[Network]:
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            faults.add(location, f"trusted_proxies: {error}", "write 10.0.0.1 or 10.0.0.0/8")
    return networks
