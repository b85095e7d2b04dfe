"""The server of `puppylog up`: a thread that listens while another one collects."""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from puppylog.config.listen import ListenConfig
from puppylog.errors import ListenFailed
from puppylog.model.address import Address
from puppylog.serve.access import TokenAccess
from puppylog.serve.application import make_application
from puppylog.serve.budget import Budget
from puppylog.serve.context import Context
from puppylog.serve.counters import Counters
from puppylog.serve.hosts import HostNames
from puppylog.serve.intake import Intake
from puppylog.serve.limits import Limits, make_limits
from puppylog.serve.listener import Listener, open_sockets
from puppylog.serve.read.record_rows import RecordRenderer
from puppylog.serve.read.tail.hub import Hub
from puppylog.serve.reports import Reports
from puppylog.serve.store.claims import Claims
from puppylog.serve.stores import StoreAccess
from puppylog.serve.syslog.limits import SyslogLimits
from puppylog.serve.syslog.receivers import SyslogReceivers
from puppylog.serve.threads import Threads
from puppylog.serve.tls import Certificate
from puppylog.serve.watch import Watch
from puppylog.settings import Settings

_START_S: Final = 10.0
_MARGIN_S: Final = 2.0  # from the end of the last request to the end of the thread

# uvicorn logs each malformed request. Without a handler, Python would print these lines on stderr.
logging.getLogger("uvicorn.error").addHandler(logging.NullHandler())
logging.getLogger("uvicorn.error").propagate = False


class Server:
    """Listens in its own thread until the ``with`` block ends. While the store is unavailable, requests are refused.

    Attributes:
        address: where it listens, with the port that the system has chosen if 0 was given.
        syslog: its receivers of syslog.
    """

    def __init__(
        self,
        listen: ListenConfig,
        settings: Settings,
        *,
        report: Callable[[str], None],
        limits: Limits | None = None,
        syslog_limits: SyslogLimits | None = None,
    ) -> None:
        """Read the certificate, and take the address.

        Args:
            listen: where, and for whom.
            settings: of the process; the server uses the same store.
            report: tells the user a sentence; called from any thread.
            limits: None for the usual ones.
            syslog_limits: of each receiver of syslog; None for the usual ones.

        Raises:
            ConfigurationError: the certificate cannot be used, or the user may not listen there.
            ListenFailed: the address cannot be used now.
        """
        self._listen = listen
        report = self._report = Reports(report)
        self._limits = limits or make_limits(listen.max_body)
        self._certificate = None if listen.certificate is None else Certificate(listen.certificate, listen.key)
        self._hosts = HostNames(self._list_names(settings))
        self.syslog = SyslogReceivers(listen, settings, syslog_limits)
        try:
            self._sockets = open_sockets(listen.address)
        except BaseException:
            self.syslog.close()
            raise
        self.address = Address(listen.address.host, self._sockets[0].getsockname()[1])
        self.context = _make_context(listen, settings, self._limits, report)
        self._loop: asyncio.AbstractEventLoop | None = None  # while the thread runs
        self._end: asyncio.Event | None = None  # while the thread runs
        self._moved_at = time.monotonic()
        self._is_ending = False
        self._listener: Listener | None = None  # from the start of the thread
        self._has_started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, as a URL."""
        return f"{'http' if self._certificate is None else 'https'}://{self.address}"

    @property
    def connections(self) -> int:
        """The number of connections now. Safe to read from any thread."""
        return 0 if self._listener is None else self._listener.connections

    def list_warnings(self) -> list[str]:
        """Return sentences about what the user should know of this server."""
        warnings = []
        if not self.address.is_loopback:
            if self._listen.open:
                warnings.append(
                    f"everyone who reaches {self.url} may read and write the store: [listen] has open = true"
                )
            if self._certificate is None and not self._listen.trusted_proxies:
                warnings.append(f"{self.url} is not encrypted: tokens and log lines can be read on their way")
        warnings += self.syslog.list_warnings()
        expiry = None if self._certificate is None else self._certificate.describe_expiry(datetime.now(UTC))
        return warnings if expiry is None else [*warnings, expiry]

    def read_certificate_again(self) -> None:
        """Use the certificate that the files have now, for new connections.

        Raises:
            ConfigurationError: it cannot be used; the one that was read before stays in use.
        """
        if self._certificate is not None:
            self._certificate.read_again()
        self.syslog.read_certificates_again()

    def has_moved(self, within_s: float) -> bool:
        """Return whether the server's loop has moved within the last seconds; ask it to move.

        To be called again and again. The loop of an idle server moves only when it is asked.
        """
        if self._is_ending:
            return True
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._note_move)
        except RuntimeError:  # the loop has ended because of a defect
            return False
        return time.monotonic() - self._moved_at < within_s

    def _note_move(self) -> None:
        self._moved_at = time.monotonic()

    def begin_end(self) -> None:
        """Accept no more requests. Does not wait. It is OK to call this again, and from any thread."""
        self._is_ending = True
        if self._loop is not None and self._end is not None:
            try:
                self._loop.call_soon_threadsafe(self._end.set)
            except RuntimeError:  # the loop has ended meanwhile
                return

    def _list_names(self, settings: Settings) -> list[str]:
        names = [*self._listen.hosts, settings.host, os.uname().nodename, self._listen.address.host]
        return names if self._certificate is None else [*names, *self._certificate.names]

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - nothing else sees the end of this thread
            self._report(f"internal error: the server has ended: {type(error).__name__}: {error}; please report it")

    async def _serve(self) -> None:
        self._note_move()
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._report_exception)
        self._end = asyncio.Event()
        tls = None if self._certificate is None else self._certificate.context
        app = make_application(self.context, self._hosts)
        listener = self._listener = Listener(app, self._sockets, self._limits, tls=tls, report=self._report)
        listener.start()
        self.context.access.start()
        self.syslog.start(self.context)
        self._has_started.set()
        await self._end.wait()
        self.context.claims.begin_end()
        self.context.tails.begin_end()
        await asyncio.gather(listener.end(), self.syslog.end())

    def _report_exception(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):  # a client whose connection breaks
            self._report(f"internal error in the server: {context['message']}: {error}; please report it")

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._has_started.wait(_START_S):
            self.close()
            raise ListenFailed("start", "the server", f"its thread did not start within {_START_S:g} s")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End: running requests are answered for some seconds, then all connections are closed."""
        self.begin_end()
        if self._thread.is_alive():
            self._thread.join(self._limits.end_s + _MARGIN_S)
        for listening in self._sockets:
            listening.close()
        self.syslog.close()
        self.context.intake.close()
        self.context.claims.close()
        self.context.access.close()
        self.context.stores.close()
        self.context.watch.close()
        self.context.tails.close()
        self.context.decoding.close()


def _make_context(listen: ListenConfig, settings: Settings, limits: Limits, report: Callable[[str], None]) -> Context:
    stores = StoreAccess(settings.store, limits)
    counters = Counters()
    return Context(
        listen=listen,
        settings=settings,
        limits=limits,
        stores=stores,
        access=TokenAccess(listen, stores, report),
        claims=Claims(stores.connect),
        intake=Intake(stores.connect, host=settings.host, counters=counters, say=report),
        counters=counters,
        budget=Budget(limits.bodies_bytes),
        decoding=Threads("server decode", limits.decoding),
        watch=Watch(settings.store),
        tails=Hub(settings.store, limits, RecordRenderer()),
        report=report,
    )
