"""A store with an outbox in memory, for tests of the sender alone. Contract tests run the sender on real stores."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pyarrow as pa

from puppylog.errors import PuppylogError
from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.metric import Metric
from puppylog.model.notification import NotificationState, Outcome
from puppylog.model.silence import Silence
from puppylog.notify.contact import Delivery
from puppylog.notify.message import Message
from puppylog.stores.base import Parameters
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.queries import load_queries
from support.outbox import START, Outbox

METRIC = Metric("failures", "count", "*", period_s=10, segment="host", filter="status_code >= 500")
ALERT = Alert(
    name="errors",
    metric="failures",
    statistic="sum",
    comparison=Comparison.ABOVE,
    threshold=10,
    window_s=60,
    period_s=5,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=True,
    no_data=NoData.ZERO,
)

_NAMES = {sql: name for name, sql in load_queries("puppylog.stores", "sending.sql").items()}


class SendingStoreInMemory:
    """Answers the sender's queries from an `Outbox`. One lock is the claim of all clients of one outbox."""

    def __init__(self, outbox: Outbox, claim: threading.Semaphore | None = None) -> None:
        self.outbox = outbox
        self.claim = claim or threading.Semaphore()
        self.began_at = datetime.now(UTC)
        self.ahead_s = 0.0  # moves the store's clock
        self.error: PuppylogError | None = None  # of every call
        self.settle_error: PuppylogError | None = None
        self.settled: list[list[Outcome]] = []
        self._is_claimed = False
        self._lock = threading.RLock()

    @property
    def second(self) -> float:
        return (datetime.now(UTC) - self.began_at).total_seconds() + self.ahead_s

    def change(self, state: State, segment: str | None = None) -> None:
        with self._lock:
            self.outbox.change(self.second, state, segment)

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        del parameters, cancellation  # the answers depend on the query only
        if self.error is not None:
            raise self.error
        with self._lock:
            rows = list(self._rows(_NAMES.get(sql, "")))
        return pa.Table.from_pylist(rows) if rows else pa.table({})

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        match name:
            case "sending_clock":
                now = START + timedelta(seconds=self.second)
                yield {"now": now, "store_id": "a1", "waiting": len(self.outbox.rows)}
            case "waiting_notifications":
                yield from (asdict(row) | {"kind": row.kind.value} for row in self.outbox.rows.values())
            case "told_problems":
                told = [one for one in self.outbox.told.values() if one.kind.is_problem]
                for one in told:
                    acknowledgement = "ada" if one.history_id in self.outbox.acknowledged else None
                    yield asdict(one) | {"kind": one.kind.value, "acknowledgement": acknowledgement}
            case "states_of_alerts":
                for (alert, segment), state in self.outbox.states.items():
                    if state is not State.OK:
                        yield {"alert": alert, "segment": segment, "state": state.value, "value": 12.0}

    @contextmanager
    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        raise NotImplementedError(sql, parameters, timeout_s, cancellation)

    def claim_sending(self) -> bool:
        self._is_claimed = self._is_claimed or self.claim.acquire(blocking=False)
        return self._is_claimed

    def release_sending(self) -> None:
        if self._is_claimed:
            self._is_claimed = False
            self.claim.release()

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        if self.settle_error is not None:
            raise self.settle_error
        with self._lock:
            self.settled.append(list(outcomes))
            for outcome in outcomes:
                if outcome.id in self.outbox.rows:
                    self.outbox.settle(outcome)
                elif outcome.state is NotificationState.SENT:
                    told = next(one for one in self.outbox.told.values() if one.id == outcome.id)
                    self.outbox.told[told.subject] = replace(told, sent_at=outcome.at)

    def list_silences(self) -> Sequence[Silence]:
        return self.outbox.silences

    def list_alerts(self) -> Sequence[Alert]:
        return [ALERT]

    def list_metrics(self) -> Sequence[Metric]:
        return [METRIC]


@dataclass(frozen=True)
class RecordingContact:
    """A contact that keeps its messages. The first of ``faults`` is raised by the next attempt, and so on."""

    type: ClassVar[str] = "recording"
    resend_s: ClassVar[int | None] = None
    takes_acknowledgements: ClassVar[bool] = False
    max_segments: ClassVar[int | None] = None

    name: str = "ops"
    messages: list[Message] = field(default_factory=list)
    attempts: list[Message] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)  # cleared: an attempt waits until it is set

    def __post_init__(self) -> None:
        self.gate.set()

    def send(self, message: Message, delivery: Delivery) -> str:  # noqa: ARG002 - the protocol of contacts
        self.attempts.append(message)
        self.gate.wait(20)
        if self.faults:
            raise self.faults.pop(0)
        self.messages.append(message)
        return "200 OK"

    @property
    def kinds(self) -> list[str]:
        return [message.kind.value for message in self.messages]


@dataclass(frozen=True)
class OneByOne(RecordingContact):
    """A contact that takes one segment a message."""

    max_segments: ClassVar[int | None] = 1


@dataclass(frozen=True)
class Forgetful(RecordingContact):
    """A contact that has to hear of a problem every second."""

    resend_s: ClassVar[int | None] = 1


@dataclass(frozen=True)
class Acknowledging(RecordingContact):
    """A contact that is told of acknowledgements."""

    takes_acknowledgements: ClassVar[bool] = True
