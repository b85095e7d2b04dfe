"""A log whose lines end with CR only, as on the classic Mac, through the commands."""

from pathlib import Path

from support.commands import Puppylog
from support.embedded import EmbeddedStore


def test_a_log_with_cr_only_is_collected_once_at_the_offsets_of_its_lines(
    server: EmbeddedStore, puppylog: Puppylog, tmp_path: Path
) -> None:
    path = tmp_path / "mac.log"
    lines = [f"2026-11-24 11:00:00.250 ERROR number {number}\r".encode() for number in range(150)]
    path.write_bytes(b"".join(lines[:140]))
    for part in (b"".join(lines[140:]), b""):
        ran = puppylog("collector", "-s", str(path))
        assert ran.code == 0, ran.err
        with path.open("ab") as file:
            file.write(part)
    ran = puppylog("collector", "-s", str(path))
    assert ran.code == 0, ran.err
    with server.connect() as store:
        found = store.query("SELECT message, line_offset FROM puppylog.log_records ORDER BY line_offset").to_pylist()
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    assert [(row["message"], row["line_offset"]) for row in found] == [
        (f"number {number}", start) for number, start in enumerate(starts)
    ]
