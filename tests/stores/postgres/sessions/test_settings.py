"""Settings of a role or a database that would break a promise do not apply to Puppylog's sessions."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.lines import Source, records


def set_in_database(url: str, setting: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {conninfo_to_dict(url)['dbname']} SET {setting}".encode())


def test_a_batch_that_takes_longer_than_a_query_may_is_stored(postgres_store_url: str) -> None:
    set_in_database(postgres_store_url, "statement_timeout = '500ms'")
    with psycopg.connect(postgres_store_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION puppylog.wait() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_sleep(1); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER slow BEFORE INSERT ON puppylog.log_records FOR EACH ROW EXECUTE FUNCTION puppylog.wait()"
        )
    with PostgresStore(postgres_store_url) as store:
        Source(store).append(records(1))
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 1}]


@pytest.mark.parametrize(("given", "used"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
def test_a_confirmed_commit_is_durable(postgres_store_url: str, given: str, used: str) -> None:
    set_in_database(postgres_store_url, f"synchronous_commit = {given}")
    with PostgresStore(postgres_store_url) as store:
        setting = store._ingest.call(lambda session: session.value("SELECT current_setting('synchronous_commit')"))
    assert setting == used


def test_a_url_with_another_encoding_changes_no_letter(postgres_store_url: str) -> None:
    with PostgresStore(make_conninfo(postgres_store_url, client_encoding="latin1")) as store:
        Source(store).append(records(1, message="grüße €"))
        assert store.query("SELECT message FROM puppylog.log_records").to_pylist() == [{"message": "grüße €"}]
    with PostgresStore(postgres_store_url) as store:
        assert store.query("SELECT message FROM puppylog.log_records").to_pylist() == [{"message": "grüße €"}]


def test_a_transaction_that_waits_for_a_lock_sees_what_was_committed_before_it_was_free(
    postgres_store_url: str,
) -> None:
    set_in_database(postgres_store_url, "default_transaction_isolation = 'repeatable read'")
    with Session(postgres_store_url) as session:
        assert session.value("SHOW transaction_isolation") == "read committed"


def test_a_missing_element_of_an_array_stays_missing(postgres_store_url: str) -> None:
    set_in_database(postgres_store_url, "array_nulls = off")
    with Session(postgres_store_url) as session:
        assert session.value("SELECT ($list::text[])[1] IS NULL AS missing", {"list": [None]})
