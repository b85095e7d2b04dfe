"""Reading a stream again in another format, with the files as rotation has left them."""

import gzip
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.differences import DROPS_LATER, Difference
from contract.test_retention import drop_old
from puppylog.collect.collector import Collector
from puppylog.collect.format_choice import make_source
from puppylog.collect.options import CollectOptions
from puppylog.collect.reread import Counts, DryRewriting, Rereader
from puppylog.collect.stored_files import StoredFile, find_stored_files
from puppylog.errors import SourceError
from puppylog.formats.base import Format, Options
from puppylog.formats.registry import find_format
from puppylog.model.metric import Metric
from puppylog.model.retention import Retention
from puppylog.model.stream import Stream
from puppylog.monitor.streams import count_rows, find_source_uri
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import open_stream
from support.observations import assert_same, points, raw
from support.server import StoreServer

pytestmark = pytest.mark.sampled

HOST = "web1"


def json_line(number: int, *, padding: int = 0) -> str:
    at = f"2026-11-24T10:{number // 60 % 60:02d}:{number % 60:02d}Z"
    level = "error" if number % 3 == 0 else "info"
    return json.dumps({"time": at, "level": level, "msg": f"line {number}", "pad": "x" * padding}) + "\n"


def json_lines(start: int, end: int) -> str:
    return "".join(json_line(number) for number in range(start, end))


def choose(format_: str, multiline: str) -> Format:
    return find_format(format_, Options(joins_lines=multiline == "auto"))


def collect(store: Store, path: Path, format_: str, *, from_end: bool = False, multiline: str = "auto") -> None:
    source = make_source([str(path)], choose(format_, multiline), from_end=from_end, multiline=multiline)
    options = CollectOptions(sources=[source], host=HOST if store.is_shared else "")
    Collector(store, options, stop=threading.Event(), on_event=lambda _: None).run()


class Streams:
    """The stream of a log, which is read again."""

    def __init__(self, store: Store, path: Path) -> None:
        self.store = store
        self.path = path

    def open(self) -> Stream:
        """Claim the stream and release it at once; return it with its present positions."""
        uri = find_source_uri(self.store, str(self.path), HOST)
        stream = open_stream(self.store, uri)
        self.store.close_stream(stream.stream_id)
        return stream

    def find(self) -> Sequence[StoredFile]:
        return find_stored_files(self.open())

    def reread(self, format_: str = "json", *, multiline: str = "auto", is_dry: bool = False) -> Counts:
        """Read all files again that are there."""
        total = Counts()
        stream = self.open()
        rows = count_rows(self.store, stream.stream_id)
        rereader = Rereader(
            make_source([], choose(format_, multiline), multiline=multiline),
            DryRewriting if is_dry else self.store.rewriting,
            stop=threading.Event(),
        )
        for file in find_stored_files(stream):
            if file.path is not None and file.position.file_id in rows:
                first = rows[file.position.file_id].first_offset
                total.add(rereader.reread(stream.stream_id, file.position, file.path, first))
        return total


def numbers(store: Store) -> Counter[str]:
    """Return how often each message is stored."""
    return Counter(store.query("SELECT message FROM puppylog.log_records")["message"].to_pylist())


def expected(start: int, end: int) -> Counter[str]:
    return Counter(f"line {number}" for number in range(start, end))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The path of a log. No directory of another test, which may have a copy of the log, is next to the log's."""
    folder = tmp_path / "var" / "log"
    folder.mkdir(parents=True)
    return folder / "app.log"


def rotate(store: Store, log: Path, *, compressed: Container[int] = ()) -> None:
    """Store the log in the format plain, and rotate it: three files of a hundred lines, and the log of fifty.

    Args:
        store: the store.
        log: its path.
        compressed: the numbers in the names of the files that are compressed; the oldest is 3.
    """
    for number in range(3):
        log.write_text(json_lines(100 * number, 100 * number + 100))
        collect(store, log, "plain")
        old = log.with_name(f"app.log.{3 - number}")
        log.rename(old)
        if 3 - number in compressed:
            old.with_name(f"{old.name}.gz").write_bytes(gzip.compress(old.read_bytes()))
            old.unlink()
    log.write_text(json_lines(300, 350))
    collect(store, log, "plain")


def test_all_files_of_a_stream_are_read_again_and_metrics_count_the_new_records(
    server: StoreServer, store: Store, log: Path
) -> None:
    rotate(store, log, compressed={2, 3})
    store.create_metric(Metric("hits", "count", "*", 60, refresh_s=1))
    store.create_metric(Metric("by_severity", "count", "*", 60, "severity", refresh_s=1))
    streams = Streams(store, log)
    before = {position.file_id: position for position in streams.open().files}
    done = streams.reread()
    assert (done.removed_records, done.removed_rejects, done.records, done.rejects) == (350, 0, 350, 0)
    assert (list(done.formats), numbers(store)) == (["json"], expected(0, 350))
    for position in streams.open().files:
        old = before[position.file_id]
        assert (position.byte_offset, position.fingerprint) == (old.byte_offset, old.fingerprint)
        assert position.context.startswith("json\n")
    wait_until(lambda: server.is_settled(store), within_s=60, what="the correction")
    assert_same(points(store, "hits"), raw(store, "count(*)", 60))
    assert_same(points(store, "by_severity"), raw(store, "count(*)", 60, "severity"))


def test_records_of_a_file_that_is_gone_stay_as_they_are(store: Store, log: Path) -> None:
    rotate(store, log)
    log.with_name("app.log.2").unlink()
    streams = Streams(store, log)
    assert [file.path and Path(file.path).name for file in streams.find()] == [
        "app.log.3",
        None,
        "app.log.1",
        "app.log",
    ]
    assert streams.reread().records == 250
    found = numbers(store)
    assert sum(found.values()) == 350
    assert all(found[f"line {number}"] == (not 100 <= number < 200) for number in range(350))


def test_a_collector_goes_on_behind_the_position_in_the_new_format(store: Store, log: Path) -> None:
    log.write_text(json_lines(0, 50))
    collect(store, log, "plain")
    with log.open("a") as file:
        file.write(json_lines(50, 52))
    assert Streams(store, log).reread().records == 50
    assert numbers(store) == expected(0, 50)
    collect(store, log, "auto")
    assert numbers(store) == expected(0, 52)


def test_the_context_of_an_explicit_format_is_found_by_a_collector_with_that_format(store: Store, log: Path) -> None:
    head = "#Version: 1.0\n#Fields: date time cs-method cs-uri-stem sc-status\n"
    rows = [f"2026-11-24 10:00:{second:02d} GET /{second} 200\n" for second in range(20)]
    log.write_text(head + "".join(rows[:10]))
    collect(store, log, "plain")
    Streams(store, log).reread("w3c")
    with log.open("a") as file:
        file.write("".join(rows[10:]))
    collect(store, log, "w3c")
    routes = store.query("SELECT request_route FROM puppylog.log_records")["request_route"].to_pylist()
    assert Counter(routes) == Counter(f"/{second}" for second in range(20))
    assert store.query("SELECT count(*) AS n FROM puppylog.rejected_lines")["n"][0].as_py() == 0


def test_directives_before_the_first_record_are_read_as_well(store: Store, log: Path) -> None:
    log.write_text("# of the shop\n#Fields: date time cs-uri-stem\n2026-11-24 10:00:00 /a\n")
    collect(store, log, "w3c")
    assert Streams(store, log).reread("plain").records == 2


def test_lines_that_a_collector_has_skipped_are_not_stored(store: Store, log: Path) -> None:
    log.write_text(json_lines(0, 2_000))
    collect(store, log, "plain", from_end=True)
    with log.open("a") as file:
        file.write(json_lines(2_000, 2_010))
    collect(store, log, "plain")
    done = Streams(store, log).reread()
    assert (done.records, numbers(store)) == (10, expected(2_000, 2_010))


def test_what_retention_has_dropped_is_not_stored_again_and_stays_counted(
    server: StoreServer, store: Store, log: Path, differs: Callable[[Difference], bool]
) -> None:
    now = datetime.now(UTC)
    times = [now - timedelta(days=10, seconds=30 - number) for number in range(30)]
    times += [now - timedelta(days=2, seconds=20 - number) for number in range(20)]
    log.write_text("".join(json.dumps({"time": at.isoformat(), "msg": "x", "level": "info"}) + "\n" for at in times))
    collect(store, log, "json")
    store.create_metric(Metric("hits", "count", "*", 60, refresh_s=1))
    store.create_metric(Metric("by_severity", "count", "*", 60, "severity", refresh_s=1))
    wait_until(lambda: server.is_settled(store), what="the refresh of the metrics")
    store.set_retention(Retention(7 * 86_400))
    wait_until(lambda: drop_old(server, store, is_later=differs(DROPS_LATER)) == 20, what="the drop")
    done = Streams(store, log).reread("plain")
    assert (done.removed_records, done.records) == (20, 20)
    done = Streams(store, log).reread("json")
    assert (done.removed_records, done.records) == (20, 20)
    wait_until(lambda: server.is_settled(store), within_s=60, what="the correction")
    for name in ("hits", "by_severity"):
        assert store.query(f"SELECT sum(value) AS n FROM metrics.{name}")["n"].to_pylist() == [50]
    assert not any(finding.state.is_bad for finding in store.list_findings().findings if "hits" in finding.subject)


def test_cut_and_unfinished_lines_are_stored_once_and_go_on_where_they_were(store: Store, log: Path) -> None:
    log.write_text(json_line(0) + json_line(1, padding=(1 << 20) + 10) + json_line(2) + json_line(3).rstrip("\n"))
    old = log.stat().st_mtime - 60
    os.utime(log, (old, old))
    collect(store, log, "plain")
    (position,) = Streams(store, log).open().files
    assert position.byte_offset == log.stat().st_size
    done = Streams(store, log).reread()
    assert (done.removed_records, done.records, done.rejects) == (4, 3, 1)  # the cut line is no JSON any more
    assert numbers(store) == Counter(["line 0", "line 2", "line 3"])
    with log.open("a") as file:
        file.write("\n" + json_line(4))
    collect(store, log, "json")
    assert numbers(store) == Counter(["line 0", "line 2", "line 3", "line 4"])
    assert store.query("SELECT count(*) AS n FROM puppylog.rejected_lines")["n"][0].as_py() == 1


def test_records_of_several_lines_are_joined(store: Store, log: Path) -> None:
    log.write_text("".join(f"ERROR {number}\n  at shop.py:{number}\n" for number in range(20)))
    collect(store, log, "plain", multiline="none")
    assert sum(numbers(store).values()) == 40
    joined = Streams(store, log).reread("plain")
    assert (joined.removed_records, joined.records) == (40, 20)
    apart = Streams(store, log).reread("plain", multiline="none")
    assert (apart.removed_records, apart.records) == (20, 40)
    Streams(store, log).reread("plain", multiline="indent")
    assert numbers(store) == Counter(f"ERROR {number}\n  at shop.py:{number}" for number in range(20))


def test_a_dry_run_counts_and_changes_nothing(store: Store, log: Path) -> None:
    log.write_text(json_lines(0, 10) + "no JSON\n")
    collect(store, log, "plain")
    before = store.query("SELECT * FROM puppylog.log_records ORDER BY line_offset").to_pylist()
    done = Streams(store, log).reread(is_dry=True)
    assert (done.records, done.rejects, sum(done.reasons.values())) == (10, 1, 1)
    assert store.query("SELECT * FROM puppylog.log_records ORDER BY line_offset").to_pylist() == before


def test_a_file_that_changes_while_it_is_read_keeps_its_rows(store: Store, log: Path) -> None:
    log.write_text(json_lines(0, 10))
    collect(store, log, "plain")
    streams = Streams(store, log)
    stream = streams.open()
    (file,) = find_stored_files(stream)
    log.write_text(json_lines(10, 20))
    rereader = Rereader(make_source([], find_format("json")), store.rewriting, stop=threading.Event())
    with pytest.raises(SourceError, match="it has changed since it was stored"):
        rereader.reread(stream.stream_id, file.position, str(log), 0)
    assert sum(numbers(store).values()) == 10
    assert find_stored_files(stream)[0].path is None
