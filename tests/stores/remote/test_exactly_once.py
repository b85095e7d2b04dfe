"""Every batch is stored once, whatever a proxy does to requests and answers, and through restarts of the server."""

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from puppylog.collect.retry import call_with_retry
from puppylog.errors import StoreUnavailable, StreamBusy
from puppylog.stores.base import Appended
from puppylog.stores.connect import connect
from puppylog.stores.messages import encode
from puppylog.stores.remote.frames import END, Kind, pack_frame
from puppylog.stores.remote.protocol import LEASE_S, PREFIX, PROTOCOL, PROTOCOL_HEADER
from puppylog.stores.remote.store import RemoteStore
from support.lines import LINE_BYTES, Source, open_stream, records
from support.served import Served
from support.unreliable_proxy import Fault, UnreliableProxy

_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def proxy(served: Served) -> Iterator[UnreliableProxy]:
    with UnreliableProxy(served.port) as proxy:
        yield proxy


@pytest.fixture
def source(proxy: UnreliableProxy) -> Iterator[Source]:
    """A source of its own for each test, followed through the proxy."""
    with connect(proxy.url) as store:
        yield Source(store, f"file://web1/{next(_NUMBERS)}.log")


def append(source: Source, count: int) -> Appended:
    """Commit records as a collector does: the same batch again after each transient error."""
    appender = source.store.appender()
    start, source.offset = source.offset, source.offset + count * LINE_BYTES
    appender.write(source.stream_id, source.file_id, records(count, start=start))
    moves = [source.move(start, source.offset)]
    return call_with_retry(lambda: appender.commit(moves), threading.Event(), lambda _: None)


def stored(served: Served, source: Source) -> list[int]:
    """Return the numbers of the lines that are stored."""
    rows = served.query(f"SELECT line_offset FROM puppylog.log_records WHERE file_id = {source.file_id} ORDER BY ALL")
    return [row["line_offset"] // LINE_BYTES for row in rows]


def restart(served: Served) -> None:
    served.server.close()
    served.start()


@pytest.mark.sampled
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_a_batch_is_stored_once_whatever_happens_to_its_request_and_answer(
    served: Served, proxy: UnreliableProxy, source: Source, fault: Fault
) -> None:
    proxy.expect("append", fault)
    for _ in range(3):
        assert append(source, 5) == Appended(5, 0)
    assert proxy.counts[fault] == 1
    assert stored(served, source) == list(range(15))


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.SWAP_ANSWER, Fault.SHORTEN_ANSWER, Fault.PAGE])
def test_a_batch_is_stored_once_if_the_question_for_its_position_fails_too(
    served: Served, proxy: UnreliableProxy, source: Source, fault: Fault
) -> None:
    proxy.expect("append", Fault.LOSE_ANSWER)
    proxy.expect("find_files", fault, fault)
    assert append(source, 5) == Appended(5, 0)
    assert append(source, 5) == Appended(5, 0)
    assert stored(served, source) == list(range(10))


def test_a_batch_that_a_proxy_sends_to_two_servers_one_after_the_other_is_stored_once(served: Served) -> None:
    with UnreliableProxy(served.port, between=lambda: restart(served)) as proxy, connect(proxy.url) as store:
        source = Source(store, f"file://web1/{next(_NUMBERS)}.log")
        proxy.expect("append", Fault.REPEAT)
        assert append(source, 5) == Appended(5, 0)
        assert append(source, 5) == Appended(5, 0)
    assert stored(served, source) == list(range(10))


def test_a_client_goes_on_after_a_restart_of_the_server_and_has_its_claims_again(
    served: Served, source: Source
) -> None:
    append(source, 5)
    restart(served)
    assert append(source, 5) == Appended(5, 0)
    (row,) = served.query(f"SELECT source_uri FROM puppylog.log_streams WHERE id = {source.stream_id}")
    with (
        connect(served.url) as other,
        pytest.raises(StreamBusy, match=r"the collector on .* \(process \d+\) follows it"),
    ):
        other.open_streams([row["source_uri"]])
    assert stored(served, source) == list(range(10))


def test_a_delayed_batch_of_a_client_that_has_gone_is_refused_when_another_one_follows_the_stream(
    served: Served, proxy: UnreliableProxy
) -> None:
    uri = f"file://web1/{next(_NUMBERS)}.log"
    first = connect(proxy.url)
    source = Source(first, uri)
    proxy.expect("append", Fault.DELIVER_WITH_NEXT)
    with pytest.raises(StoreUnavailable, match="504"):
        source.append(records(5))
    first.close()
    with connect(served.url) as second:
        (stream,) = second.open_streams([uri])
        (position,) = stream.files
        assert position.byte_offset == 0
        with connect(proxy.url) as third:
            append(Source(third, uri + ".other"), 1)  # now the proxy sends the delayed batch, too
        source.store, source.offset = second, 0
        assert append(source, 3) == Appended(3, 0)
    assert stored(served, source) == [0, 1, 2]


def test_two_clients_do_not_follow_one_stream(served: Served, source: Source) -> None:
    assert isinstance(source.store, RemoteStore)
    (row,) = served.query(f"SELECT source_uri FROM puppylog.log_streams WHERE id = {source.stream_id}")
    with connect(served.url) as other:
        with pytest.raises(StreamBusy, match="the collector on"):
            open_stream(other, row["source_uri"])
        source.store.close_stream(source.stream_id)
        assert open_stream(other, row["source_uri"]).stream_id == source.stream_id
        with pytest.raises(StreamBusy):
            append(source, 5)
    assert stored(served, source) == []


def test_the_claims_of_a_client_that_disappears_are_free_within_seconds(served: Served) -> None:
    uri = f"file://web1/{next(_NUMBERS)}.log"
    with connect(served.url) as store, connect(served.url) as other:
        stream_id = open_stream(store, uri).stream_id
        assert isinstance(store, RemoteStore)
        session = store._session
        session._end.set()  # as if the process had been killed: its connections break, and nothing is said
        assert session._renewing is not None
        session._renewing.close()
        began_at = time.monotonic()
        opened = call_with_retry(
            lambda: open_stream(other, uri),
            threading.Event(),
            lambda _: None,
            may_retry=lambda error: isinstance(error, StreamBusy),
        )
        assert opened.stream_id == stream_id
        assert time.monotonic() - began_at < LEASE_S / 2


def test_a_definition_that_a_proxy_repeats_is_made_once(served: Served, proxy: UnreliableProxy) -> None:
    del served
    with connect(proxy.url) as store:
        proxy.expect("create_group", Fault.REPEAT)
        assert store.create_group("shop")
        proxy.expect("delete_group", Fault.REPEAT)
        store.delete_group("shop")  # without NotFound for the second one


def test_a_query_whose_answer_is_cut_fails_and_gives_no_part_for_the_whole(
    served: Served, proxy: UnreliableProxy
) -> None:
    del served
    sql = "SELECT i FROM range(100000) AS numbers(i)"
    with connect(proxy.url) as store:
        for fault in (Fault.CUT_ANSWER, Fault.SHORTEN_ANSWER, Fault.SWAP_ANSWER, Fault.PAGE, Fault.LOSE_ANSWER):
            proxy.expect("query", fault)
            with pytest.raises(StoreUnavailable):
                store.query(sql)
        assert store.query(sql).num_rows == 100_000


def test_a_query_ends_at_the_store_when_its_client_has_gone(served: Served) -> None:
    """A server runs four queries at once. Clients that leave do not keep others from theirs."""
    endless = "SELECT count(*) FROM range(1000000) AS a(i), range(1000000) AS b(j)"
    body = pack_frame(Kind.JSON, encode({"sql": endless, "parameters": {}, "timeout_s": None})) + END
    head = f"POST {PREFIX}query HTTP/1.1\r\nHost: 127.0.0.1\r\n{PROTOCOL_HEADER}: {PROTOCOL}\r\nContent-Length: "
    for _ in range(4):
        with served.connect() as client:
            client.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
    began_at = time.monotonic()
    with connect(served.url) as store:
        assert store.query("SELECT 1 AS one").num_rows == 1
    assert time.monotonic() - began_at < served.server.context.limits.query_s / 2
