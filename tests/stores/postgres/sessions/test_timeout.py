"""The limits of a user's query on PostgreSQL."""

import pytest

from puppylog.errors import QueryError
from puppylog.stores.postgres.store import PostgresStore

ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b"


def test_a_query_that_takes_too_long_is_ended(postgres_store_url: str) -> None:
    with PostgresStore(postgres_store_url, timeout_s=0.3) as store:
        with pytest.raises(QueryError, match="see --timeout"), store.stream_query(ENDLESS) as batches:
            list(batches)
        with pytest.raises(QueryError, match=r"it took longer than 0\.3 s \(see --timeout\)"):
            store.query(ENDLESS)
        assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_regular_expression_that_backtracks_is_ended(postgres_store_url: str) -> None:
    # The last back-reference never matches, and the server tries every split of the text before it finds that out.
    backtracking = "SELECT (repeat('a', 2000) || '!') ~ '^(a|!)(a*)(a*)(a*)(a*)\\1$' AS found"
    with PostgresStore(postgres_store_url, timeout_s=0.3) as store:
        with pytest.raises(QueryError, match="see --timeout"):
            store.query(backtracking)
        with pytest.raises(QueryError, match="see --timeout"), store.stream_query(backtracking) as batches:
            list(batches)
        assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_the_server_checks_whether_the_client_of_a_query_is_connected(postgres_store_url: str) -> None:
    with PostgresStore(postgres_store_url, timeout_s=60) as store:
        asked = (
            "SELECT current_setting('client_connection_check_interval') AS every, "
            "current_setting('statement_timeout') AS most"
        )
        with store.stream_query(asked) as batches:
            assert [row for batch in batches for row in batch.to_pylist()] == [{"every": "1s", "most": "1min"}]
