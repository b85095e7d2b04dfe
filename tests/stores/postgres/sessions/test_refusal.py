"""The SQLSTATE of a connection that a server refuses."""

import itertools

import pytest

from puppylog.stores.postgres.sessions import refusal
from puppylog.stores.postgres.sessions.refusal import find_refusal
from support.postgres import PostgresServer

TEXTS = (f"a text that was not met before, {number}" for number in itertools.count())


def test_a_refusal_of_the_server_has_a_state(shared_postgres: PostgresServer) -> None:
    assert find_refusal(shared_postgres.url("missing"), {"connect_timeout": "10"}, next(TEXTS)) == "3D000"


def test_where_no_server_listens_there_is_no_state() -> None:
    assert find_refusal("postgresql://127.0.0.1:1/logs", {}, next(TEXTS)) == ""


def test_a_url_that_libpq_does_not_take_has_no_state() -> None:
    assert find_refusal("postgresql://127.0.0.1:0/logs", {}, next(TEXTS)) == ""


def test_a_text_is_looked_up_once(shared_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    text = next(TEXTS)
    found = [find_refusal(shared_postgres.url("missing"), {}, text)]
    monkeypatch.setattr(refusal, "_ask", lambda _: pytest.fail("it was asked again"))
    found.append(find_refusal(shared_postgres.url("missing"), {}, text))
    assert found == ["3D000", "3D000"]


def test_a_connection_that_comes_about_now_is_asked_for_again(shared_postgres: PostgresServer) -> None:
    text = next(TEXTS)
    assert find_refusal(shared_postgres.url(), {}, text) == ""
    assert (shared_postgres.url(), text) not in refusal._known
