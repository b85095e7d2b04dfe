from puppylog.monitor.attributes import find_attributes
from support.memory import MemoryReader


def test_attributes_are_known_by_the_newest_records(reader: MemoryReader) -> None:
    attributes = '{"user": "ann", "http": {"code": 200, "path": null}, "tags": ["a"], "empty": ""}'
    reader.insert("log_records", attributes=attributes)
    reader.insert("log_records", attributes='{"empty": "now not"}')
    assert find_attributes(reader, [], "duckdb") == {
        "user": "ann",
        "http.code": "200",
        "http": '{"code": 200, "path": null}',
        "tags": '["a"]',
        "empty": "now not",
    }


def test_a_name_that_only_an_old_record_has_is_found(reader: MemoryReader) -> None:
    reader.insert("log_records", ts="2015-05-17T12:00:00Z", attributes='{"rare": "x", "a": {"b": 1}}')
    reader.connection.execute("CREATE TABLE numbers AS FROM range(2500)")
    reader.connection.execute(
        "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset, attributes) "
        "SELECT now(), 1, 1, range, '{\"n\": 1}' FROM numbers"
    )
    assert find_attributes(reader, ["rare", "a.b", "never"], "duckdb") == {"n": "1", "rare": "", "a.b": ""}
