"""All receivers of syslog of a server: their sockets, from the start of the server to its end."""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from puppylog.collect.format_choice import choose_format, find_log_zone
from puppylog.config.listen import ListenConfig, SyslogConfig
from puppylog.formats.base import Options
from puppylog.model.address import Address
from puppylog.receive.syslog.decoder import Listening
from puppylog.serve.context import Context
from puppylog.serve.listener import open_sockets
from puppylog.serve.syslog.datagrams import DatagramReceiver
from puppylog.serve.syslog.inbox import DOOR, Inbox
from puppylog.serve.syslog.limits import SyslogLimits
from puppylog.serve.syslog.streams import StreamReceiver
from puppylog.serve.threads import Threads
from puppylog.serve.tls import Certificate
from puppylog.settings import Settings, find_zone

_Receiver: TypeAlias = DatagramReceiver | StreamReceiver
_THREADS: Final = 1  # decodes 0.4 to 1.3 million messages a second, with the collector on the other core


@dataclass(frozen=True, slots=True)
class _Opened:
    """A receiver whose address is taken."""

    config: SyslogConfig
    sockets: Sequence[socket.socket]
    certificate: Certificate | None
    listening: Listening

    @property
    def address(self) -> Address:
        return Address(self.config.address.host, self.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"{self.config.protocol}://{self.address}"


class SyslogReceivers:
    """The receivers of ``[[listen.syslog]]``. The constructor takes the addresses, and `start` begins to receive."""

    def __init__(self, listen: ListenConfig, settings: Settings, limits: SyslogLimits | None = None) -> None:
        """Read the certificates, and take the addresses.

        Args:
            listen: of the server.
            settings: of the process, for the zone of stamps.
            limits: None for the usual ones.

        Raises:
            ConfigurationError: a certificate cannot be used, or the user may not listen there.
            ListenFailed: an address cannot be used now.
            UsageError: this machine's zone has no name.
        """
        self._limits = limits or SyslogLimits()
        self._opened: list[_Opened] = []
        try:
            for config in listen.syslog:
                self._opened.append(_open(config, listen, settings))
        except BaseException:
            self.close()
            raise
        self._threads = Threads("syslog", _THREADS)
        self._inboxes: list[Inbox] = []
        self._receivers: list[_Receiver] = []

    @property
    def addresses(self) -> Mapping[str, Address]:
        """Where each receiver listens, by its name, with the port that the system has chosen if 0 was given."""
        return {opened.config.name: opened.address for opened in self._opened}

    def describe(self) -> list[str]:
        """Return what listens where, as URLs with the names of the receivers."""
        return [f"{one.url} for syslog {one.config.name!r}" for one in self._opened]

    def list_warnings(self) -> list[str]:
        """Return a sentence for each receiver to which everyone may write from another machine."""
        return [
            f"everyone who reaches {one.url} may write to the store: syslog has no tokens"
            for one in self._opened
            if not one.address.is_loopback and one.config.client_ca is None
        ]

    def read_certificates_again(self) -> None:
        """Use the certificates that the files have now, for new connections.

        Raises:
            ConfigurationError: one cannot be used; what was read before stays in use.
        """
        for opened in self._opened:
            if opened.certificate is not None:
                opened.certificate.read_again()

    def start(self, context: Context) -> None:
        """Begin to receive. Called in the server's loop."""
        for opened in self._opened:
            inbox = Inbox(context, opened.listening, self._threads, self._limits)
            receiver: _Receiver
            if opened.config.protocol == "udp":
                receiver = DatagramReceiver(opened.sockets, inbox)
            else:
                tls = None if opened.certificate is None else opened.certificate.context
                receiver = StreamReceiver(opened.sockets, inbox, tls=tls)
            inbox.start()
            receiver.start()
            self._inboxes.append(inbox)
            self._receivers.append(receiver)

    async def end(self) -> None:
        """Receive nothing more, and store what has arrived. Called in the server's loop."""
        await asyncio.gather(*(receiver.end() for receiver in self._receivers))
        await asyncio.gather(*(inbox.end() for inbox in self._inboxes))
        self._threads.close()

    def close(self) -> None:
        """Release the addresses. It is OK to call this again."""
        for opened in self._opened:
            for one in opened.sockets:
                one.close()


def _open(config: SyslogConfig, listen: ListenConfig, settings: Settings) -> _Opened:
    certificate = None
    if config.protocol == "tls":
        path, key = (listen.certificate, listen.key) if config.certificate is None else (config.certificate, config.key)
        assert path is not None  # noqa: S101 - the configuration was checked
        certificate = Certificate(path, key, config.client_ca)
    zone = find_log_zone(settings.data_zone if config.tz is None else find_zone(config.tz), os.environ)
    listening = Listening(
        source=config.name,
        group=config.group,
        zone=zone,
        format=None if config.format == DOOR else choose_format(config.format, None, Options(zone, joins_lines=False)),
        uses_time_of_receipt=config.time == "receipt",
    )
    kind = socket.SOCK_DGRAM if config.protocol == "udp" else socket.SOCK_STREAM
    return _Opened(config, open_sockets(config.address, kind), certificate, listening)
