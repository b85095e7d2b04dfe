"""A receiver of syslog in a loop of its own, in front of an intake that stores only when the test says so."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from puppylog.model.address import Address
from puppylog.receive.received import Received
from puppylog.receive.syslog.decoder import Listening
from puppylog.serve.commit_queue import OnDone, Outcome, Stored
from puppylog.serve.context import Context
from puppylog.serve.counters import Counters
from puppylog.serve.listener import open_sockets
from puppylog.serve.refusal import Refusal
from puppylog.serve.syslog.datagrams import DatagramReceiver
from puppylog.serve.syslog.inbox import Inbox
from puppylog.serve.syslog.limits import SyslogLimits
from puppylog.serve.syslog.streams import StreamReceiver
from puppylog.serve.threads import Threads

DEADLINE_S = 20.0


@dataclass
class HeldIntake:
    """Implements what a receiver uses of an intake. `outcomes` are given first; then everything is stored."""

    is_open: bool = True
    refusals: int = 0  # so often `put` refuses
    outcomes: list[Outcome] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)  # the messages of records
    attributes: list[str] = field(default_factory=list)
    held: list[tuple[Received, OnDone]] = field(default_factory=list)

    def put(self, receiver: str, received: Received, *, on_done: OnDone, waits: bool) -> None:
        assert (receiver, waits) == ("syslog", False)
        if self.refusals:
            self.refusals -= 1
            raise Refusal(503, "the store is behind")
        self.held.append((received, on_done))
        self.settle()

    def settle(self) -> None:
        while self.is_open and self.held:
            received, on_done = self.held.pop(0)
            if self.outcomes:
                on_done(self.outcomes.pop(0))
                continue
            for lines in received.lines:
                self.stored += [text or "" for text in lines.parsed.records["message"].to_pylist()]
                self.attributes += lines.parsed.records["attributes"].to_pylist()
            on_done(Stored(received.records, 0, ""))

    def open(self) -> None:
        self.is_open = True
        self.settle()


@dataclass
class Receiving:
    """What a test sees of a receiver."""

    port: int
    intake: HeldIntake
    inbox: Inbox
    receiver: Any
    counters: Counters
    reported: list[str]

    def count(self, name: str) -> int:
        return self.counters.read().get((name, "syslog"), 0)

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def receiving(
    protocol: str, limits: SyslogLimits, intake: HeldIntake, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiving]:
    """Receive on a port of loopback until the end of the block, and then end as a server does."""
    reported: list[str] = []
    counters = Counters()

    class Parts:
        """What a receiver uses of `Context`."""

    context = cast("Context", Parts())
    context.__dict__.update(intake=intake, counters=counters, report=reported.append)
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    sockets = open_sockets(Address("127.0.0.1", 0), kind)
    threads = Threads("syslog", 1)
    inbox = Inbox(context, Listening("network"), threads, limits)
    receiver: DatagramReceiver | StreamReceiver
    receiver = DatagramReceiver(sockets, inbox) if protocol == "udp" else StreamReceiver(sockets, inbox, tls=tls)
    inbox.start()
    receiver.start()
    try:
        port = sockets[0].getsockname()[1]
        yield Receiving(port, intake, inbox, receiver, counters, reported)
    finally:
        await receiver.end()
        await inbox.end()
        threads.close()
