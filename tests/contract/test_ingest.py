"""What `puppylog.stores.base.Inlet` promises."""

from typing import Any

import pytest

from puppylog.errors import StreamBusy
from puppylog.model.stream import EMPTY_FINGERPRINT
from puppylog.stores.base import Appended, Store
from support.embedded import EmbeddedStore
from support.lines import NOON, Source, fingerprint, records, rejects


def count(store: Store, table: str) -> int:
    return int(store.query(f"SELECT count(*) AS n FROM puppylog.{table}")["n"][0].as_py())


def test_a_new_stream_has_no_files_and_the_group_it_was_given(store: Store) -> None:
    stream = store.open_stream("file:///a.log", group="web")
    assert (stream.source_uri, stream.group, stream.files) == ("file:///a.log", "web", ())


def test_rows_and_position_are_there_together(store: Store) -> None:
    source = Source(store)
    assert source.append(records(3), rejects(b"bad \xff", start=300)) == Appended(records=3, rejects=1)
    assert (count(store, "log_records"), count(store, "rejected_lines")) == (3, 1)
    store.close_stream(source.stream_id)
    (file,) = store.open_stream("file:///var/log/test.log").files
    assert (file.file_id, file.byte_offset, file.fingerprint) == (source.file_id, 400, fingerprint(400))
    assert not file.finished


def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    source = Source(store)
    columns: dict[str, Any] = {
        "ident": None,
        "ruser": "jö \x00",
        "request_method": "GET",
        "request_route": "/a",
        "request_proto": "HTTP/1.1",
        "status_code": 200,
        "response_bytes": 2**40,
        "referer": "-",
        "user_agent": "ü",
        "severity": "info",
        "message": "m",
        "attributes": '{"a": 1}',
    }
    source.append(records(1, **columns))
    (row,) = store.query("SELECT * FROM puppylog.log_records").to_pylist()
    expected = {"ts": NOON, "stream_id": source.stream_id, "file_id": source.file_id, "line_offset": 0, "host": "h"}
    assert row == {**expected, **columns}


def test_a_rejected_line_keeps_its_bytes(store: Store) -> None:
    Source(store).append(rejects(b"\x16\x03\x00\xff"))
    (row,) = store.query("SELECT line, reason FROM puppylog.rejected_lines").to_pylist()
    assert row == {"line": b"\x16\x03\x00\xff", "reason": "no reason"}


def test_a_batch_is_not_stored_twice(store: Store) -> None:
    source = Source(store)
    source.append(records(3))
    again = store.appender()
    again.write(source.stream_id, source.file_id, records(3))
    with pytest.raises(StreamBusy, match="another collector has taken it to byte 300"):
        again.commit([source.move(0, 300)])
    again.discard()
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


def test_a_stream_is_followed_by_one_collector_at_a_time(server: EmbeddedStore, store: Store) -> None:
    stream = store.open_stream("file:///a.log")
    other = server.connect()
    with pytest.raises(StreamBusy, match="follows it already"):
        other.open_stream("file:///a.log")
    store.close_stream(stream.stream_id)
    assert other.open_stream("file:///a.log").stream_id == stream.stream_id


def test_a_new_file_stands_where_it_was_opened(store: Store) -> None:
    stream = store.open_stream("file:///a.log")
    file = store.open_file(stream.stream_id, path="/a.log", device=-1, inode=-2, byte_offset=7)
    assert (file.byte_offset, file.fingerprint, file.device, file.inode) == (7, EMPTY_FINGERPRINT, -1, -2)


def test_a_discarded_batch_leaves_nothing(store: Store) -> None:
    source = Source(store)
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(10))
    appender.discard()
    assert count(store, "log_records") == 0


def test_a_store_that_is_closed_and_opened_again_has_everything(server: EmbeddedStore, store: Store) -> None:
    Source(store).append(records(5))
    store.close()
    assert count(server.connect(), "log_records") == 5
