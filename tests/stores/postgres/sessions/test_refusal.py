"""The SQLSTATE of a connection that a server refuses."""

import itertools

import pytest

from puppylog.stores.postgres.sessions import refusal
from puppylog.stores.postgres.sessions.refusal import find_refusal
from support.postgres import PostgresServer

TEXTS = (f"a text that was not met before, {number}" for number in itertools.count())


def test_a_refusal_of_the_server_has_an_sqlstate(shared_postgres: PostgresServer) -> None:
    assert find_refusal(shared_postgres.url("missing"), {"connect_timeout": "10"}, next(TEXTS)) == "3D000"


def test_a_port_without_a_server_gives_no_sqlstate() -> None:
    assert find_refusal("postgresql://127.0.0.1:1/logs", {}, next(TEXTS)) == ""


def test_a_url_that_libpq_refuses_gives_no_sqlstate() -> None:
    assert find_refusal("postgresql://127.0.0.1:0/logs", {}, next(TEXTS)) == ""


def test_a_text_is_looked_up_once(shared_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    text = next(TEXTS)
    found = [find_refusal(shared_postgres.url("missing"), {}, text)]
    monkeypatch.setattr(refusal, "_ask", lambda _: pytest.fail("it was asked again"))
    found.append(find_refusal(shared_postgres.url("missing"), {}, text))
    assert found == ["3D000", "3D000"]


def test_a_text_is_looked_up_again_if_the_connection_succeeds(shared_postgres: PostgresServer) -> None:
    text = next(TEXTS)
    assert find_refusal(shared_postgres.url(), {}, text) == ""
    assert (shared_postgres.url(), text) not in refusal._known
