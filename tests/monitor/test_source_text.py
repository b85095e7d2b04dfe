import gzip
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from puppylog.model.record import RECORDS
from puppylog.monitor.source_text import SourceText, read_source_texts
from puppylog.tail.checkpoint import START_OF_FILE
from support.lines import NOON
from support.memory import MemoryReader

LINES = [b"one\xff", b"two", b"\tat two", b"", b"end of two", b"{", b'"a": {', b"}", b"}", b'{"b": "x\\ny"}', b"last\r"]
DATA = b"\n".join(LINES) + b"\n"


def register(reader: MemoryReader, path: Path, *, uri: str = "file:///x.log", context: str = "regex\n") -> None:
    """Register the file of DATA as collected up to its end."""
    reader.insert("log_streams", id=1, source_uri=uri)
    position = asdict(START_OF_FILE.after(DATA, len(DATA)).fingerprint())
    reader.insert("log_files", id=2, stream_id=1, path=str(path), byte_offset=len(DATA), context=context, **position)


def row(line: bytes, **values: Any) -> Mapping[str, Any]:
    columns = {**dict.fromkeys(RECORDS.names), "ts": NOON, "message": line.decode(errors="replace"), "file_id": 2}
    return {**columns, "line_offset": DATA.index(line), **values}


MESSAGE = "two\n\tat two\n\nend of two"
ROWS = [
    row(b"last\r"),
    row(b"two", message=MESSAGE),
    row(b"one\xff"),
    row(b'{\n"a"'),
    row(b'{"b"'),
]
TEXTS = [b"last\r", MESSAGE.encode(), b"one\xff", b'{\n"a": {\n}\n}', b'{"b": "x\\ny"}']


@pytest.mark.parametrize("name", ["x.log", "x.log.gz"])
def test_the_text_is_that_of_the_file_if_it_still_is_the_same(reader: MemoryReader, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(DATA) if name.endswith("gz") else DATA)
    register(reader, path)
    assert read_source_texts(reader, ROWS, "here") == [SourceText(text, True) for text in TEXTS]
    assert read_source_texts(reader, [], "here") == []


def test_a_message_does_not_take_lines_that_are_not_its_own(reader: MemoryReader, tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(DATA)
    register(reader, tmp_path / "x.log")
    [text] = read_source_texts(reader, [row(b"two", message="two\nsomething else")], "here")
    assert text.text == b"two"


@pytest.mark.parametrize("fault", ["changed", "truncated", "gone", "directory", "elsewhere", "unknown", "empty"])
def test_the_text_is_put_together_if_the_file_is_not_the_one_that_was_collected(
    reader: MemoryReader, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(DATA)
    if fault != "unknown":
        register(reader, path, uri="file://there/x.log" if fault == "elsewhere" else "file://here/x.log")
    if fault == "changed":
        path.write_bytes(DATA.replace(b"one", b"eno"))
    elif fault == "truncated":
        path.write_bytes(DATA[:9])
    elif fault in {"gone", "directory"}:
        path.unlink()
    if fault == "directory":
        path.mkdir()
    if fault == "empty":
        reader.connection.execute("UPDATE puppylog.log_files SET head_size = 0")
    found = read_source_texts(reader, [row(b"two", host="web1", severity="info", attributes='{"a": 1}')], "here")
    assert found == [SourceText(b'2026-03-01T12:00:00+00:00 web1 info two {"a": 1}', False)]


def test_a_message_of_the_format_plain_is_the_line(reader: MemoryReader, tmp_path: Path) -> None:
    register(reader, tmp_path / "gone", context="plain\n")
    assert read_source_texts(reader, [row(b"two", severity="info")], "here") == [SourceText(b"two", True)]


def test_the_format_is_that_of_the_stream_if_it_was_not_detected(reader: MemoryReader, tmp_path: Path) -> None:
    register(reader, tmp_path / "gone", context="")
    reader.insert("stream_reports", stream_id=1, format="plain")
    assert read_source_texts(reader, [row(b"two")], "here")[0].is_exact


def test_a_request_becomes_a_line_of_an_access_log(reader: MemoryReader) -> None:
    request = {"host": "10.0.0.1", "request_method": "GET", "request_route": "/", "request_proto": "HTTP/1.1"}
    numbers = {"status_code": 200, "response_bytes": 5, "referer": "r", "message": None}
    [text] = read_source_texts(reader, [row(b"two", **request, **numbers)], "here")
    assert text.text == b'10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 5 "r" "-"'


def test_a_line_of_many_megabytes_is_put_together(
    reader: MemoryReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("puppylog.monitor.source_text._MAX_BYTES", 8)
    monkeypatch.setattr("puppylog.monitor.source_text._PIECE_BYTES", 4)
    (tmp_path / "x.log").write_bytes(DATA)
    register(reader, tmp_path / "x.log")
    texts = read_source_texts(reader, [row(b"one\xff"), row(b"end of two")], "here")
    assert [text.is_exact for text in texts] == [True, False]
