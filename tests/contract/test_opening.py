"""What `puppylog.stores.base.RecordWriter` promises of streams and files that are opened many at once."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from puppylog.errors import StreamBusy
from puppylog.model.stream import EMPTY_FINGERPRINT, Stream
from puppylog.stores.base import NewFile, Store
from support.lines import Source, fingerprint, open_stream, records
from support.server import StoreServer

A, B, C = "file:///a.log", "file:///b.log", "file:///c.log"


def test_streams_are_in_the_order_of_their_sources_and_a_known_stream_has_its_positions(store: Store) -> None:
    source = Source(store, B, group="old")
    source.append(records(3))
    store.close_stream(source.stream_id)
    streams = store.open_streams([C, B, A])
    assert [(stream.source_uri, stream.group) for stream in streams] == [(C, None), (B, "old"), (A, None)]
    assert len({stream.stream_id for stream in streams}) == 3
    assert [len(stream.files) for stream in streams] == [0, 1, 0]
    (file,) = streams[1].files
    assert (streams[1].stream_id, file.file_id) == (source.stream_id, source.file_id)
    assert (file.byte_offset, file.fingerprint) == (300, fingerprint(300))


def test_a_position_says_how_long_ago_its_file_was_registered(store: Store) -> None:
    source = Source(store, A)
    source.append(records(1))
    store.close_stream(source.stream_id)
    (file,) = store.open_streams([A])[0].files
    assert file.opened_ago_s is not None
    assert 0 <= file.opened_ago_s < 300


def test_streams_are_put_into_the_group_whether_they_are_new_or_not(store: Store) -> None:
    store.close_stream(open_stream(store, A, group="old").stream_id)
    assert [stream.group for stream in store.open_streams([A, B], group="new")] == ["new", "new"]


def test_no_stream_is_claimed_if_another_client_has_claimed_one_of_them(server: StoreServer, store: Store) -> None:
    held = open_stream(store, B)
    other, third = server.connect(), server.connect()
    with pytest.raises(StreamBusy, match=f"^cannot collect {re.escape(B)}: .* follows it already$"):
        other.open_streams([A, B, C])
    assert [stream.source_uri for stream in third.open_streams([C, A])] == [C, A]
    with pytest.raises(StreamBusy, match=re.escape(A)):
        other.open_streams([A])
    store.close_stream(held.stream_id)
    assert open_stream(other, B).stream_id == held.stream_id


def test_a_source_that_is_named_twice_is_refused_and_can_be_opened_after_that(store: Store) -> None:
    with pytest.raises(StreamBusy, match=re.escape(A)):
        store.open_streams([B, A, A])
    assert len(store.open_streams([A, B])) == 2


def test_opening_a_stream_returns_its_latest_positions(server: StoreServer, store: Store) -> None:
    other = server.connect()
    sources = [Source(store, uri) for uri in (A, B)]
    for source in sources:
        source.append(records(2))
        store.close_stream(source.stream_id)
    assert [stream.files[0].byte_offset for stream in other.open_streams([A, B])] == [200, 200]


def test_new_files_are_returned_and_registered_in_their_order(store: Store) -> None:
    first, second = store.open_streams([A, B])
    new = [
        NewFile((first, second)[i % 2].stream_id, f"/{9 - i}.log", device=-1, inode=-i, byte_offset=i) for i in range(9)
    ]
    files = store.open_files(new)
    assert [(file.path, file.device, file.inode, file.byte_offset) for file in files] == [
        (file.path, file.device, file.inode, file.byte_offset) for file in new
    ]
    assert {(file.fingerprint, file.finished, file.context) for file in files} == {(EMPTY_FINGERPRINT, False, "")}
    for stream in (first, second):
        store.close_stream(stream.stream_id)
    reopened = store.open_streams([A, B])
    assert reopened == [replace(first, files=tuple(files[::2])), replace(second, files=tuple(files[1::2]))]


def test_opening_no_streams_and_no_files_is_ok(store: Store) -> None:
    assert list(store.open_streams([])) == []
    assert list(store.open_files([])) == []


def test_a_thousand_streams_and_files_are_opened_by_one_call_each(store: Store) -> None:
    streams = store.open_streams([f"file:///{number:04}" for number in range(1000)], group="many")
    files = store.open_files([NewFile(stream.stream_id, stream.source_uri, 1, i) for i, stream in enumerate(streams)])
    assert [file.path for file in files] == [f"file:///{number:04}" for number in range(1000)]
    counted = store.query("SELECT count(*) AS files, count(DISTINCT stream_id) AS streams FROM puppylog.log_files")
    assert counted.to_pylist() == [{"files": 1000, "streams": 1000}]


def test_two_clients_that_open_the_same_new_sources_at_once_create_them_once(server: StoreServer, store: Store) -> None:
    """The clients use opposite orders, which may cause a deadlock. One of them may be refused."""
    uris = [f"file:///{number:03}" for number in range(100)]

    def open_all(client: Store, asked: Sequence[str]) -> Sequence[Stream]:
        try:
            return client.open_streams(asked, group="web")
        except StreamBusy:
            return []

    with ThreadPoolExecutor() as threads:
        opened = list(threads.map(open_all, [store, server.connect()], [uris, uris[::-1]]))
    assert sorted(len(streams) for streams in opened) in ([0, 0], [0, 100])
    made = store.query("SELECT source_uri FROM puppylog.log_streams ORDER BY 1")["source_uri"].to_pylist()
    assert made == uris


def test_a_file_of_any_stream_is_found_by_its_inode_or_by_its_head(store: Store) -> None:
    source = Source(store, A)
    source.append(records(3))
    other = open_stream(store, B)
    unread, stranger = store.open_files([NewFile(other.stream_id, "/b", 1, -9), NewFile(other.stream_id, "/b", 1, 5)])
    (by_inode,) = store.find_known_files("file:///", [(1, 2), (2, 5)], [])
    assert (by_inode.source_uri, by_inode.stream_id) == (A, source.stream_id)
    assert (by_inode.position.file_id, by_inode.position.byte_offset) == (source.file_id, 300)
    assert by_inode.position.fingerprint == fingerprint(300)
    (by_head,) = store.find_known_files("file:///", [], [(300, "head"), (299, "head"), (300, "other")])
    assert by_head == by_inode
    both = store.find_known_files("file:///", [(1, -9), (1, 2)], [(300, "head")])
    assert [(file.source_uri, file.position.file_id) for file in both] == [(A, source.file_id), (B, unread.file_id)]
    assert stranger.file_id not in {file.position.file_id for file in both}
    assert list(store.find_known_files("file:///", [], [])) == []


def test_the_files_of_another_host_are_not_found(store: Store) -> None:
    for uri in ("file://web1/a.log", "file://web10/a.log"):
        store.open_files([NewFile(open_stream(store, uri).stream_id, "/a.log", 1, 2)])
    found = store.find_known_files("file://web1/", [(1, 2)], [])
    assert [file.source_uri for file in found] == ["file://web1/a.log"]


def test_a_thousand_identities_and_heads_are_looked_up_by_one_call(store: Store) -> None:
    stream = open_stream(store, A)
    files = store.open_files([NewFile(stream.stream_id, "/a", 1, inode) for inode in range(2000)])
    asked = [(1, inode) for inode in range(0, 2000, 2)]
    found = store.find_known_files("file:///", asked, [(1024, f"{number:016x}") for number in range(1000)])
    assert [file.position.file_id for file in found] == [file.file_id for file in files[::2]]
