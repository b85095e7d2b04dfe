from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.errors import QueryError
from puppylog.stores.duckdb.engine import block_cache
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.gate import Gate
from support.schema_template import copy_schema

ROWS = "CREATE TABLE filled AS SELECT hash(n) AS a, hash(n + 1) AS b FROM range(1000000) AS numbers (n)"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(block_cache, "KEPT_BYTES", 4_000_000)
    with Engine(copy_schema(tmp_path / "database")) as engine:
        engine.write(lambda connection: connection.run(ROWS))
        yield engine


def read_used(engine: Engine) -> int:
    return int(engine.write(lambda connection: connection.value(block_cache._USED)))


def read_limit(engine: Engine) -> str:
    return str(engine.write(lambda connection: connection.value("SELECT current_setting('memory_limit') AS size")))


def test_blocks_of_a_backfill_do_not_stay_in_memory(engine: Engine) -> None:
    limit = read_limit(engine)
    assert read_used(engine) > 10_000_000
    engine.release_blocks()
    assert read_used(engine) <= 4_000_000
    assert read_limit(engine) == limit
    with engine.read() as connection:
        assert connection.value("SELECT count(*) AS rows FROM filled WHERE a >= 0") == 1_000_000


def test_no_block_is_released_while_a_query_reads(engine: Engine) -> None:
    with engine.read():
        engine.release_blocks()
        assert read_used(engine) > 10_000_000


def test_blocks_that_cannot_be_released_leave_the_limit_as_it_is(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = read_limit(engine)
    monkeypatch.setattr(block_cache, "KEPT_BYTES", 1)
    engine.release_blocks()
    assert read_limit(engine) == limit


def test_a_user_cannot_change_the_memory_limit(engine: Engine) -> None:
    with engine.read() as connection, pytest.raises(QueryError):
        connection.reads_only("SET GLOBAL memory_limit = '1MB'")


def test_a_gate_that_two_threads_close_opens_when_both_have_opened_it() -> None:
    gate = Gate()
    with gate.closed(0.0) as is_alone:
        with gate.closed(0.0) as is_alone_too:
            assert is_alone
            assert is_alone_too
        assert gate._closed_by == 1
    with gate.reading(), gate.closed(0.0) as is_alone:
        assert not is_alone
