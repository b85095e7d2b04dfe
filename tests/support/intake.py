"""An intake over an embedded store whose commits a test can hold up, fail, or make lose their answers."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from puppylog.errors import StoreUnavailable
from puppylog.formats.registry import find_format
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import Move
from puppylog.monitor.collectors import FollowedStream, list_followed_streams
from puppylog.monitor.streams import list_source_uris
from puppylog.receive.received import Received, ReceivedLines
from puppylog.serve.commit_queue import Outcome, Stored
from puppylog.serve.counters import Counters
from puppylog.serve.intake import Intake, IntakeLimits
from puppylog.stores.base import Appended, Appender
from puppylog.stores.duckdb.client.store import DuckdbStore
from support.embedded import EmbeddedStore

DEFAULTS: Final = IntakeLimits()


class Answer:
    """The outcome of one request, when there is one."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self.outcome: Outcome | None = None

    def __call__(self, outcome: Outcome) -> None:
        assert self.outcome is None, "a request has two outcomes"
        self.outcome = outcome
        self._done.set()

    def wait(self) -> Outcome:
        assert self._done.wait(30), "a request has no outcome"
        assert self.outcome is not None
        return self.outcome

    def stored(self) -> Stored:
        outcome = self.wait()
        assert isinstance(outcome, Stored), outcome
        return outcome


class Fault:
    """What happens to commits: they are held up while ``gate`` is cleared, and fail as often as a test says."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.failures = 0  # so many commits fail before they reach the store
        self.lost_answers = 0  # so many commits succeed, and their answers are lost
        self.entered = threading.Event()  # whether a commit was begun
        self.commits: list[int] = []  # the number of requests of each transaction


class FaultyAppender:
    """Implements `puppylog.stores.base.Appender`."""

    def __init__(self, inner: Appender, fault: Fault) -> None:
        self._inner = inner
        self._fault = fault

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        self._inner.write(stream_id, file_id, parsed)

    def complete(self) -> None:
        self._inner.complete()

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        self._fault.entered.set()
        assert self._fault.gate.wait(30)
        if self._fault.failures:
            self._fault.failures -= 1
            raise StoreUnavailable("write to", "the store", "the test says so")
        appended = self._inner.commit(moves, requests)
        if self._fault.lost_answers:
            self._fault.lost_answers -= 1
            raise StoreUnavailable("write to", "the store", "the answer is lost")
        self._fault.commits.append(len(requests))
        return appended

    def discard(self) -> None:
        self._inner.discard()


class FaultyStore(DuckdbStore):
    """An embedded store with faults."""

    fault: Fault

    def appender(self) -> Any:
        return FaultyAppender(super().appender(), self.fault)


class IntakeTrial:
    """The intakes of one server after another, over an embedded store that other trials have used before."""

    def __init__(self, server: EmbeddedStore) -> None:
        self._server = server
        self.reader = server.connect()
        self.receiver = f"t{secrets.token_hex(6)}"  # no other trial has streams of this receiver
        self.fault = Fault()
        self.counters = Counters()
        self.said: list[str] = []

    def connect(self) -> FaultyStore:
        store = FaultyStore(self._server.directory.path)
        store.fault = self.fault
        return store

    def intake(self, limits: IntakeLimits = DEFAULTS, connect: Callable[[], Any] | None = None) -> Intake:
        return Intake(connect or self.connect, host="web1", counters=self.counters, limits=limits, say=self.said.append)

    def send(self, intake: Intake, received: Received, digest: str = "", answer: str = "{}") -> Answer:
        """Queue a request of the receiver ``lines``, and return its outcome to come. No digest if it is empty."""
        done = Answer()
        intake.put(self.receiver, received, digest=self.digest(digest) if digest else None, answer=answer, on_done=done)
        return done

    def digest(self, name: str) -> str:
        """Return a digest of this trial by a short name."""
        return self.receiver.removeprefix("t") + f"{name:>52}".replace(" ", "0")

    def messages(self) -> list[str]:
        """Return the messages of the records of this trial, in the order of their files and offsets."""
        return [row["message"] for row in self.rows("log_records", "file_id, line_offset, message")]

    def rows(self, table: str, columns: str) -> Sequence[Mapping[str, Any]]:
        """Return columns of the rows of this trial's files, sorted."""
        files = (
            "SELECT files.id FROM puppylog.log_files AS files JOIN puppylog.log_streams AS streams"
            f" ON streams.id = files.stream_id WHERE source_uri LIKE '{self.receiver}:%'"
        )
        file_id = "id" if table == "log_files" else "file_id"
        sql = f"SELECT {columns} FROM puppylog.{table} WHERE {file_id} IN ({files}) ORDER BY ALL"
        found: Sequence[Mapping[str, Any]] = self.reader.query(sql).to_pylist()
        return found

    def source_uris(self) -> list[str]:
        """Return the source URIs of all streams in the store."""
        return list_source_uris(self.reader)

    def followed(self) -> list[FollowedStream]:
        """Return what the intakes have reported about their streams."""
        return [stream for stream in list_followed_streams(self.reader) if stream.name.startswith(f"{self.receiver}:")]

    def count(self, name: str) -> int:
        """Return a number that the intakes have counted."""
        return self.counters.read().get((name, self.receiver), 0)


def receive(
    *messages: str, source: str = "app", group: str | None = None, context: str | None = None, extra: str = ""
) -> Received:
    """Return JSON lines as a receiver decodes them. A message that begins with ``!`` is a line that does not fit.

    ``extra`` is a further member of each object.
    """
    rest = f", {extra}" if extra else ""
    lines = [message if message.startswith("!") else f'{{"message": "{message}"{rest}}}' for message in messages]
    text = "".join(line + "\n" for line in lines).encode()
    parsed = find_format("json").open().parse(text, 0, 0)
    return Received((ReceivedLines(source, group, parsed, len(text), "json", context),))
