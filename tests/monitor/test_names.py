from puppylog.monitor.names import list_names
from support.memory import MemoryReader


def test_the_names_of_each_kind_are_listed_in_their_order(reader: MemoryReader) -> None:
    reader.insert("log_groups", id=7, name="shop")
    reader.insert("log_groups", id=8, name="blog")
    assert list_names(reader, "group") == ["blog", "shop"]
    assert list_names(reader, "metric") == list_names(reader, "alert") == []
