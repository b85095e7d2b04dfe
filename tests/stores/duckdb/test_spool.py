"""The spool: complete row groups, and files that are overwritten when no engine reads them any more."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import ipc

from puppylog.errors import StoreError, StoreUnavailable
from puppylog.model.record import RECORDS
from puppylog.stores.duckdb import spool as spool_module
from puppylog.stores.duckdb.client.store import DuckdbStore
from puppylog.stores.duckdb.spool import ROW_GROUP, SPOOLED_RECORDS, Spool, SpoolFile, read_spooled, sweep
from support.embedded import EmbeddedStore
from support.lines import Source, records


@pytest.fixture(autouse=True)
def _all_rows_have_files(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "few_rows" not in request.node.name:
        monkeypatch.setattr(spool_module, "_INLINE_BYTES", -1)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path) as spool:
        yield spool


def make_rows(first: int, count: int) -> pa.RecordBatch:
    """Return records that differ in the offsets of their lines."""
    offsets = pa.array(range(first, first + count), pa.int64())
    nulls = {field.name: pa.nulls(count, field.type) for field in RECORDS}
    known = {"line_offset": offsets, "ts": offsets.cast(RECORDS.field("ts").type), "host": offsets.cast(pa.string())}
    return pa.RecordBatch.from_pydict({**nulls, **known}, schema=RECORDS)


def fill(spool: Spool, *parts: pa.RecordBatch) -> tuple[SpoolFile, str]:
    file = spool.open_file(SPOOLED_RECORDS)
    for part in parts:
        file.write(1, 2, part)
    path = file.finish()
    assert path is not None
    return file, path


def offsets_in(spool: Spool, path: str) -> Sequence[int]:
    offsets: list[int] = read_spooled(spool.path.parent, path, SPOOLED_RECORDS)["line_offset"].to_pylist()
    return offsets


def test_rows_come_in_their_order_and_in_batches_that_fill_a_row_group(spool: Spool) -> None:
    sizes = (70_000, 3, 200_000, 50_000)
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    _, path = fill(spool, *map(make_rows, starts, sizes))
    with pa.memory_map(path) as source:
        reader = ipc.open_file(source)
        lengths = [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)]
    assert lengths == [ROW_GROUP, ROW_GROUP, sum(sizes) - 2 * ROW_GROUP]
    assert offsets_in(spool, path) == list(range(sum(sizes)))


@pytest.mark.parametrize("count", [1, 999, 1000, 5000])
def test_a_file_that_was_given_back_is_overwritten_by_fewer_or_more_rows(spool: Spool, count: int) -> None:
    file, path = fill(spool, make_rows(0, 1000))
    file.give_back()
    _, next_path = fill(spool, make_rows(7000, count))
    assert next_path == path
    assert offsets_in(spool, next_path) == list(range(7000, 7000 + count))


def test_a_file_that_was_not_given_back_stays_as_it_is(spool: Spool) -> None:
    _, path = fill(spool, make_rows(0, 10))
    _, next_path = fill(spool, make_rows(7000, 10))
    assert next_path != path
    assert offsets_in(spool, path) == list(range(10))


def test_discarding_a_file_removes_the_files_that_wait_for_overwriting(spool: Spool) -> None:
    done, _ = fill(spool, make_rows(0, 10))
    wanted, path = fill(spool, make_rows(10, 10))
    unwanted, _ = fill(spool, make_rows(20, 10))
    done.give_back()
    unwanted.discard()
    assert [str(file) for file in spool.path.iterdir()] == [path]
    wanted.discard()
    assert list(spool.path.iterdir()) == []


def test_a_file_without_rows_is_none(spool: Spool) -> None:
    file = spool.open_file(SPOOLED_RECORDS)
    file.write(1, 2, make_rows(0, 0))
    assert file.finish() is None
    file.give_back()
    assert list(spool.path.iterdir()) == []


def test_a_collector_reuses_one_file_until_it_has_caught_up(server: EmbeddedStore) -> None:
    store = server.connect()
    source = Source(store)
    found: set[Path] = set()
    for _ in range(3):
        source.append(records(10))
        found.update(server.directory.spool.rglob("*.arrow"))
    assert len(found) == 1
    store.keep_alive()
    assert list(server.directory.spool.rglob("*.arrow")) == []


def test_a_few_rows_have_no_file(spool: Spool) -> None:
    file, rows = fill(spool, make_rows(0, 3), make_rows(3, 7))
    assert file.finish() == rows
    assert list(spool.path.iterdir()) == []
    assert offsets_in(spool, rows) == list(range(10))


def test_a_few_rows_are_committed_once_without_a_file(server: EmbeddedStore) -> None:
    store = server.connect()
    source = Source(store)
    source.append(records(10))
    source.append(records(10))
    assert list(server.directory.spool.rglob("*.arrow")) == []
    assert store.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 20}]


@pytest.mark.parametrize("text", ["rows:", "rows:!", "rows:AAAA"])
def test_a_text_that_is_no_few_rows_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(StoreError, match="in a message"):
        read_spooled(tmp_path, text, SPOOLED_RECORDS)


def test_a_file_whose_commit_is_uncertain_is_not_overwritten(server: EmbeddedStore) -> None:
    store = server.connect()
    source = Source(store)
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(10))
    server.kill_engine()
    with pytest.raises(StoreUnavailable):
        appender.commit([source.move(0, 1000)])
    assert appender.commit([source.move(0, 1000)]).records == 10
    assert list(server.directory.spool.rglob("*.arrow")) == []


def test_a_client_may_name_the_store_by_a_link(server: EmbeddedStore, tmp_path: Path) -> None:
    server.connect()  # the engine is started under the directory's own name
    link = tmp_path / "link"
    link.symlink_to(server.directory.path)
    with DuckdbStore(link) as store:
        source = Source(store)
        appender = store.appender()
        appender.write(source.stream_id, source.file_id, records(100_000))
        assert appender.commit([source.move(0, 1000)]).records == 100_000


@pytest.mark.parametrize("name", ["../x", "../records.duckdb", "1-ab/../x.arrow", "1-ab/x", "x/0.arrow", "0.arrow"])
def test_only_files_with_the_names_that_clients_give_are_read(tmp_path: Path, name: str) -> None:
    spool = tmp_path / "spool"
    (spool / "1-ab").mkdir(parents=True)
    with pytest.raises(StoreError, match="it is not in the spool"):
        read_spooled(spool, f"{spool}/{name}", SPOOLED_RECORDS)


def test_files_that_puppylog_has_not_made_stay_in_the_spool(tmp_path: Path) -> None:
    strangers = [tmp_path / ".DS_Store", tmp_path / "lost+found", tmp_path / "-1-ab"]
    for stranger in strangers:
        stranger.mkdir()
    dead = tmp_path / "999999999-ab"
    dead.mkdir()
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(strangers)
