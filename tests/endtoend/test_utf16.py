"""A log in UTF-16, as programs on Windows write it, through the commands and through kills, rotation and truncation."""

import json
import random
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.rotating_log import Collecting, Writer

FIND = """
    SELECT count(*) AS records, count(DISTINCT (file_id, line_offset)) AS places,
           count(DISTINCT response_bytes) AS numbers, (SELECT count(*) FROM puppylog.rejected_lines) AS rejects
    FROM puppylog.log_records
"""


def count(server: EmbeddedStore) -> dict[str, int]:
    with server.connect() as store:
        store.create_group("barrier")  # returns when earlier commits are durable
        (row,) = store.query(FIND).to_pylist()
    return dict(row)


@pytest.mark.sampled
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_every_line_of_utf_16_is_stored_once_through_kills_rotation_and_truncation(
    server: EmbeddedStore, tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "access.log"
    writer = Writer(path, random.Random(encoding), encoding=encoding, mark="\ufeff")
    writer.write(500)
    collecting = Collecting(path, server.url, tmp_path / "collector.err")

    def catch_up() -> None:
        wait_until(lambda: count(server)["records"] >= writer.written, what=f"line {writer.written}")

    try:
        catch_up()
        writer.write(500)
        collecting.kill()
        writer.write(500)
        writer.rotate()
        writer.write(500)
        collecting.kill()
        catch_up()
        writer.truncate()
        writer.write(500)
        catch_up()
        assert collecting.stop() == 0, collecting.said
    finally:
        collecting.end()
        writer.close()
    number = writer.written
    assert count(server) == {"records": number, "places": number, "numbers": number, "rejects": 0}
    assert "cannot" not in collecting.said


def test_utf_16_is_detected_and_collected_once_without_watching(puppylog: Puppylog, tmp_path: Path) -> None:
    path = tmp_path / "ERRORLOG"
    lines = [f"2026-11-24 11:00:0{second}.250 ERROR Datei für 🐶 fehlt ({second})" for second in range(5)]
    path.write_bytes("\r\n".join(["\ufeff" + lines[0], *lines[1:], ""]).encode("utf-16-le"))
    ran = puppylog("collector", "detect", str(path), "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    (row, *_) = json.loads(ran.out)
    assert (row["format"], row["coverage"], row["records"], row["rejected"]) == ("app", 1, 5, 0)
    for _ in range(2):
        assert puppylog("collector", "-s", str(path)).code == 0
    with path.open("ab") as file:
        file.write("2026-11-24 11:00:05.250 ERROR Datei für 🐶 fehlt (5)\r\n".encode("utf-16-le"))
    assert puppylog("collector", "-s", str(path)).code == 0
    ran = puppylog("sql", "SELECT message, severity FROM puppylog.log_records ORDER BY line_offset", "-o", "json")
    assert [(row["message"], row["severity"]) for row in json.loads(ran.out)] == [
        (f"Datei für 🐶 fehlt ({second})", "error") for second in range(6)
    ]
