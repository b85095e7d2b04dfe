from puppylog.monitor.groups import list_groups
from support.memory import MemoryReader


def test_groups_are_listed_with_what_belongs_to_them(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=7, name="shop")
    reader.insert("log_groups", id=8, name="empty")
    reader.insert("log_streams", id=1, group_id=7)
    reader.insert("log_streams", id=2, group_id=7)
    reader.insert("log_streams", id=3)
    reader.insert("log_files", id=4, stream_id=1, byte_offset=100)
    reader.insert("log_files", id=5, stream_id=1, byte_offset=20)
    reader.insert("log_files", id=6, stream_id=3, byte_offset=3)
    rows = list_groups(reader).select(["name", "streams", "files", "bytes"]).to_pylist()
    assert rows == [
        {"name": "empty", "streams": 0, "files": 0, "bytes": 0},
        {"name": "shop", "streams": 2, "files": 2, "bytes": 120},
    ]
