from pathlib import Path

import pytest

from puppylog.stores.duckdb.client import channel
from support.embedded import EmbeddedStore, wait_until


def count_threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="NOT TESTED: the threads of gRPC, which only Linux lists"
)
def test_an_idle_connection_and_its_threads_end_until_the_next_call(
    server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = server.connect()
    in_use = count_threads()
    store.keep_alive()  # the connection was used just now
    assert count_threads() >= in_use
    monkeypatch.setattr(channel, "_REST_S", 0.0)
    store.keep_alive()
    wait_until(lambda: count_threads() < in_use, what="the end of the threads of gRPC")
    store.keep_alive()
    assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_connection_is_kept_while_an_answer_is_read(server: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_REST_S", 0.0)
    store = server.connect()
    rows = 0
    with store.stream_query("SELECT * FROM range(1000000)") as batches:
        for batch in batches:
            store.keep_alive()
            rows += batch.num_rows
    assert rows == 1_000_000
