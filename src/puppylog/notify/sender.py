"""The sender: a thread that sends the notifications of a store to the contacts that this process knows.

One sender at a time sends the notifications of a store: it holds the store's claim while it decides and sends. Each
contact has a thread of its own while it has messages, so that a slow contact never delays another. A row is settled
after its message was accepted. If the process ends between the two, the message is sent again, with the same key.

What a sender remembers between two rounds may be lost: everything that must last is in the store.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

from puppylog.errors import PuppylogError
from puppylog.model.notification import Decision, Group, OutboxRow, Outcome, Told
from puppylog.model.notification_rule import decide, fires, group_told
from puppylog.notify.compose import Composer, Definitions
from puppylog.notify.contact import Contact
from puppylog.notify.deliver import Delivered, Job, deliver_safely
from puppylog.notify.events import OnSendingEvent, SendingInterrupted, SendingResumed
from puppylog.notify.outbox import SendingStore, Snapshot, read_snapshot

_ROUND_S: Final = 1.0
# While no row waits, only repeats can be due. They may be late by this many rounds.
_TOLD_ROUNDS: Final = 10
_MAX_PAUSE_S: Final = 15.0
_READING_SHARE: Final = 0.05
_LAST_MESSAGES_S: Final = 1.0
_STOP_WITHIN_S: Final = 2.0
# A sender that cannot send all rows lets another process have the claim for a round after this time.
_TURN_S: Final = 5.0
_MAX_GROUPS: Final = 50  # messages for one contact in one round
_REPEAT_RETRY: Final = timedelta(minutes=1)
_RESEND_RETRY_S: Final = 10.0


class Sender:
    """Sends notifications from ``with`` to its end. Never raises from its thread; errors are events.

    Args:
        store: the store, which other threads may use at the same time.
        contacts: those of this process's configuration.
        on_event: called with each event, from several threads.
        proxies: as `urllib.request.getproxies` returns them.
        environ: the environment of commands.
        store_name: the store's URL without a password, for messages.
        round_s: how often the store is asked, in seconds.
    """

    def __init__(
        self,
        store: SendingStore,
        contacts: Iterable[Contact],
        *,
        on_event: OnSendingEvent,
        proxies: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        store_name: str = "",
        round_s: float = _ROUND_S,
    ) -> None:
        # Fields without a comment are not changed after the constructor.
        self._store = store
        self._on_event = on_event
        self._proxies = proxies or {}
        self._environ = environ or {}
        self._store_name = store_name
        self._round_s = round_s
        self._contacts = {contact.name: contact for contact in contacts}  # replaced as a whole, by `use_contacts`
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._delivered: list[tuple[str, Delivered]] = []  # guarded by _lock: not settled yet, with the contacts
        self._running: dict[str, threading.Thread] = {}  # guarded by _lock: the job of each busy contact
        self._definitions: Definitions = {}  # jobs add to it; of two values the last one counts
        # By the monotonic clock: when to read the store again, and when to resend. Jobs set them, too.
        self._read_at = 0.0
        self._resend_at: dict[str, float] = {}
        self._acknowledged: set[int] = set()  # the rows whose contact was told that a person knows; jobs change it, too
        # All others belong to the sender's thread.
        self._told_at = 0.0  # when to look for what was told, although no row waits; by the monotonic clock
        self._unsettled: list[Outcome] = []
        self._paused: dict[str, datetime] = {}
        self._repeat_after: dict[tuple[str, str | None, str], datetime] = {}
        self._claimed_at: float | None = None
        self._store_now = (
            datetime.now(UTC),
            time.monotonic(),
        )  # the store's clock, and the monotonic clock at that time
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def use_contacts(self, contacts: Iterable[Contact]) -> None:
        """Replace the contacts, from the next round on. Any thread may call this."""
        self._contacts = {contact.name: contact for contact in contacts}
        self._wake.set()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                pause_s = self._go_round()
                if failures:
                    self._on_event(SendingResumed())
                failures = 0
            except Exception as error:  # noqa: BLE001 - the sender goes on after any error, and reports it
                is_known = isinstance(error, PuppylogError)
                cause = error.message if isinstance(error, PuppylogError) else f"cannot send: {type(error).__name__}"
                if not failures and not self._stop.is_set():
                    self._on_event(SendingInterrupted(cause))
                self._claimed_at = None
                failures += 1
                pause_s = min(self._round_s * 2**failures, _MAX_PAUSE_S) if is_known else _MAX_PAUSE_S
            self._wake.wait(pause_s)
            self._wake.clear()
        self._finish()

    def _finish(self) -> None:
        """Settle what was delivered, and give up the claim. The next sender sends again what takes longer."""
        deadline = time.monotonic() + _LAST_MESSAGES_S
        with self._lock:
            running = list(self._running.values())
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))
        with suppress(PuppylogError):
            self._settle()
            self._store.release_sending()

    def _go_round(self) -> float:
        """Settle what was delivered, and start what is due; return the seconds until the next round."""
        busy = self._settle()
        if self._read_at <= time.monotonic():
            self._read_and_start(busy)
        return max(0.0, self._read_at - time.monotonic())

    def _read_and_start(self, busy: set[str]) -> None:
        """Read the outbox, and start what is due for the contacts that are not busy."""
        began = time.monotonic()
        snapshot = read_snapshot(self._store, is_idle=not busy and began < self._told_at)
        now = time.monotonic()
        # While nothing waits, the store is asked half as often. A large outbox is read for a small share of the time.
        rest_s = self._round_s * (2 if snapshot is None else 1)
        self._read_at = now + min(max(rest_s, (now - began) / _READING_SHARE), _MAX_PAUSE_S)
        if snapshot is None:
            self._rest(busy)
            return
        self._told_at = now + self._told_s()
        self._store_now = (snapshot.now, now)
        contacts = self._contacts
        decision, resent = self._decide(snapshot, contacts, busy)
        has_work = decision.groups or decision.outcomes or resent
        if not has_work or self._is_turn_over(snapshot, contacts):
            self._rest(busy)
        elif not self._store.claim_sending():
            self._claimed_at = None
        elif self._claimed_at is None:
            self._claimed_at = time.monotonic()
            # Read everything again: another sender may have sent since the snapshot was read.
            self._read_at = self._told_at = 0.0
        else:
            self._start_all(decision, resent, contacts, snapshot)

    def _start_all(
        self,
        decision: Decision,
        resent: Mapping[str, list[Group]],
        contacts: Mapping[str, Contact],
        snapshot: Snapshot,
    ) -> None:
        if decision.outcomes:
            self._store.settle(decision.outcomes)
        for name, contact in contacts.items():
            groups = [group for group in decision.groups if group.contact == name][:_MAX_GROUPS]
            if groups or name in resent:
                self._start(contact, groups, resent.get(name, []), snapshot)

    def _settle(self) -> set[str]:
        """Settle the outcomes of the jobs, and return the contacts that were busy before.

        The rows that are read after this call may be older than the outcomes of a job that was running at its start. So
        such a contact counts as busy, although its job may have ended since.
        """
        with self._lock:
            busy = set(self._running)
            delivered, self._delivered = self._delivered, []
        for name, one in delivered:
            self._unsettled += one.outcomes
            for subject in one.failed_repeats:
                self._repeat_after[subject] = self._read_now() + _REPEAT_RETRY
            if one.paused_until is not None:
                self._paused[name] = one.paused_until
        if self._unsettled:
            self._store.settle(self._unsettled)
            self._unsettled = []
        return busy

    def _decide(
        self, snapshot: Snapshot, contacts: Mapping[str, Contact], busy: set[str]
    ) -> tuple[Decision, dict[str, list[Group]]]:
        """Return what is to do for the contacts that are not busy, and the messages that their receivers need again."""
        rows = [row for row in snapshot.rows if row.contact not in busy]
        told = [one for one in snapshot.told if one.contact not in busy and one.contact in contacts]
        decision = decide(
            rows,
            told=[one if self._may_repeat(one, snapshot.now) else _without_repeat(one) for one in told],
            silences=snapshot.silences,
            states=snapshot.states,
            contacts=contacts,
            now=snapshot.now,
            paused=self._paused,
        )
        lasting = self._find_lasting(told, rows, snapshot)
        resent = self._find_resent(lasting, contacts)
        for name, groups in self._find_acknowledged(lasting, contacts).items():
            resent.setdefault(name, []).extend(groups)
        return decision, resent

    def _may_repeat(self, told: Told, now: datetime) -> bool:
        return self._repeat_after.get(told.subject, now) <= now

    def _told_s(self) -> float:
        """Return how long no repeat is looked for while no row waits, in seconds."""
        return min(
            [
                _TOLD_ROUNDS * self._round_s,
                *(one.resend_s for one in self._contacts.values() if one.resend_s is not None),
            ]
        )

    @staticmethod
    def _find_lasting(told: Iterable[Told], rows: Iterable[OutboxRow], snapshot: Snapshot) -> list[Told]:
        """Return what was told, is still true, and is not about to be told again or resolved."""
        waiting = {row.subject for row in rows}
        return [one for one in told if one.subject not in waiting and fires(one, snapshot.states)]

    def _find_resent(self, lasting: Sequence[Told], contacts: Mapping[str, Contact]) -> dict[str, list[Group]]:
        """Return the problems that last, for each contact whose receiver forgets them unless they are sent again."""
        now = time.monotonic()
        found: dict[str, list[Group]] = {}
        for name, contact in contacts.items():
            if contact.resend_s is None or self._resend_at.get(name, now) > now:
                continue
            if groups := group_told([one for one in lasting if one.contact == name]):
                found[name] = groups
            else:
                self._resend_at[name] = now + contact.resend_s
        return found

    def _find_acknowledged(self, lasting: Sequence[Told], contacts: Mapping[str, Contact]) -> dict[str, list[Group]]:
        """Return what contacts are to be told that a person knows of. A process tells each of it once."""
        takers = {name for name, contact in contacts.items() if contact.takes_acknowledgements}
        new = [
            one for one in lasting if one.contact in takers and one.is_acknowledged and one.id not in self._acknowledged
        ]
        found: dict[str, list[Group]] = {}
        for group in group_told(new):
            found.setdefault(group.contact, []).append(replace(group, is_acknowledgement=True))
        return found

    def _start(self, contact: Contact, groups: list[Group], resent: list[Group], snapshot: Snapshot) -> None:
        job = Job(
            contact,
            groups,
            resent,
            composer=Composer(self._store, snapshot, definitions=self._definitions, store_name=self._store_name),
            read_now=self._read_now,
            is_stopped=self._stop.is_set,
            on_event=self._on_event,
            proxies=self._proxies,
            environ=self._environ,
        )
        self._acknowledged |= {told.id for group in resent if group.is_acknowledgement for told in group.repeated}
        if contact.resend_s is not None and resent:
            self._resend_at[contact.name] = time.monotonic() + contact.resend_s
        thread = threading.Thread(target=self._work, args=(job,), name=f"contact {contact.name}", daemon=True)
        with self._lock:
            self._running[contact.name] = thread
        thread.start()

    def _work(self, job: Job) -> None:
        """Do a job, in the thread of its contact."""
        name = job.contact.name
        is_complete = deliver_safely(job, lambda delivered: self._add(name, delivered))
        if job.resent and not is_complete:
            self._resend_at[name] = time.monotonic() + _RESEND_RETRY_S
            self._acknowledged -= {told.id for group in job.resent for told in group.repeated}
        with self._lock:
            del self._running[name]
        self._read_at = 0.0
        self._wake.set()

    def _add(self, name: str, delivered: Delivered) -> None:
        """Hand over what became of a message, so that the sender's thread settles it."""
        with self._lock:
            self._delivered.append((name, delivered))
        self._wake.set()

    def _read_now(self) -> datetime:
        """Return the present by the store's clock, as of the last round."""
        now, read_at = self._store_now
        return now + timedelta(seconds=time.monotonic() - read_at)

    def _is_turn_over(self, snapshot: Snapshot, contacts: Mapping[str, Contact]) -> bool:
        """Return whether another process should have the claim: it may know a contact that this one does not know."""
        if self._claimed_at is None or time.monotonic() - self._claimed_at < _TURN_S:
            return False
        return any(row.contact not in contacts for row in snapshot.rows)

    def _rest(self, busy: set[str]) -> None:
        """Release the claim unless a job needs it."""
        if self._claimed_at is not None and not busy:
            self._claimed_at = None
            self._store.release_sending()

    def close(self) -> None:
        """Stop the thread, and settle what was delivered, within about two seconds."""
        self._stop.set()
        self._wake.set()
        self._thread.join(_STOP_WITHIN_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _without_repeat(told: Told) -> Told:
    return replace(told, repeat_s=0)
