"""The server of ``puppylog up``, if the file or the command line asks for one."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from puppylog.cli.declared import Declared
from puppylog.cli.messages import tell, warn
from puppylog.collect.events import Committed, Event
from puppylog.config.faults import Faults
from puppylog.config.listen import ListenConfig, SyslogConfig, add_syslog
from puppylog.errors import PuppylogError
from puppylog.model.address import Address

if TYPE_CHECKING:  # a process that does not listen does not load it
    from puppylog.serve.server import Server


def check_certificates(listen: ListenConfig | None, faults: Faults) -> None:
    """Read the certificates that a server would use. Those that cannot be used are faults."""
    if listen is None:
        return
    receivers = [(receiver.certificate, receiver.key, receiver.client_ca) for receiver in listen.syslog]
    for certificate, key, client_ca in [(listen.certificate, listen.key, None), *receivers]:
        if certificate is not None:
            from puppylog.serve.tls import Certificate  # noqa: PLC0415 - few files have a certificate

            with faults.collecting():
                Certificate(certificate, key, client_ca)


class Serving:
    """Serves from ``with`` to its end, or does nothing."""

    def __init__(
        self,
        declared: Declared,
        address: Address | None,
        syslog: Sequence[SyslogConfig],
        write: Callable[[Callable[[], None]], None],
    ) -> None:
        """Prepare.

        Args:
            declared: what the files declare.
            address: where to listen, if the command line says so.
            syslog: receivers of syslog that the command line asks for.
            write: calls a function that writes to stderr, so that it writes between other output.
        """
        self._settings = declared.settings
        self._address = address
        self._syslog = syslog
        self._listen = self._choose(declared)
        self._write = write
        self._server: Server | None = None
        self._stack = ExitStack()

    def describe_status(self, status: str) -> str:
        """Return the status of the process, with the address of the server if there is one."""
        return status if self._server is None else f"{status}, {self._server.url}"

    def note_event(self, event: Event) -> None:
        """Count what the collector of the same process does."""
        if self._server is not None and isinstance(event, Committed):
            self._server.context.counters.add_commit("collector", event.seconds)

    def has_moved(self, within_s: float) -> bool:
        """Return whether the server has moved within the last seconds, or there is none."""
        return self._server is None or self._server.has_moved(within_s)

    def begin_end(self) -> None:
        """Take no more requests."""
        if self._server is not None:
            self._server.begin_end()

    def reload(self, declared: Declared) -> None:
        """Read the certificate again. Another change of the table is used after a restart."""
        if self._choose(declared) != self._listen:
            warn("the table [listen] has changed in the configuration: it is used after a restart")
        if self._server is None:
            return
        try:
            self._server.read_certificate_again()
        except PuppylogError as error:
            warn(f"{error.message}; the certificate that was read before stays in use")
            return
        for sentence in self._server.list_warnings():
            warn(sentence)

    def _choose(self, declared: Declared) -> ListenConfig | None:
        return add_syslog(declared.configuration.listen, self._address, self._syslog)

    def __enter__(self) -> Self:
        if self._listen is not None:
            from puppylog.serve.server import Server  # noqa: PLC0415 - 0.2 s, for a process that listens only

            self._server = self._stack.enter_context(Server(self._listen, self._settings, report=self._report))
            for listening in (self._server.url, *self._server.syslog.describe()):
                tell(self._settings, f"listening on {listening}")
            for sentence in self._server.list_warnings():
                warn(sentence)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _report(self, sentence: str) -> None:
        self._write(lambda: warn(sentence))
