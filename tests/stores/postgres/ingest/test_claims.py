"""A stream is collected by one process at a time. A claim belongs to a session, and a new session claims again."""

import os
import socket
from collections.abc import Iterator

import pytest

from puppylog.errors import StoreUnavailable, StreamBusy
from puppylog.stores.postgres.ingest import streams
from puppylog.stores.postgres.store import PostgresStore
from support.cut_wire import CutWire
from support.embedded import wait_until
from support.lines import Source, open_stream, records
from support.postgres import PostgresServer

URI = "file:///var/log/test.log"


@pytest.fixture
def wire(shared_postgres: PostgresServer) -> Iterator[CutWire]:
    with CutWire(shared_postgres.socket) as wire:
        yield wire


@pytest.fixture
def name(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    with shared_postgres.database(template=postgres_template) as name:
        yield name


@pytest.fixture
def far(shared_postgres: PostgresServer, name: str, wire: CutWire) -> Iterator[PostgresStore]:
    """A store that is connected through the wire."""
    with PostgresStore(shared_postgres.url(name, port=wire.port)) as store:
        yield store


@pytest.fixture
def near(shared_postgres: PostgresServer, name: str) -> Iterator[PostgresStore]:
    """The same store, connected directly."""
    with PostgresStore(shared_postgres.url(name)) as store:
        yield store


def holder(store: PostgresStore) -> list[int]:
    """Return the numbers of the server processes that hold a claim."""
    sql = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885697641 AND granted"
    return [int(pid) for pid in store.query(sql)["pid"].to_pylist()]


def is_free(store: PostgresStore) -> bool:
    return not holder(store)


def test_the_refusal_names_the_client_that_has_claimed_the_stream(far: PostgresStore, near: PostgresStore) -> None:
    open_stream(far, URI)
    (pid,) = holder(near)
    with pytest.raises(StreamBusy, match=rf"^cannot collect {URI}: .* \(server process {pid}\) follows it already$"):
        open_stream(near, URI)


def test_a_process_does_not_follow_a_stream_twice(near: PostgresStore) -> None:
    open_stream(near, URI)
    with pytest.raises(StreamBusy, match="this process follows it already"):
        open_stream(near, URI)


def test_a_stream_whose_opening_was_cut_can_be_opened_by_the_next_call(
    far: PostgresStore, near: PostgresStore, wire: CutWire
) -> None:
    """This includes a stream that was claimed already, if only the answer to the query for its files was lost."""
    wire.cut_at(b"FROM puppylog.log_files", delivered=True)
    assert open_stream(far, URI).files == ()
    wait_until(lambda: wire.cuts == 1, what="the cut")
    with pytest.raises(StreamBusy):
        open_stream(near, URI)


def test_a_stream_is_claimed_again_after_a_cut(far: PostgresStore, near: PostgresStore, wire: CutWire) -> None:
    open_stream(far, URI)
    before = holder(near)
    wire.cut()
    far.keep_alive()
    assert len(holder(near)) == 1
    assert holder(near) != before
    with pytest.raises(StreamBusy):
        open_stream(near, URI)


def test_a_released_stream_is_not_claimed_again_after_a_cut(
    far: PostgresStore, near: PostgresStore, wire: CutWire
) -> None:
    stream = open_stream(far, URI)
    far.close_stream(stream.stream_id)
    wire.cut()
    far.keep_alive()
    assert is_free(near)


def test_a_stream_can_be_closed_while_the_server_does_not_answer(
    far: PostgresStore, near: PostgresStore, wire: CutWire
) -> None:
    """The server has released the claim with the session, so closing does not wait."""
    stream = open_stream(far, URI)
    wire.cut(and_stay_down=True)
    far.close_stream(stream.stream_id)
    wait_until(lambda: is_free(near), what="the end of the session")
    assert open_stream(near, URI).stream_id == stream.stream_id


def test_a_lost_session_that_the_server_has_not_noticed_is_ended(far: PostgresStore, near: PostgresStore) -> None:
    """This happens when the network fails: the client has lost the connection, and the server does not know it."""
    open_stream(far, URI)
    before = holder(near)
    with far._control.session() as session:
        number = session._connection.fileno()
    still_open = os.dup(number)
    try:
        ours, theirs = socket.socketpair()
        os.dup2(ours.fileno(), number)
        ours.close()
        theirs.close()
        far.keep_alive()
        assert len(holder(near)) == 1
        assert holder(near) != before
    finally:
        os.close(still_open)


def test_a_client_that_lost_its_stream_to_another_client_is_refused_and_stores_nothing(
    far: PostgresStore, near: PostgresStore, wire: CutWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_CLAIM_RETRY_S", 0.1)
    source = Source(far)
    source.append(records(1))
    wire.cut(and_stay_down=True)
    wait_until(lambda: is_free(near), what="the end of the session")
    (file,) = open_stream(near, URI).files
    theirs = near.appender()
    theirs.write(source.stream_id, file.file_id, records(2, start=file.byte_offset))
    theirs.commit([source.move(file.byte_offset, 300)])
    wire.restore()
    ours = far.appender()
    ours.write(source.stream_id, source.file_id, records(5, start=100))
    with pytest.raises(StoreUnavailable):
        ours.commit([source.move(100, 600)])
    with pytest.raises(StreamBusy, match="another collector has stored it up to byte 300"):
        ours.commit([source.move(100, 600)])
    with pytest.raises(StreamBusy, match=r"server process \d+\) follows it already"):
        far.keep_alive()
    assert near.query("SELECT count(*) AS n FROM puppylog.log_records")["n"].to_pylist() == [3]
