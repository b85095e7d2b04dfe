"""What `puppylog.stores.base.RecordWriter` promises about senders' requests."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from puppylog.errors import RequestRepeated, StreamBusy
from puppylog.model.request import ReceivedRequest
from puppylog.stores.base import Appended, Store
from support.lines import LINE_BYTES, Source, records, rejects
from support.server import StoreServer


def request(number: int) -> ReceivedRequest:
    return ReceivedRequest(f"{number:064x}", f'{{"accepted":{number}}}')


def append(source: Source, *requests: ReceivedRequest) -> Appended:
    """Commit three records, a rejected line and the requests."""
    appender = source.store.appender()
    appender.write(source.stream_id, source.file_id, records(3, start=source.offset))
    appender.write(source.stream_id, source.file_id, rejects(b"bad", start=source.offset + 3 * LINE_BYTES))
    try:
        appended = appender.commit([source.move(source.offset, source.offset + 4 * LINE_BYTES)], requests)
    finally:
        appender.discard()
    source.offset += 4 * LINE_BYTES
    return appended


def count(store: Store) -> tuple[int, int]:
    """Return how many records and how many requests are stored."""
    (row,) = store.query(
        "SELECT (SELECT count(*) FROM puppylog.log_records) AS records, "
        "(SELECT count(*) FROM puppylog.received_requests) AS requests"
    ).to_pylist()
    return row["records"], row["requests"]


def test_a_request_is_found_after_its_commit(store: Store) -> None:
    source = Source(store)
    assert append(source, request(1), request(2)) == Appended(records=3, rejects=1)
    found = store.find_requests([request(1).digest, request(2).digest, request(3).digest])
    assert {digest: each.answer for digest, each in found.items()} == {
        request(1).digest: '{"accepted":1}',
        request(2).digest: '{"accepted":2}',
    }
    assert all(each.digest == digest and 0 <= each.age_s < 60 for digest, each in found.items())
    assert store.find_requests([]) == {}


def test_a_repeated_request_stores_nothing(store: Store) -> None:
    source = Source(store)
    append(source, request(1))
    with pytest.raises(RequestRepeated):
        append(source, request(2), request(1))
    assert count(store) == (3, 1)
    assert store.find_requests([request(2).digest]) == {}
    with pytest.raises(RequestRepeated):
        append(source, request(2), request(3), request(2))
    assert count(store) == (3, 1)
    append(source, request(2))
    assert count(store) == (6, 2)


def test_a_batch_keeps_a_thousand_requests_and_a_refused_batch_none(store: Store) -> None:
    source = Source(store)
    requests = [request(number) for number in range(1000)]
    append(source, *requests)
    assert len(store.find_requests([each.digest for each in requests])) == 1000
    source.offset = 0
    with pytest.raises(StreamBusy):
        append(source, request(1000))
    assert store.find_requests([request(1000).digest]) == {}


def test_two_servers_that_get_one_request_at_once_store_it_once(server: StoreServer) -> None:
    sources = [Source(server.connect(), f"lines://web1/{number}") for number in range(2)]
    ready = threading.Barrier(2)

    def store_once(source: Source) -> list[bool]:
        outcomes = []
        for number in range(10):
            ready.wait(30)
            try:
                append(source, request(number), request(100 + number))
                outcomes.append(True)
            except RequestRepeated:
                outcomes.append(False)
        return outcomes

    with ThreadPoolExecutor(max_workers=2) as threads:
        first, second = threads.map(store_once, sources)
    assert [one != other for one, other in zip(first, second, strict=True)] == [True] * 10
    assert count(server.connect()) == (30, 20)
