"""``/api/v1/records/tail``: every new record arrives once, also after a connection, a server or a store was away."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from puppylog.errors import QueryError, StoreUnavailable
from puppylog.model.retention import Retention
from puppylog.serve.read.tail import hub, routes
from puppylog.serve.read.tail.hub import Hub
from puppylog.serve.read.tail.snapshots import SnapshotReader
from puppylog.serve.refusal import Refusal
from support.embedded import wait_until
from support.event_stream import EventStream
from support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("tail")) as served:
        store(served, "the first one of the group")
        yield served


def store(served: Served, *messages: str, source: str = "shop", **fields: object) -> None:
    """Store records. Their messages must be new: the server stores an identical request once."""
    body = b"".join(json.dumps({"message": message, **fields}).encode() + b"\n" for message in messages)
    assert served.send("POST", f"/api/v1/lines?source={source}&format=json&group=web", body).status == 200


def test_new_records_arrive_as_they_are_stored_the_newest_last(served: Served) -> None:
    store(served, "before")
    with EventStream(served) as tail:
        assert tail.response.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert tail.response.getheader("cache-control") == "no-store"
        store(served, "one", "two")
        assert tail.wait_for(2) == ["one", "two"]
        store(served, "three", source="other")
        assert tail.wait_for(3) == ["one", "two", "three"]
        [first, *_] = tail.wait_for_kind("records").data["records"]
        assert (first["source"], first["group"]) == ("lines:///shop", "web")
        assert first["ts"].endswith("Z")
        assert len(tail.last_id) < 4096


def test_a_tail_has_the_records_of_its_query_and_group_only(served: Served) -> None:
    with EventStream(served, q="status_code>=500", group="web") as tail:
        store(served, "right", "wrong one", status_code=500)
        assert tail.wait_for(2) == ["right", "wrong one"]
        store(served, "no", status_code=200)
        store(served, "yes", status_code=503)
        assert tail.wait_for(3)[2:] == ["yes"]


def test_a_client_that_connects_again_gets_what_was_stored_meanwhile_and_nothing_twice(served: Served) -> None:
    with EventStream(served) as tail:
        store(served, "a")
        tail.wait_for(1)
        last = tail.last_id
    store(served, "b", "c", source="new")
    with EventStream(served, last_id=last) as again:
        store(served, "d")
        assert again.wait_for(3) == ["b", "c", "d"]
    with EventStream(served, **{"from": last}) as third:
        assert third.wait_for(3) == ["b", "c", "d"]


def test_a_position_goes_on_although_no_record_matches(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.serve.read.tail.routes._SIGN_OF_LIFE_S", 0.2)
    with EventStream(served, q="message:nothing") as tail:
        first = tail.last_id
        store(served, "something")
        wait_until(lambda: tail.last_id != first, what="a later position")
        last = tail.last_id
    with EventStream(served, last_id=last) as again:
        store(served, "later")
        assert again.wait_for(1) == ["later"]


def test_tails_of_one_query_share_a_feed_and_leave_nothing_behind(served: Served) -> None:
    tails = served.server.context.tails
    assert isinstance(tails, Hub)
    with EventStream(served) as one, EventStream(served) as two, EventStream(served, q="x") as three:
        store(served, "x")
        for tail in (one, two, three):
            assert tail.wait_for(1) == ["x"]
        assert (tails.listeners, tails.feeds) == (3, 2)
    wait_until(lambda: tails.is_idle, what="the end of the hub's work")
    assert (tails.listeners, tails.feeds) == (0, 0)


def test_a_client_that_comes_after_the_last_one_has_left_is_served_again(served: Served) -> None:
    for message in ("first", "second", "third"):
        with EventStream(served) as tail:
            store(served, message)
            assert tail.wait_for(1) == [message]


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        ("?q=no_such:1", 400, "q"),
        ("?group=nobody", 404, "group"),
        ("?tz=Mars", 400, "tz"),
        ("?from=" + "A" * 5000, 400, "from"),
        ("?since=1h", 400, "since"),
        ("?from=a&from=b", 400, "from"),
    ],
)
def test_a_wrong_parameter_is_named(served: Served, path: str, status: int, place: str) -> None:
    answer = served.send("GET", f"/api/v1/records/tail{path}")
    assert answer.status in {400, status}
    assert json.loads(answer.body)["error"]["place"] == place


def test_a_tail_can_only_be_read(served: Served) -> None:
    assert served.send("POST", "/api/v1/records/tail").status == 405
    head = served.send("HEAD", "/api/v1/records/tail")
    assert (head.status, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_a_tail_goes_on_after_a_restart_of_the_server_and_its_end_is_quick(served: Served) -> None:
    with EventStream(served) as tail:
        store(served, "before the end")
        tail.wait_for(1)
        last = tail.last_id
        served.server.close()
        wait_until(lambda: tail.has_ended, within_s=2, what="the end of the tail")
    served.start()
    store(served, "after the start")
    with EventStream(served, last_id=last) as again:
        assert again.wait_for(1) == ["after the start"]


def test_a_store_that_goes_away_is_told_and_when_it_is_back_nothing_is_missing(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise StoreUnavailable("reach", "the store", "it is away")

    with EventStream(served) as tail:
        store(served, "one")
        tail.wait_for(1)
        with monkeypatch.context() as patch:
            patch.setattr(SnapshotReader, "read", refuse)
            assert tail.wait_for_kind("away").data == {"message": "cannot reach the store: it is away"}
            store(served, "two")
            assert served.send("GET", "/api/v1/records/tail").status == 503
        tail.wait_for_kind("back")
        assert tail.wait_for(2) == ["one", "two"]
        served.own.kill_engine()
        store(served, "three")  # starts a new engine
        assert tail.wait_for(3) == ["one", "two", "three"]


def test_if_too_many_records_arrive_the_newest_are_shown_and_the_others_counted(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_LIVE", hub._Most(records=5, size_bytes=1 << 20))
    monkeypatch.setattr(hub, "_CATCHING_UP", hub._Most(records=100, size_bytes=1000))
    with EventStream(served, q="severity:error") as tail:
        last = tail.last_id
        store(served, *(f"line {at}" for at in range(50)), severity="error")
        assert tail.wait_for(5)[-1] == "line 49"
        wait_until(lambda: len(tail.messages) + tail.skipped == 50, what="all records")
    with EventStream(served, q="severity:error", last_id=last) as again:
        wait_until(lambda: again.skipped > 0, what="the records since")
        assert len(again.messages) + again.skipped == 50
        assert again.messages[-1] == "line 49"
        assert 1 <= len(again.messages) < 10


def test_there_is_a_limit_on_clients_and_on_different_queries(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(served.server.context.limits, tails=3, tail_queries=2)
    monkeypatch.setattr(served.server.context.tails, "_limits", small)
    with EventStream(served, q="a") as one, EventStream(served, q="b") as two:
        refused = served.send("GET", "/api/v1/records/tail?q=c")
        assert (refused.status, json.loads(refused.body)["error"]["is_transient"]) == (503, True)
        with EventStream(served, q="b") as three:
            assert served.send("GET", "/api/v1/records/tail?q=b").status == 503
            del one, two, three


def test_a_query_that_fails_in_the_store_ends_the_tail_and_says_why(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise QueryError("run", "this SQL", "it took longer than 10 s")

    with monkeypatch.context() as patch, EventStream(served) as tail, EventStream(served, q="other") as other:
        patch.setattr(hub, "read_arrivals", refuse)
        store(served, "fails")
        for one in (tail, other):
            assert "longer than 10 s" in one.wait_for_kind("failed").data["message"]
        wait_until(lambda: tail.has_ended and other.has_ended, what="the end of both tails")
    with EventStream(served) as tail:
        store(served, "works")
        assert tail.wait_for(1) == ["works"]


def test_a_tail_ends_when_its_token_is_revoked(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> NoReturn:
        raise Refusal(401, "the token is revoked")

    monkeypatch.setattr(routes, "_SIGN_OF_LIFE_S", 0.1)
    with EventStream(served) as tail, monkeypatch.context() as patch:
        patch.setattr(served.server.context.access, "check", refuse)
        wait_until(lambda: tail.has_ended, what="the end of the tail")


def test_a_client_that_does_not_read_takes_limited_memory_and_delays_nobody(served: Served) -> None:
    tails = served.server.context.tails
    assert isinstance(tails, Hub)
    with served.connect() as silent, EventStream(served) as reader:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        silent.sendall(b"GET /api/v1/records/tail HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_until(lambda: tails.listeners == 2, what="both clients")
        for part in range(12):
            store(served, *(f"{part}/{at} " + "x" * 8000 for at in range(120)))
        wait_until(lambda: len(reader.messages) + reader.skipped == 1440, what="all records")
        held = [listener._bytes for listener in tails._list_listeners()]
        assert max(held) < 4 << 20
    wait_until(lambda: tails.listeners == 0, what="the end of both clients")


def test_what_retention_deletes_is_neither_sent_nor_in_the_way(served: Served) -> None:
    with EventStream(served) as tail:
        last = tail.last_id
    store(served, "is deleted", ts="1999-01-01T00:00:00Z")
    store(served, "stays", ts=datetime.now(UTC).isoformat())
    with served.own.connect() as client:
        client.set_retention(Retention(365 * 86_400))
        wait_until(lambda: served.query("select count(*) n from log_records where ts < '2000-01-01'")[0]["n"] == 0)
        client.set_retention(Retention())
    with EventStream(served, last_id=last) as again:
        assert again.wait_for(1) == ["stays"]
