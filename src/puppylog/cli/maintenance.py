"""What ``puppylog up`` does besides collecting: it applies definitions, sends notifications, and reads files again.

All of it is done in one thread, so that the collector never waits for a file or for a metric that is created.
"""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from puppylog.cli.declared import Declared
from puppylog.cli.messages import tell, warn
from puppylog.cli.sending import make_sender
from puppylog.cli.service_socket import ServiceSocket
from puppylog.cli.serving import Serving
from puppylog.collect.collector import Collector
from puppylog.config.apply import apply_configuration
from puppylog.config.step import Action, Step
from puppylog.errors import PuppylogError
from puppylog.notify.sender import Sender
from puppylog.stores.base import Store
from puppylog.stores.connect import connect, name_store

_APPLY_AGAIN_S: Final = 5.0
_END_WITHIN_S: Final = 1.0  # the process has a few seconds from a signal to its end
_DONE: Final = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


class Maintenance:
    """Works in its own thread until the ``with`` block ends. Errors are reported, and do not end the process."""

    def __init__(
        self,
        declared: Declared,
        read_again: Callable[[Declared], Declared],
        reload_wanted: threading.Event,
        *,
        store: Store,
        collector: Collector,
        service: ServiceSocket,
        serving: Serving,
        write: Callable[[Callable[[], None]], None],
    ) -> None:
        """Prepare.

        Args:
            declared: what the files declare now.
            read_again: reads the files again, given what they declared before.
            reload_wanted: set, by a handler of signals, when the files are to be read again.
            store: where the notifications are, which the collector uses, too.
            collector: gets other sources when the files are read again.
            service: the service manager.
            serving: the server, if there is one.
            write: calls a function that writes to stderr, so that it writes between other output.
        """
        self._declared = declared  # changed by the thread only
        self._read_again = read_again
        self._store = store
        self._collector = collector
        self._service = service
        self._serving = serving
        self._write = write
        self._sender: Sender | None = None  # changed by the thread; None as long as no contact was declared
        self._is_unapplied = False  # changed by the thread only: the definitions are to be applied later
        self._reload_wanted = reload_wanted
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def _run(self) -> None:
        self._use_contacts()
        self._apply_definitions()
        self._service.tell_ready(self._describe_status())
        while not self._end.is_set():
            if self._reload_wanted.wait(_APPLY_AGAIN_S if self._is_unapplied else None):
                self._reload_wanted.clear()
                if not self._end.is_set():
                    self._reload()
            else:
                self._apply_definitions()

    def _reload(self) -> None:
        self._service.tell_reloading()
        before = self._declared
        try:
            self._declared = self._read_again(before)
        except Exception as error:  # noqa: BLE001 - a defect of reading must not end notifications, either
            warn(f"{_describe(error)}; what was read before stays in effect")
            self._service.tell_ready(f"{self._describe_status()}; the changed configuration is wrong")
            return
        if self._declared.settings.store != before.settings.store:
            warn("the store has changed in the configuration: it is used after a restart")
        self._collector.change_sources(self._declared.sources)
        self._serving.reload(self._declared)
        self._use_contacts()
        self._apply_definitions()
        tell(self._declared.settings, "read the configuration again")
        self._service.tell_ready(self._describe_status())

    def _use_contacts(self) -> None:
        contacts = self._declared.contacts
        if self._sender is not None:
            self._sender.use_contacts(contacts)
        elif contacts:
            self._sender = make_sender(self._declared.settings, self._store, contacts, self._write)
            self._sender.__enter__()  # until `__exit__`

    def _apply_definitions(self) -> None:
        """Apply what the files declare. If the store is unavailable, this is done again later."""
        settings = self._declared.settings
        self._is_unapplied = False
        if not self._declared.configuration.has_definitions:
            return
        for sentence in self._declared.configuration.find_unknown_contacts():
            warn(sentence)
        error: Exception | None
        try:
            with connect(settings.store) as store:  # a connection of its own: creating a metric may take minutes
                applied = apply_configuration(store, self._declared.configuration, report=self._report_step)
            error = applied.error
            if error is not None:
                warn(applied.describe())
        except Exception as failure:  # noqa: BLE001 - nor a defect of applying
            error = failure
        if error is not None:
            warn(_describe(error))
            self._is_unapplied = isinstance(error, PuppylogError) and error.transient

    def _report_step(self, step: Step) -> None:
        tell(self._declared.settings, f"{_DONE[step.action]} {step.subject}")

    def _describe_status(self) -> str:
        count = len(self._declared.sources)
        sources = f"{count} source{'' if count == 1 else 's'}"
        return self._serving.describe_status(f"{sources}, store {name_store(self._declared.settings.store.url)}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._reload_wanted.set()  # ends the pause
        self._thread.join(_END_WITHIN_S)
        if self._sender is not None:
            self._sender.close()


def _describe(error: Exception) -> str:
    return error.message if isinstance(error, PuppylogError) else f"internal error: {type(error).__name__}: {error}"
