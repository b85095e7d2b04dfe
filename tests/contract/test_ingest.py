"""What `puppylog.stores.base.RecordWriter` promises."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.differences import JSON_SPELLING, NUL_IN_TEXT, Difference
from puppylog.errors import StoreRewound, StreamBusy
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.stores.base import Appended, NewFile, Store
from support.lines import LINE_BYTES, NOON, Source, fingerprint, open_stream, records, rejects, rows, with_data
from support.server import StoreServer


def count(store: Store, table: str) -> int:
    return int(store.query(f"SELECT count(*) AS n FROM puppylog.{table}")["n"][0].as_py())


def test_a_new_stream_has_no_files_and_the_group_it_was_given(store: Store) -> None:
    stream = open_stream(store, "file:///a.log", group="web")
    assert (stream.source_uri, stream.group, stream.files) == ("file:///a.log", "web", ())


def test_rows_and_position_are_committed_together(store: Store) -> None:
    source = Source(store)
    assert source.append(records(3), rejects(b"bad \xff", start=300)) == Appended(records=3, rejects=1)
    assert (count(store, "log_records"), count(store, "rejected_lines")) == (3, 1)
    store.close_stream(source.stream_id)
    (file,) = open_stream(store, "file:///var/log/test.log").files
    assert (file.file_id, file.byte_offset, file.fingerprint) == (source.file_id, 400, fingerprint(400))
    assert not file.finished


def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    source = Source(store)
    columns: dict[str, Any] = {
        "ident": None,
        "ruser": "jö \x01\t\\N",
        "request_method": "GET",
        "request_route": "/a",
        "request_proto": "HTTP/1.1",
        "status_code": 200,
        "response_bytes": 2**40,
        "referer": "-",
        "user_agent": "ü",
        "severity": "info",
        "message": "m",
        "attributes": '{"a": [1, 2.5]}',
    }
    source.append(records(1, **columns))
    (row,) = store.query("SELECT * FROM puppylog.log_records").to_pylist()
    expected = {"ts": NOON, "stream_id": source.stream_id, "file_id": source.file_id, "line_offset": 0, "host": "h"}
    assert row == {**expected, **columns}


def test_attributes_come_back_as_the_same_json(store: Store, differs: Callable[[Difference], bool]) -> None:
    written = '{"bb":"\\u00fc", "a":  [1, 2.50]}'
    Source(store).append(records(1, attributes=written))
    (row,) = store.query("SELECT attributes FROM puppylog.log_records").to_pylist()
    assert json.loads(row["attributes"]) == json.loads(written)
    assert row["attributes"] == (JSON_SPELLING.expected if differs(JSON_SPELLING) else written)


def test_a_rejected_line_keeps_its_bytes(store: Store) -> None:
    Source(store).append(rejects(b"\x16\x03\x00\xff"))
    (row,) = store.query("SELECT line, reason FROM puppylog.rejected_lines").to_pylist()
    assert row == {"line": b"\x16\x03\x00\xff", "reason": "no reason"}


def test_the_context_of_a_parser_moves_with_the_position(store: Store) -> None:
    source = Source(store)
    assert [file.context for file in _reopen(source)] == [""]
    learnt = "w3c\n#Fields: date 'ü' \\t\t"
    moving = store.appender()
    moving.write(source.stream_id, source.file_id, records(1))
    moving.commit([source.move(0, 100, context=learnt)])
    assert [(file.byte_offset, file.context) for file in _reopen(source)] == [(100, learnt)]
    refused = store.appender()
    with pytest.raises(StreamBusy):
        refused.commit([source.move(0, 200, context="json")])
    refused.discard()
    assert [file.context for file in _reopen(source)] == [learnt]


def _reopen(source: Source) -> tuple[FilePosition, ...]:
    source.store.close_stream(source.stream_id)
    return open_stream(source.store, "file:///var/log/test.log").files


def test_a_batch_is_not_stored_twice(store: Store) -> None:
    source = Source(store)
    source.append(records(3))
    again = store.appender()
    again.write(source.stream_id, source.file_id, records(3))
    with pytest.raises(StreamBusy, match="another collector has stored it up to byte 300"):
        again.commit([source.move(0, 300)])
    again.discard()
    assert count(store, "log_records") == 3


def test_a_store_that_has_lost_commits_says_so_and_stores_nothing(store: Store) -> None:
    source = Source(store)
    source.append(records(3))
    later = store.appender()
    later.write(source.stream_id, source.file_id, records(1, start=500))
    with pytest.raises(StoreRewound, match="the store has it up to byte 300 only"):
        later.commit([source.move(500, 600)])
    later.discard()
    assert count(store, "log_records") == 3


def test_a_batch_of_several_files_is_stored_whole_or_not_at_all(store: Store) -> None:
    first, second = Source(store, "file:///1"), Source(store, "file:///2")
    first.append(records(1))
    both = store.appender()
    for source in (first, second):
        both.write(source.stream_id, source.file_id, records(1))
    with pytest.raises(StreamBusy):
        both.commit([second.move(0, 100), first.move(0, 100)])
    both.discard()
    assert count(store, "log_records") == 1
    assert second.append(records(1)).records == 1


def test_a_finished_file_takes_no_more_lines(store: Store) -> None:
    source = Source(store)
    finishing = store.appender()
    finishing.commit([source.move(0, 0, finished=True)])
    with pytest.raises(StreamBusy):
        source.append(records(1))


def test_a_stream_is_followed_by_one_collector_at_a_time(server: StoreServer, store: Store) -> None:
    stream = open_stream(store, "file:///a.log")
    other = server.connect()
    with pytest.raises(StreamBusy, match="follows it already"):
        open_stream(other, "file:///a.log")
    store.close_stream(stream.stream_id)
    assert open_stream(other, "file:///a.log").stream_id == stream.stream_id


def test_a_new_file_has_the_position_that_it_was_opened_with(store: Store) -> None:
    stream = open_stream(store, "file:///a.log")
    (file,) = store.open_files([NewFile(stream.stream_id, "/a.log", device=-1, inode=-2, byte_offset=7)])
    assert (file.byte_offset, file.fingerprint, file.device, file.inode) == (7, EMPTY_FINGERPRINT, -1, -2)


def test_a_discarded_batch_leaves_nothing(store: Store) -> None:
    source = Source(store)
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(10))
    appender.discard()
    assert count(store, "log_records") == 0


def test_a_store_that_is_closed_and_opened_again_has_everything(server: StoreServer, store: Store) -> None:
    Source(store).append(records(5))
    store.close()
    assert count(server.connect(), "log_records") == 5


def test_two_stores_append_to_different_streams_at_once(server: StoreServer, store: Store) -> None:
    def append(client: Store, uri: str) -> int:
        source = Source(client, uri)
        return sum(source.append(records(100, start=source.offset)).records for _ in range(10))

    with ThreadPoolExecutor() as threads:
        taken = list(threads.map(append, [store, server.connect()], ["file:///1", "file:///2"]))
    assert taken == [1000, 1000]
    per_stream = store.query("SELECT count(*) AS n FROM puppylog.log_records GROUP BY stream_id")
    assert per_stream["n"].to_pylist() == [1000, 1000]
    positions = store.query("SELECT byte_offset FROM puppylog.log_files")
    assert positions["byte_offset"].to_pylist() == [100_000, 100_000]


def test_lines_that_the_store_cannot_hold_are_kept_as_rejected_lines_with_their_bytes(
    store: Store, differs: Callable[[Difference], bool]
) -> None:
    bad = {500, 501, 700}
    batch = with_data(rows([{"message": "a\0b" if i in bad else "ab"} for i in range(1000)]))
    appended = Source(store).append(batch)
    rejected = store.query("SELECT line_offset, reason, line FROM puppylog.rejected_lines ORDER BY 1").to_pylist()
    if differs(NUL_IN_TEXT):
        assert (appended.records, appended.rejects) == (997, 3)
        assert [row["line_offset"] for row in rejected] == [i * LINE_BYTES for i in sorted(bad)]
        assert all(row["line"] == batch.line_at(row["line_offset"]) for row in rejected)
        assert all(row["reason"].startswith(NUL_IN_TEXT.expected) for row in rejected)
    else:
        assert (appended.records, appended.rejects, rejected) == (1000, 0, [])
    assert count(store, "log_records") == appended.records
    assert store.query("SELECT byte_offset FROM puppylog.log_files")["byte_offset"].to_pylist() == [1000 * LINE_BYTES]
