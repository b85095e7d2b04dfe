"""The engine's socket and files: only their owner can use them, and no request ends the engine."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import flight

from puppylog.errors import StoreError, UsageError
from puppylog.stores import messages
from stores.duckdb.engine.fuzz_socket import SocketFuzzer
from support.embedded import EmbeddedStore
from support.lines import Source, records

pytestmark = pytest.mark.sampled

_COLLECT = """
import os, sys
os.umask(int(sys.argv[2]))
from pathlib import Path
from puppylog.stores.connect import connect
with connect(sys.argv[1]) as store:
    store.create_group("web")
    store.appender().discard()
"""


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def store_made_under_umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path / "store") as server:
        subprocess.run([sys.executable, "-c", _COLLECT, server.url, str(request.param)], check=True)
        yield server


def test_only_the_owner_can_use_the_files_of_a_store(store_made_under_umask: EmbeddedStore) -> None:
    root = store_made_under_umask.directory.path
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}
    assert root / "engine.sock" in found
    assert root / "engine.log" in found
    assert root / "records.duckdb" in found
    assert {path.name: oct(mode) for path, mode in found.items() if mode & 0o077} == {}


def test_no_request_ends_the_engine(server: EmbeddedStore) -> None:
    store = server.connect()
    Source(store).append(records(7))
    with server.directory.reachable_socket() as path:
        fuzzer = SocketFuzzer(store, path, seed=int(os.environ.get("FUZZ_SEED", "1")))
        fuzzer.send(600)
        fuzzer.close()
    assert fuzzer.refused > 100
    assert store.query("SELECT count(*)::INT AS n FROM puppylog.log_records")["n"][0].as_py() == 7


@pytest.mark.parametrize("body", [b"", b"[", b"\xff", b'{"a"', b"[" * 1_000_000], ids=lambda body: repr(body[:4]))
def test_a_message_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(StoreError, match=r"cannot read a message of [\d,]+ bytes: it is not JSON"):
        messages.decode(body)


def test_a_message_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_BODY_BYTES", 10)
    with pytest.raises(StoreError, match="cannot read a message of 12 bytes: at most 10 are allowed"):
        messages.decode(json.dumps("a" * 10).encode())


def test_an_action_that_the_engine_does_not_know_is_refused(server: EmbeddedStore) -> None:
    server.connect()
    with (
        server.directory.reachable_socket() as path,
        flight.connect(f"grpc+unix://{path}") as channel,
        pytest.raises(flight.FlightServerError, match="the engine knows no such action"),
    ):
        list(channel.do_action(flight.Action("drop", b"{}")))
    assert "Traceback" not in server.directory.log.read_text(encoding="utf-8")


def test_a_name_that_commands_refuse_is_refused_by_the_engine_too(server: EmbeddedStore) -> None:
    store = server.connect()
    with pytest.raises(UsageError, match="a name has lower-case letters") as refused:
        store.create_group("X" * 1_000_000)
    assert len(refused.value.message) < 300
