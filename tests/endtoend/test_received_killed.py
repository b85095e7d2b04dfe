"""A sender that repeats each request until it is answered has every line stored once, although the server is killed."""

import json
import signal
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from support.embedded import EmbeddedStore, wait_until
from support.free_port import find_free_port
from support.permanent import Permanent

pytestmark = pytest.mark.sampled

_KILLS = 2
_LINES = 20  # of a request


@pytest.fixture
def permanent(tmp_path: Path) -> Iterator[Permanent]:
    with EmbeddedStore(tmp_path / "own") as own, Permanent(own, tmp_path) as permanent:
        yield permanent


class Sender(threading.Thread):
    """Sends numbered lines, each request until it is answered with 200, up to the first request after `finish`."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._port = port
        self._may_end = threading.Event()
        self._pause = threading.Event()
        self.sent: list[str] = []

    def run(self) -> None:
        while not self._may_end.is_set():
            messages = [f"{self.name} {len(self.sent) + number}" for number in range(_LINES)]
            body = "".join(json.dumps({"message": message}) + "\n" for message in messages).encode()
            while not self._post(body):
                self._pause.wait(0.02)
            self.sent += messages

    def _post(self, body: bytes) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", f"/api/v1/lines?source={self.name}&format=json", body)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
        return answer.status == 200

    def finish(self) -> None:
        self._may_end.set()
        self.join(60)
        assert not self.is_alive()


def test_every_line_is_stored_once_although_the_server_is_killed(permanent: Permanent) -> None:
    port = find_free_port()
    permanent.file.write_text(f'[listen]\naddress = "127.0.0.1:{port}"\n')
    senders = [Sender(port, name) for name in ("a", "b", "c")]
    permanent.start()
    for sender in senders:
        sender.start()
    try:
        for kill in range(_KILLS):
            before = [len(sender.sent) for sender in senders]
            wait_until(
                lambda before=before: all(  # type: ignore[misc] # the default binds the value of this round
                    len(sender.sent) >= count + 2 * _LINES for sender, count in zip(senders, before, strict=True)
                ),
                what="stored requests",
            )
            permanent.end(signal.SIGKILL)
            if kill == 1:
                permanent.own.kill_engine()
            permanent.start()
    finally:
        for sender in senders:
            sender.finish()
    assert permanent.end() == 0
    with permanent.own.connect() as store:
        rows = store.query("SELECT message, file_id, line_offset FROM puppylog.log_records").to_pylist()
    assert sorted(row["message"] for row in rows) == sorted(message for sender in senders for message in sender.sent)
    assert len({(row["file_id"], row["line_offset"]) for row in rows}) == len(rows)
