"""A query of the read interface ends when its client goes away, or when its time is over."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from puppylog.errors import PuppylogError
from puppylog.serve.limits import Limits
from puppylog.serve.read import records
from support.embedded import wait_until
from support.read_interface import get
from support.served import Served

ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 1000000) AS a(i), generate_series(1, 1000000) AS b(j)"


class EndlessPage:
    """Takes the place of `find_page`, and notes when its query has begun and ended."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    def find(self, reader: Any, *_: object, **__: object) -> None:
        reader.query("SELECT 1 AS one")
        self.begun.set()
        try:
            reader.query(ENDLESS)
        finally:
            self.ended.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    limits = replace(Limits(), query_s=30.0, queries=1)
    with Served(tmp_path_factory.mktemp("running"), limits=limits) as served:
        yield served


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> EndlessPage:
    page = EndlessPage()
    monkeypatch.setattr(records, "find_page", page.find)
    return page


def test_a_query_ends_when_its_client_goes_away(served: Served, endless: EndlessPage) -> None:
    with served.connect() as client:
        client.sendall(b"GET /api/v1/records HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert endless.begun.wait(30)
        left_at = time.monotonic()
    assert endless.ended.wait(30)
    assert time.monotonic() - left_at < 1.5  # usually 0.1 s; other processes take time, too
    assert get(served, "histogram")["records"] == 0  # the only thread for queries is free
    key = ("read", 499)
    wait_until(lambda: key in served.server.context.counters.read_responses(), what="the count of the request")
    assert served.reported == []


def test_a_query_that_waits_for_a_thread_never_begins_if_its_client_has_gone(
    served: Served, endless: EndlessPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[pa.Table] = []
    with served.connect() as first:
        first.sendall(b"GET /api/v1/records HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert endless.begun.wait(30)
        monkeypatch.setattr(records, "find_page", lambda reader, *_, **__: asked.append(reader.query("SELECT 1")))
        with served.connect() as second:
            second.sendall(b"GET /api/v1/records?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: served.server.context.stores._queries._count == 2, what="the second request")
    wait_until(lambda: served.server.context.stores._queries._count == 0, what="the end of both")
    assert asked == []
    assert served.reported == []


def test_a_query_that_takes_too_long_is_ended_and_says_so(served: Served, endless: EndlessPage) -> None:
    error = get(served, "records", status=504, timeout_s=0.3)["error"]
    assert error["message"] == (
        "the store did not answer within 0.3 s, and the query was ended; "
        "choose a shorter range of time, or ask for less"
    )
    assert error["is_transient"] is False
    assert endless.ended.wait(30)


def test_an_error_of_the_store_is_not_taken_for_a_lost_client(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PuppylogError("read", "the disk", "it is wet", "dry it")

    monkeypatch.setattr(records, "find_page", fail)
    error = get(served, "records", status=400)["error"]
    assert (error["message"], error["advice"]) == ("cannot read the disk: it is wet", "dry it")
