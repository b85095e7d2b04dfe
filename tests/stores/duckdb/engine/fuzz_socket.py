"""Requests that no client sends, by the million.

Run ``python -m stores.duckdb.engine.fuzz_socket --requests N`` in ``tests``.

A part of them are bytes for the socket: noise, or a complete or incomplete start of HTTP/2. The others are calls of
Flight: actions and tickets with damaged JSON, with values of other types, or far too large. After each round the same
engine must still answer, and must still have the stored records.
"""

import argparse
import json
import os
import random
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from pyarrow import flight

from puppylog.stores import messages
from puppylog.stores.duckdb.client.store import DuckdbStore
from support.embedded import EmbeddedStore

# "leave" is the one action that ends an engine, when it has no client.
_PARAMETERS = {
    "hello": [],
    "open_streams": ["source_uris", "group"],
    "find_streams": ["stream_ids"],
    "open_files": ["new"],
    "find_files": ["file_ids"],
    "find_known_files": ["source_prefix", "identities", "heads"],
    "append": ["moves", "records", "rejects"],
    "report": ["columns"],
    "replay": ["records"],
    "create_group": ["name"],
    "delete_group": ["name"],
    "create_metric": ["metric"],
    "update_metric": ["metric"],
    "delete_metric": ["name"],
    "list_metrics": [],
    "create_alert": ["alert"],
    "update_alert": ["alert"],
    "delete_alert": ["name"],
    "list_alerts": [],
}
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
_HUGE = 2_000_000
_ROUND = 200


class SocketFuzzer:
    """Sends damaged requests to one engine. The same seed sends the same requests."""

    def __init__(self, store: DuckdbStore, socket_path: str, seed: int) -> None:
        """Send to the engine of ``store``, at ``socket_path``, which must be a path that gRPC accepts."""
        self._store = store
        self._path = socket_path
        self._chance = random.Random(seed)
        self._channel = flight.connect(f"grpc+unix://{socket_path}")
        self.refused = 0
        """How many calls of Flight were answered with an error."""

    def send(self, requests: int) -> None:
        """Send ``requests`` random requests.

        Raises:
            PuppylogError: the engine does not answer any more.
            AssertionError: another engine answers.
        """
        kinds: list[Callable[[], None]] = [self._send_bytes, self._send_action, self._send_action, self._send_ticket]
        for sent in range(requests):
            self._chance.choice(kinds)()
            if sent % _ROUND == _ROUND - 1:
                self.assert_alive()
        self.assert_alive()

    def assert_alive(self) -> None:
        """Check that the engine still answers the client that was connected before."""
        (hello,) = self._channel.do_action(flight.Action("hello", b"{}"))
        assert json.loads(hello.body.to_pybytes())["pid"] == self._store.engine_pid
        self._store.query("SELECT 1")

    def close(self) -> None:
        self._channel.close()

    def _send_bytes(self) -> None:
        noise = self._chance.randbytes(self._chance.choice([0, 1, 9, 300, 70_000]))
        start = self._chance.choice([b"", b"GET / HTTP/1.1\r\n", _PREFACE[:-3], _PREFACE, _PREFACE + _SETTINGS])
        with socket.socket(socket.AF_UNIX) as wire_:
            wire_.settimeout(10)
            try:
                wire_.connect(self._path)
                wire_.sendall(start + noise)
                if self._chance.random() < 0.5:
                    wire_.shutdown(socket.SHUT_WR)
                    wire_.recv(64)
            except (ConnectionError, TimeoutError):
                pass  # the engine may hang up on noise

    def _send_action(self) -> None:
        name = self._chance.choice([*_PARAMETERS, "", "drop", "é" * 50])
        arguments = {parameter: self._value() for parameter in _PARAMETERS.get(name, ["x"])}
        self._call(lambda: list(self._channel.do_action(flight.Action(name, self._damage(arguments)))))

    def _send_ticket(self) -> None:
        sql = self._chance.choice(["SELECT 1", "SELECT", "", "\0", "SELECT " + "(" * 500, "SELECT '" + "x" * 100_000])
        asked: dict[str, object] = {"sql": sql, "parameters": None, "is_ours": False}
        if self._chance.random() < 0.3:
            asked[self._chance.choice(list(asked))] = self._value()
        self._call(lambda: self._channel.do_get(flight.Ticket(self._damage(asked))).read_all())

    def _call(self, call: Callable[[], object]) -> None:
        try:
            call()
        except (pa.ArrowException, OSError, UnicodeError):
            self.refused += 1

    def _damage(self, arguments: dict[str, object]) -> bytes:
        """Return the JSON of the arguments, damaged in three of four cases."""
        body = messages.encode(arguments)
        match self._chance.randrange(8):
            case 0 | 1:
                return body
            case 2 | 3:
                return body[: self._chance.randrange(len(body) + 1)]
            case 4:
                return self._chance.randbytes(len(body))
            case 5:
                return body.replace(b"{", b"{" + self._chance.choice([b'"a":1,', b"{", b"\xff", b"\0"]), 1)
            case 6 if self._chance.random() < 0.02:
                return self._chance.choice([b"[", b'{"a":']) * _HUGE
            case _:
                at = self._chance.randrange(len(body))
                return body[:at] + self._chance.randbytes(1) + body[at + 1 :]

    def _value(self) -> object:
        chance = self._chance
        return chance.choice(
            [
                *(None, True, -1, 2**70, 1.5, "", "a", "a b;--", "x" * 10_000, [], {}, [1], ["a"], [[1, "a"]]),
                *({"name": "a"}, [{"file_id": 1}], {"a": [1, None]}, "../../etc", os.fspath(Path(self._path).parent)),
            ]
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Send requests that no client sends.")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedStore(Path(folder) / "store") as server,
        server.directory.reachable_socket() as path,
    ):
        fuzzer = SocketFuzzer(server.connect(), path, asked.seed)
        fuzzer.send(asked.requests)
        fuzzer.close()
        log_bytes = server.directory.log.stat().st_size
    sys.stdout.write(f"{asked.requests:,} requests, {fuzzer.refused:,} refused; the log holds {log_bytes:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
