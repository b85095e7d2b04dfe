"""The messages of one receiver on their way from a socket to the store."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from puppylog.receive.received import Received
from puppylog.receive.syslog.decoder import Arrived, Listening, decode
from puppylog.receive.syslog.framing import Messages
from puppylog.serve.commit_queue import Outcome
from puppylog.serve.context import Context
from puppylog.serve.refusal import Refusal
from puppylog.serve.syslog.limits import SyslogLimits
from puppylog.serve.syslog.report_throttle import ReportThrottle
from puppylog.serve.threads import Threads

DOOR: Final = "syslog"
"""The receiver in counters, and the scheme of its streams' URIs."""

_NUMBERS: Final = (
    "dropped_datagrams",
    "failed_handshakes",
    "lost_framing",
    "lost_messages",
    "refused_connections",
)
"""What is counted. The counters begin with 0, so that their first change is seen."""

_OBJECT_BYTES: Final = 100  # about what a message takes in memory apart from its text
_FULL_AGAIN: Final = 0.5  # reading goes on when this share of the limit waits


class Inbox:
    """Decodes messages that arrive within a short time together, and puts them into the intake, in their order.

    All methods are called in the server's loop.
    """

    def __init__(self, context: Context, listening: Listening, threads: Threads, limits: SyslogLimits) -> None:
        """Prepare.

        Args:
            context: of the server.
            listening: how messages are read.
            threads: decode them.
            limits: of the receiver.
        """
        self.limits = limits
        self._context = context
        self._listening = listening
        self._threads = threads
        for name in _NUMBERS:
            self.count(name, 0)
        self._throttle = ReportThrottle(context.report, limits.report_s)
        self._arrived = Arrived()
        self._arrived_at_us = 0  # of the first message in `_arrived`, since the epoch
        self._arrived_bytes = 0
        self._waiting_bytes = 0
        self._has_arrived = asyncio.Event()
        self._is_due = asyncio.Event()  # what has arrived is to be decoded without waiting for more
        self._is_ending = False
        self._is_settled = asyncio.Event()  # nothing waits
        self._is_settled.set()
        self._task: asyncio.Task[None] | None = None
        self._again: set[asyncio.Task[None]] = set()
        self.is_full = False
        """Whether the receiver must not read."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when `is_full` has changed."""

    def count(self, name: str, number: int = 1) -> None:
        """Add to a number of the server's counters."""
        self._context.counters.add(name, DOOR, number)

    def say(self, subject: str, sentence: str, *, at_once: bool = False) -> None:
        """Report a sentence about a problem, unless one about the subject was reported lately.

        Args:
            subject: what the sentence is about.
            sentence: about this receiver.
            at_once: report it in any case.
        """
        if at_once:
            self._throttle.forget(subject)
        self._throttle.report(subject, f"syslog {self._listening.source!r}: {sentence}")

    def may_say(self, subject: str) -> bool:
        """Whether `say` would report now."""
        return self._throttle.may_report(subject)

    @property
    def waiting_bytes(self) -> int:
        """About how many bytes of messages are not stored."""
        return self._waiting_bytes

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Store what has arrived, for a limited time."""
        self._is_ending = True
        self._is_due.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_settled.wait(), self.limits.end_s)
        if self._waiting_bytes:
            size = f"{self._waiting_bytes / 1024:,.0f} KiB"
            self.say("end", f"{size} of messages may not be stored")
        running = [task for task in (self._task, *self._again) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def add(self, messages: Messages, peer: str) -> None:
        """Take messages of one peer, also if the inbox is full."""
        if messages.texts:
            self._note_arrival()
            self._arrived.extend(messages, peer)
            self._note_size(sum(map(len, messages.texts)), len(messages.texts))

    def add_whole(self, texts: list[bytes], peers: list[str]) -> None:
        """Take messages, each with its peer, also if the inbox is full."""
        if texts:
            self._note_arrival()
            self._arrived.texts += texts
            self._arrived.peers += peers
            self._note_size(sum(map(len, texts)), len(texts))

    def _note_arrival(self) -> None:
        if not self._arrived.texts:
            self._arrived_at_us = time.time_ns() // 1000
            self._has_arrived.set()

    def _note_size(self, text_bytes: int, count: int) -> None:
        size = text_bytes + count * _OBJECT_BYTES
        self._arrived_bytes += size
        self._waiting_bytes += size
        self._is_settled.clear()
        if len(self._arrived.texts) >= self.limits.gather_messages or self._waiting_bytes > self.limits.waiting_bytes:
            self._is_due.set()
        if not self.is_full and self._waiting_bytes > self.limits.waiting_bytes:
            self.is_full = True
            self.on_change()

    async def _run(self) -> None:
        while True:
            await self._has_arrived.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), self.limits.gather_s)
            self._has_arrived.clear()
            if not self._is_ending:
                self._is_due.clear()
            arrived, self._arrived = self._arrived, Arrived()
            size, self._arrived_bytes = self._arrived_bytes, 0
            if arrived.texts:
                await self._decode(arrived, self._arrived_at_us, size)

    async def _decode(self, arrived: Arrived, arrived_at_us: int, size: int) -> None:
        try:
            received = await self._threads.submit(lambda: decode(arrived, arrived_at_us, self._listening))
        except Exception as error:  # noqa: BLE001 - a defect costs one message, and not all that arrive with it
            await self._decode_halves(arrived, arrived_at_us, size, error)
        else:
            await self._put(received, size)

    async def _decode_halves(self, arrived: Arrived, arrived_at_us: int, size: int, error: Exception) -> None:
        if len(arrived.texts) == 1:
            self._lose(1, f"internal error: {type(error).__name__}: {error}; please report it")
            self._release(size)
            return
        first, second = arrived.halve()
        first_size = size * len(first.texts) // len(arrived.texts)
        await self._decode(first, arrived_at_us, first_size)
        await self._decode(second, arrived_at_us, size - first_size)

    async def _put(self, received: Received, size: int) -> None:
        """Put messages into the intake, and wait while it is full."""
        loop = asyncio.get_running_loop()

        def on_done(outcome: Outcome) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(self._settle, received, size, outcome)

        while True:
            try:
                self._context.intake.put(DOOR, received, on_done=on_done, waits=False)
            except Refusal:
                await asyncio.sleep(self.limits.busy_s)
            else:
                return

    def _settle(self, received: Received, size: int, outcome: Outcome) -> None:
        if isinstance(outcome, Refusal) and outcome.status == 503 and not self._is_ending:
            self.say("wait", f"messages wait for the store: {outcome.message}")
            task = asyncio.create_task(self._put_again(received, size))
            self._again.add(task)
            task.add_done_callback(self._again.discard)
            return
        if isinstance(outcome, Refusal):
            self._lose(received.records, outcome.message)
        self._release(size)

    async def _put_again(self, received: Received, size: int) -> None:
        await asyncio.sleep(self.limits.retry_s)
        await self._put(received, size)

    def _lose(self, count: int, cause: str) -> None:
        self.count("lost_messages", count)
        self.say("lost", f"cannot store {count:,} messages: {cause}")

    def _release(self, size: int) -> None:
        self._waiting_bytes -= size
        if not self._waiting_bytes:
            self._is_settled.set()
        if self.is_full and self._waiting_bytes <= self.limits.waiting_bytes * _FULL_AGAIN:
            self.is_full = False
            self.on_change()
