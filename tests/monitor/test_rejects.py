import pytest

from puppylog.errors import NotFound
from puppylog.monitor import rejects
from puppylog.monitor.rejects import KnownFile, RejectFilter, get_file_ids, iter_newest, iter_rejects, read_files
from support.memory import MemoryReader

FILES = {
    1: KnownFile(1, 10, "/var/log/nginx/access.log.1", "file:///var/log/nginx/access.log"),
    2: KnownFile(2, 10, "/var/log/nginx/access.log", "file:///var/log/nginx/access.log"),
    3: KnownFile(3, 11, "/srv/a b.log", "file://web1/srv/a%20b.log"),
    4: KnownFile(4, 12, "-", "stdin://"),
}


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["/var/log/nginx/access.log"], [1, 2]),
        (["/var/log/nginx/access.log.1"], [1]),
        (["/var/log/*"], [1, 2]),
        (["*.log.?"], [1]),
        (["/srv/a b.log"], [3]),
        (["file://web1/*"], [3]),
        (["file:///var/log/nginx/access.log"], [1, 2]),
        (["-"], [4]),
        (["/srv/*", "*.log.1"], [1, 3]),
        (["web1:/srv/a b.log"], [3]),
    ],
)
def test_a_source_is_named_by_its_path_its_uri_or_a_pattern(patterns: list[str], found: list[int]) -> None:
    assert get_file_ids(FILES, patterns) == found


@pytest.mark.parametrize("pattern", ["/var/log", "access", "", "/srv/a%20b.log.1", "[", "../*"])
def test_a_source_that_was_never_collected_is_not_found(pattern: str) -> None:
    with pytest.raises(NotFound, match="cannot find source"):
        get_file_ids(FILES, ["/srv/*", pattern])


def test_a_relative_path_is_relative_to_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/var")
    assert get_file_ids(FILES, ["log/nginx/access.log"]) == [1, 2]
    assert get_file_ids(FILES, ["log/nginx/*.1"]) == [1]


def reject(reader: MemoryReader, file_id: int, line_offset: int, line: bytes, **row: object) -> None:
    reader.insert("rejected_lines", **{"file_id": file_id, "line_offset": line_offset, "line": line, **row})


def test_files_are_read_with_their_streams(reader: MemoryReader) -> None:
    reader.insert("log_streams", id=10, source_uri="file:///a")
    reader.insert("log_files", id=7, stream_id=10, path="/a.1")
    assert read_files(reader) == {7: KnownFile(7, 10, "/a.1", "file:///a")}


def test_batches_are_limited_in_bytes_and_in_lines(reader: MemoryReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "_BATCH_BYTES", 10)
    monkeypatch.setattr(rejects, "_BATCH_LINES", 3)
    sizes = [1, 1, 1, 1, 9, 2, 30, 5, 5, 1]
    for number, size in enumerate(sizes):
        reject(reader, 1, number, b"x" * size)
    batches = [[len(line) for line in batch["line"].to_pylist()] for batch in iter_rejects(reader, RejectFilter())]
    assert batches == [[1, 1, 1], [1, 9], [2], [30], [5, 5], [1]]


def test_pages_cover_all_files_and_streams_in_order(reader: MemoryReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejects, "_PAGE_LINES", 2)
    places = [(2, 1, 0), (1, 3, 5), (1, 3, 0), (1, 4, 0), (2, 2, 9), (1, 3, 7)]
    for stream_id, file_id, line_offset in places:
        reject(reader, file_id, line_offset, b"x", stream_id=stream_id)
    found = [
        (row["stream_id"], row["file_id"], row["line_offset"])
        for batch in iter_rejects(reader, RejectFilter())
        for row in batch.to_pylist()
    ]
    assert found == sorted(places)


def test_the_newest_lines_come_in_the_order_in_which_they_were_rejected(reader: MemoryReader) -> None:
    reject(reader, 1, 0, b"oldest", rejected_at="2026-01-01T00:00:00Z")
    reject(reader, 2, 5, b"newest", rejected_at="2026-01-03T00:00:00Z")
    reject(reader, 3, 0, b"between", rejected_at="2026-01-02T00:00:00Z")
    [batch] = iter_newest(reader, RejectFilter(), lines=2)
    assert batch["line"].to_pylist() == [b"between", b"newest"]


def test_a_line_that_is_deleted_before_it_is_fetched_is_left_out(
    reader: MemoryReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejects, "_BATCH_LINES", 2)
    for number in range(5):
        reject(reader, 1, number, b"%d" % number)
    reading = iter_rejects(reader, RejectFilter())
    assert next(reading)["line"].to_pylist() == [b"0", b"1"]
    reader.connection.execute("DELETE FROM puppylog.rejected_lines WHERE line_offset IN (2, 3)")
    assert [batch["line"].to_pylist() for batch in reading] == [[b"4"]]
