"""Reads a stream of server-sent events as a browser does."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from support.embedded import wait_until
from support.served import Served


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    data: dict[str, Any]


class EventStream:
    """A client of ``/api/v1/records/tail``. Usable with ``with``: it is connected then, and leaves at the end.

    Attributes:
        response: the head of the answer.
        events: what has arrived.
        last_id: that of the last event, or of a sign of life.
        has_ended: whether the server has ended the stream.
    """

    def __init__(self, served: Served, *, last_id: str | None = None, **parameters: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        self._path = f"/api/v1/records/tail?{urlencode(parameters)}"
        self._headers: Mapping[str, str] = {} if last_id is None else {"last-event-id": last_id}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.response: HTTPResponse
        self.events: list[Event] = []
        self.last_id = last_id or ""
        self.has_ended = False

    def _read(self) -> None:
        kind, data = "", ""
        while not self.has_ended:
            try:
                line = self.response.readline().decode()
            except (OSError, ValueError, AttributeError):  # the test closes the connection meanwhile
                break
            if line == "":
                break
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = value
            elif name == "id":
                self.last_id = value
            elif not line.strip() and data:
                self.events.append(Event(kind, json.loads(data)))
                kind = data = ""
        self.has_ended = True

    @property
    def messages(self) -> list[str]:
        """The messages of all records."""
        records = [record for event in self.events if event.kind == "records" for record in event.data["records"]]
        return [record["message"] for record in records]

    @property
    def skipped(self) -> int:
        """How many records the server has left out."""
        return sum(event.data["skipped"] for event in self.events if event.kind == "records")

    def wait_for(self, count: int) -> list[str]:
        """Return the messages when there are so many."""
        wait_until(lambda: len(self.messages) >= count or self.has_ended, what=f"the record {count}")
        return self.messages

    def wait_for_kind(self, kind: str) -> Event:
        """Return the first event of a kind when it has arrived."""
        wait_until(lambda: any(event.kind == kind for event in self.events), what=f"the event {kind}")
        return next(event for event in self.events if event.kind == kind)

    def __enter__(self) -> Self:
        self._connection.request("GET", self._path, headers=dict(self._headers))
        self.response = self._connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self._thread.start()
        wait_until(lambda: bool(self.last_id), what="the first position")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        if self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self._thread.join(10)
        self.response.close()
        self._connection.close()
