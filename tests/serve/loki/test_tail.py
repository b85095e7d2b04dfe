"""Following new entries over a websocket."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from puppylog.errors import QueryError
from puppylog.model.token import NewToken, Scope, hash_token, make_token
from puppylog.monitor.logql.entries import Entry
from puppylog.serve.limits import Limits
from puppylog.serve.loki import tail
from puppylog.stores.cancellable import CancellableReader
from support.embedded import wait_until
from support.served import Served
from support.websocket import WebSocketClient


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch, Served(tmp_path_factory.mktemp("tail")) as served:
        patch.setattr(tail, "_POLL_S", 0.02)
        yield served


def follow(
    served: Served, query: str, headers: Mapping[str, str] | None = None, **parameters: object
) -> WebSocketClient:
    written = urlencode({"query": query, **{name: str(value) for name, value in parameters.items()}})
    return WebSocketClient(served.port, f"/loki/api/v1/tail?{written}", headers)


def store(served: Served, source: str, *messages: str) -> None:
    body = "".join(json.dumps({"message": message, "level": "info"}) + "\n" for message in messages)
    assert served.send("POST", f"/api/v1/lines?source={source}&format=json", body.encode()).status == 200


def take(client: WebSocketClient, count: int) -> list[str]:
    """Return the lines of the next messages, at least so many."""
    lines: list[str] = []
    while len(lines) < count:
        message = client.receive()
        lines += [value[1] for stream in message["streams"] for value in stream["values"]]
    return lines


def test_the_newest_entries_come_first_and_then_each_new_one_once(served: Served) -> None:
    store(served, "once", *(f"old {at}" for at in range(5)))
    with follow(served, '{service_name="once"} |= "o"', limit=3) as client:
        assert client.status == 101
        assert take(client, 3) == ["old 2", "old 3", "old 4"]
        client.say("x" * 100_000)  # is discarded
        store(served, "other", "o of another source")
        for at in range(3):
            store(served, "once", f"so new {at}", "x")
        assert take(client, 3) == [f"so new {at}" for at in range(3)]


def test_what_is_stored_between_the_request_and_the_first_positions_is_sent(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = tail._Tail.begin

    def begin_late(self: tail._Tail, connected: CancellableReader) -> list[Entry]:
        store(served, "between", "stored meanwhile")
        return begin(self, connected)

    monkeypatch.setattr(tail._Tail, "begin", begin_late)
    with follow(served, '{service_name="between"}') as client:
        assert take(client, 1) == ["stored meanwhile"]


def test_the_query_of_a_client_that_goes_away_is_ended(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    is_cancelled = threading.Event()

    def begin(_self: tail._Tail, reader: CancellableReader) -> list[Entry]:
        try:
            reader.query("SELECT count(*) AS n FROM range(100000000000) AS one(i) WHERE hash(i) = 7")
        except QueryError:
            is_cancelled.set()
            raise
        return []

    monkeypatch.setattr(tail._Tail, "begin", begin)
    with follow(served, "{}") as client:
        assert client.status == 101
        assert not is_cancelled.wait(0.2)
    assert is_cancelled.wait(20)


def test_a_stream_that_begins_later_is_followed_with_its_labels(served: Served) -> None:
    flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
    with follow(served, '{service_name=~"later.*"} | label_format l=level', flags, delay_for=0) as client:
        store(served, "later1", "first")
        message = client.receive()
    [stream] = message["streams"]
    assert stream["stream"] == {"filename": "lines:///later1", "service_name": "later1"}
    assert stream["values"][0][1:] == [
        "first",
        {
            "structuredMetadata": {"detected_level": "info", "severity": "info", "ts_source": "read"},
            "parsed": {"l": "info"},
        },
    ]
    assert message["encodingFlags"] == ["categorize-labels"]


def test_of_too_many_entries_the_newest_are_sent_and_the_others_counted(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_MAX_ENTRIES", 2)
    store(served, "many", "old")
    with follow(served, '{service_name="many"}') as client:
        assert take(client, 1) == ["old"]  # the positions have been read
        store(served, "many", *(f"line {at}" for at in range(6)))
        message = client.receive()
    assert [value[1] for stream in message["streams"] for value in stream["values"]] == ["line 4", "line 5"]
    assert len(message["dropped_entries"]) == 4


REFUSED: tuple[tuple[dict[str, Any], dict[str, str], int, str], ...] = (
    ({"query": "{"}, {}, 400, "parse error at line 1, col 2: "),
    ({"query": "rate({}[1m])"}, {}, 400, "only a log query can be followed"),
    ({"query": "{}", "delay_for": 6}, {}, 400, "delay_for can't be greater than 5"),
    ({"query": "{}", "limit": 0}, {}, 400, "limit must be a whole number"),
    ({"query": "{}"}, {"Origin": "http://evil.example"}, 403, "a page of another site"),
)


@pytest.mark.parametrize(("parameters", "headers", "status", "cause"), REFUSED)
def test_a_websocket_is_refused_with_its_cause(
    served: Served, parameters: dict[str, Any], headers: dict[str, str], status: int, cause: str
) -> None:
    with follow(served, headers=headers, **parameters) as client:
        assert (client.status, client.body.decode()[: len(cause)]) == (status, cause)


def test_only_the_tail_is_a_websocket_and_a_tail_is_no_plain_request(served: Served) -> None:
    with WebSocketClient(served.port, "/loki/api/v1/labels") as client:
        assert client.status == 403
    with WebSocketClient(served.port, "/loki/api/v1/tail?query={}", host="evil.example") as client:
        assert (client.status, b"evil.example" in client.body) == (421, True)
    answer = served.send("GET", "/loki/api/v1/tail?query={}")
    assert (answer.status, answer.text) == (400, "tail is a websocket, and this is a plain request")


def test_too_many_tails_are_refused_and_one_that_ends_makes_room(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_MAX_TAILS", 1)

    def count_second() -> int:
        with follow(served, "{}") as first, follow(served, "{}") as second:
            return second.status if first.status == 101 else 0

    wait_until(lambda: count_second() == 503, what="the end of other tails, so that one is accepted")
    wait_until(lambda: count_second() == 503, what="the end of the first one")


def test_a_tail_ends_with_the_server_and_without_a_trace(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        with follow(served, "{}") as client:
            assert client.status == 101
            began = time.monotonic()
            served.server.close()
            assert client.receive() is None
            assert client.closed_with is not None
            assert client.closed_with[0] == 1012  # the service restarts
        assert time.monotonic() - began < 4
        assert served.reported == []


def test_a_client_that_goes_away_or_does_not_read_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_POLL_S", 0.02)
    with Served(tmp_path, limits=Limits(read_s=0.2)) as served:
        listener = served.server._listener
        assert listener is not None
        with follow(served, "{}") as client:
            assert client.status == 101
            assert listener.connections == 1
        wait_until(lambda: listener.connections == 0, what="the end of the connection")
        with follow(served, "{}") as client:
            store(served, "long", *("x" * 60_000 for _ in range(300)))
            wait_until(lambda: listener.connections == 0, what="the end of a client that does not read")
        assert served.reported == []


def test_a_token_of_the_scope_read_is_needed(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        ingest, read = make_token(), make_token()
        with served.own.connect() as connected:
            connected.create_token(NewToken("sender", Scope.INGEST, hash_token(ingest), None))
            connected.create_token(NewToken("grafana", Scope.READ, hash_token(read), None))

        def status(token: str, origin: str = "") -> int:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            with follow(served, "{}", {**headers, **({"Origin": origin} if origin else {})}) as client:
                return client.status

        wait_until(lambda: status("") == 401, what="the tokens")
        assert (status(ingest), status(read), status(read, "http://grafana:3000")) == (403, 101, 101)
