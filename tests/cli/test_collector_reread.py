"""``puppylog collector reread`` says what it reads and what it cannot, asks, and replaces the records of a stream."""

import json
from pathlib import Path

import pytest

from puppylog.collect.reread import Counts, Rereader
from puppylog.model.stream import FilePosition
from puppylog.stores.connect import connect
from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import NOON, Source, open_stream, records


@pytest.fixture
def log(cli: InProcess, tmp_path: Path) -> Path:
    """A log of two files in JSON and a line that is none, which was collected as plain text."""
    folder = tmp_path / "var" / "log"
    folder.mkdir(parents=True)
    path = folder / "app.log"
    for start in (0, 10):
        if path.exists():
            path.rename(folder / "app.log.1")
        lines = [
            json.dumps({"time": f"2026-11-24T10:00:{number:02d}Z", "level": "info", "msg": f"{folder} {number}"})
            for number in range(start, start + 10)
        ]
        path.write_text("\n".join([*lines, "no JSON"][: 10 + start // 10]) + "\n")
        assert cli("collector", "-s", str(path), "-f", "plain").code == 0
    return path


def stored(cli: InProcess, log: Path) -> list[str | None]:
    """Return the severities of the log's records."""
    query = (
        "select severity from log_records join log_files f on f.id = file_id"
        f" where f.path like '{log}%' order by file_id, line_offset"
    )
    return [json.loads(line)["severity"] for line in cli("sql", query, "-o", "jsonl").out.splitlines()]


def test_a_stream_is_read_again_and_the_command_says_what_it_has_done(cli: InProcess, log: Path) -> None:
    assert stored(cli, log) == [None] * 21
    done = cli("collector", "reread", str(log), "--format", "json")
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        f"puppylog: {log}: 2 files to read, {sum(p.stat().st_size for p in log.parent.iterdir()) / 1000:.1f} kB\n"
        f"puppylog: replaced 21 records and 0 rejected lines of {log} "
        "by 20 records and 1 rejected line, read as json\n"
        "puppylog: a collector with --format auto reads the next files of this stream as json, too\n"
    )
    assert stored(cli, log) == ["info"] * 20
    assert " 0 records, 0 rejected in " in cli("collector", "-s", str(log)).err


def test_the_next_files_of_a_stream_that_was_read_again_have_its_format(cli: InProcess, log: Path) -> None:
    assert cli("collector", "reread", str(log), "--format", "json").code == 0
    for number in (2, 3):
        log.rename(log.with_name(f"old.{number}"))
        line = json.dumps({"time": f"2026-11-24T11:00:0{number}Z", "level": "error", "msg": f"{number}"})
        log.write_text("".join(f"no JSON {number} {other}\n" for other in range(30)) + f"{line}\n")
        assert " 1 records, 30 rejected in " in cli("collector", "-s", str(log)).err
    assert stored(cli, log)[20:] == ["error"] * 2


def test_a_dry_run_shows_both_numbers_and_changes_nothing(cli: InProcess, log: Path) -> None:
    dry = cli("collector", "reread", str(log), "--format", "json", "--dry-run")
    assert dry.code == 0
    first, reason = dry.out.splitlines()
    assert first == (
        "21 records and 0 rejected lines are stored; there would be 20 records and 1 rejected line, read as json"
    )
    assert reason.startswith("       1 rejected: ")
    assert stored(cli, log) == [None] * 21


def test_files_that_are_gone_are_named_before_anything_is_changed(cli: InProcess, log: Path) -> None:
    log.with_name("app.log.1").unlink()
    done = cli("collector", "reread", str(log), "--format", "json")
    assert done.code == 0
    assert f"{log} is not read: it no longer exists; its 10 records and 0 rejected lines stay as they are\n" in done.err
    assert stored(cli, log) == [None] * 10 + ["info"] * 10
    log.unlink()
    nothing = cli("collector", "reread", str(log), "--format", "json")
    assert nothing.code == 2
    assert "0 files to read" in nothing.err
    assert nothing.err.endswith(f"cannot reread stream {log}: none of its files exists any longer\n")


def test_a_file_that_is_rotated_after_it_was_found_is_found_again(
    cli: InProcess, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Rereader.reread

    def rotate_and_read(rereader: Rereader, stream_id: int, position: FilePosition, path: str, first: int) -> Counts:
        if path == str(log) and log.exists():
            log.with_name("app.log.1").rename(log.with_name("app.log.2"))
            log.rename(log.with_name("app.log.1"))
            log.write_text("the next file\n")
        return read(rereader, stream_id, position, path, first)

    monkeypatch.setattr(Rereader, "reread", rotate_and_read)
    done = cli("collector", "reread", str(log), "--format", "json")
    assert done.code == 0
    assert stored(cli, log) == ["info"] * 20


def test_a_person_is_told_to_give_the_collector_the_same_format(cli: InProcess, log: Path) -> None:
    done = cli("collector", "reread", str(log), "--format", "(?P<message>.*)")
    assert done.err.endswith("give the collector the same --format: auto chooses again for these files\n")
    assert "--format" not in cli("collector", "reread", str(log)).err


def test_a_person_is_asked_and_may_say_no(cli: InProcess, log: Path, asked: list[str]) -> None:
    assert cli("collector", "reread", str(log), "--format", "json").code != 0
    assert asked == [f"Replace 21 records and 0 rejected lines of {log}?"]
    assert stored(cli, log) == [None] * 21
    assert cli("collector", "reread", str(log), "--format", "json", "--yes").code == 0
    assert len(asked) == 1


def test_a_stream_that_a_collector_follows_is_not_read_again(cli: InProcess, server: EmbeddedStore, log: Path) -> None:
    with connect(server.url) as store:
        open_stream(store, f"file://{log}")
        refused = cli("collector", "reread", str(log), "--format", "json")
    assert refused.code != 0
    assert refused.err.startswith(f"puppylog: cannot reread stream {log}: process ")
    assert refused.err.endswith(" follows it already; stop that collector first; it may be puppylog up\n")


def test_a_stream_without_files_and_a_stream_of_another_host_are_refused(cli: InProcess, server: EmbeddedStore) -> None:
    with connect(server.url) as store:
        for uri in ("otlp://web1/shop", "file://web2/var/log/other.log"):
            Source(store, uri).append(records(1, ts=NOON))
    received = cli("collector", "reread", "otlp://web1/shop")
    assert (received.code, received.err) == (
        2,
        "puppylog: cannot reread stream otlp://web1/shop: its lines did not come from files\n",
    )
    elsewhere = cli("collector", "reread", "web2:/var/log/other.log")
    assert elsewhere.code == 2
    assert elsewhere.err.endswith(": its files are on web2; run the command there\n")
