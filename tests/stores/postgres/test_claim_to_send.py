"""The claim to send when the session that has it is lost."""

from puppylog.stores.postgres.store import PostgresStore
from support.alert_tables import Connection
from support.embedded import wait_until

SENDERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'puppylog-sender' AND datname = current_database()"


def end_sessions(store: Connection) -> None:
    for row in store.execute(SENDERS).fetchall():
        store.execute("SELECT pg_terminate_backend(%s, 10000)", [row["pid"]])


def test_a_client_whose_session_is_lost_gets_the_claim_again(url: str, store: Connection) -> None:
    with PostgresStore(url) as client, PostgresStore(url) as other:
        assert client.claim_sending()
        end_sessions(store)
        wait_until(client.claim_sending, what="the claim")
        assert not other.claim_sending()


def test_a_client_whose_session_is_lost_does_not_have_the_claim_that_another_client_has_got(
    url: str, store: Connection
) -> None:
    with PostgresStore(url) as client, PostgresStore(url) as other:
        assert client.claim_sending()
        end_sessions(store)
        assert other.claim_sending()
        assert not client.claim_sending()
        client.release_sending()
        assert other.claim_sending()


def test_a_client_without_the_claim_keeps_no_connection(url: str, store: Connection) -> None:
    with PostgresStore(url) as client, PostgresStore(url) as other:
        assert client.claim_sending()
        assert not other.claim_sending()
        wait_until(lambda: len(store.execute(SENDERS).fetchall()) == 1, what="the end of the other session")
        client.release_sending()
        wait_until(lambda: store.execute(SENDERS).fetchall() == [], what="the end of the session")
