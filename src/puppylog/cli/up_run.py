"""What ``puppylog up`` does. Its modules are loaded while the engine starts."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from puppylog.cli.collecting import Reporter, tell_summary
from puppylog.cli.declared import Declared
from puppylog.cli.gone_streams import finish_gone_streams
from puppylog.cli.maintenance import Maintenance
from puppylog.cli.messages import tell
from puppylog.cli.service_socket import ServiceSocket
from puppylog.cli.serving import Serving
from puppylog.cli.signals import Signals
from puppylog.cli.watchdog import Watchdog
from puppylog.collect.collector import Collector
from puppylog.collect.events import Event
from puppylog.collect.options import CollectOptions
from puppylog.collect.pods.access import find_access
from puppylog.collect.retry import call_with_retry
from puppylog.config.listen import SyslogConfig
from puppylog.model.address import Address
from puppylog.stores.connect import connect, name_store


def run(
    declared: Declared,
    read_again: Callable[[Declared], Declared] | None,
    address: Address | None,
    syslog: Sequence[SyslogConfig],
) -> None:
    """Collect, serve and keep the store running until a signal asks for the end."""
    settings = declared.settings
    reload_wanted = threading.Event()  # the thread that reads the files starts when the store answers

    with ExitStack() as stack:
        stop = stack.enter_context(Signals(on_reload=None if read_again is None else reload_wanted.set)).stop
        reporter = stack.enter_context(Reporter(settings))
        serving = Serving(declared, address, syslog, reporter.write_between)
        stack.enter_context(serving)
        store = stack.enter_context(call_with_retry(lambda: connect(settings.store), stop, reporter.on_event))
        tell(settings, f"up: {name_store(settings.store.url)}; Ctrl-C to quit")
        options = CollectOptions(
            sources=declared.sources,
            host=settings.host if store.is_shared else "",
            node=settings.host,
            cluster=find_access(os.environ),
            watch=True,
            waits_for_streams=read_again is not None,
        )

        def on_event(event: Event) -> None:
            serving.note_event(event)
            reporter.on_event(event)

        finish_gone_streams(store, options)
        collector = Collector(store, options, stop=stop, on_event=on_event)
        service = ServiceSocket(os.environ)
        stack.enter_context(Watchdog(service, collector, stop, on_stop=serving.begin_end, is_serving=serving.has_moved))
        if read_again is None:
            service.tell_ready(serving.describe_status(name_store(settings.store.url)))
        else:
            work = Maintenance(
                declared,
                read_again,
                reload_wanted,
                store=store,
                collector=collector,
                service=service,
                serving=serving,
                write=reporter.write_between,
            )
            stack.enter_context(work)
        summary = collector.run()
    if summary.files or declared.sources:
        tell_summary(settings, summary)
