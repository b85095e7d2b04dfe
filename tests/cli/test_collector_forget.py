"""``puppylog collector forget`` deletes a stream with its records, unless a collector follows it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from puppylog.stores.connect import connect
from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import open_stream

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /gone HTTP/1.1" 200 17 "-" "curl/8"\n'


@pytest.fixture
def log(cli: InProcess, tmp_path: Path) -> Path:
    """A log of ten lines and a line that is no access log, which is collected."""
    path = tmp_path / "access.log"
    path.write_text(LINE * 10 + "no access log\n")
    assert cli("collector", "-s", str(path), "-f", "combined").code == 0
    return path


def sources(cli: InProcess) -> list[str]:
    return [row["source"] for row in json.loads(cli("streams", "list", "-o", "json").out)]


def count(cli: InProcess, table: str, log: Path) -> int:
    query = f"select count(*) as n from {table} join log_files f on f.id = file_id where f.path = '{log}'"
    return int(json.loads(cli("sql", query, "-o", "jsonl").out)["n"])


def test_a_stream_is_deleted_with_its_records_and_read_from_the_start_again(cli: InProcess, log: Path) -> None:
    others = [source for source in sources(cli) if source != str(log)]
    gone = cli("collector", "forget", str(log))
    assert (gone.code, gone.out) == (0, "")
    assert gone.err == (f"puppylog: deleted 10 records and 1 rejected line of {log}; archived files are not changed\n")
    assert sources(cli) == others
    assert count(cli, "log_records", log) == count(cli, "rejected_lines", log) == 0
    assert " 10 records, 1 rejected in " in cli("collector", "-s", str(log), "-f", "combined").err


def test_a_path_is_relative_to_the_working_directory(
    cli: InProcess, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(log.parent)
    assert cli("collector", "forget", log.name).code == 0
    assert str(log) not in sources(cli)


@contextmanager
def followed(server: EmbeddedStore, log: Path) -> Iterator[None]:
    with connect(server.url) as store:
        open_stream(store, f"file://{log}")
        yield


def test_a_stream_that_a_collector_follows_is_not_deleted(cli: InProcess, server: EmbeddedStore, log: Path) -> None:
    with followed(server, log):
        refused = cli("collector", "forget", str(log))
    assert refused.code != 0
    assert refused.err.startswith(f"puppylog: cannot forget stream {log}: process ")
    assert refused.err.endswith(" follows it already; stop that collector first; it may be puppylog up\n")
    assert count(cli, "log_records", log) == 10


def test_an_unknown_stream_is_an_error_of_one_line(cli: InProcess) -> None:
    refused = cli("collector", "forget", "/var/log/never.log")
    assert (refused.code, refused.err) == (
        2,
        "puppylog: cannot find stream /var/log/never.log: the store has none of this name; see puppylog streams list\n",
    )


def test_a_person_is_asked_and_may_say_no(cli: InProcess, log: Path, asked: list[str]) -> None:
    assert cli("collector", "forget", str(log)).code != 0
    assert asked == [f"Delete 10 records and 1 rejected line of {log}?"]
    assert count(cli, "log_records", log) == 10
    assert cli("collector", "forget", str(log), "--yes").code == 0
    assert len(asked) == 1
    assert str(log) not in sources(cli)
