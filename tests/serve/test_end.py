"""The end of a server: requests that run are answered, others are not begun."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog.serve import endpoints
from puppylog.serve.context import Context
from puppylog.serve.limits import Limits, make_limits
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.served import Served

Hold = Callable[[], None]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Served, list[str], threading.Event]]:
    """Return a server whose ``/slow`` waits for an event, what has begun, and the event."""
    begun: list[str] = []
    is_over = threading.Event()

    def wait(_store: Store) -> None:
        begun.append("slow")
        is_over.wait(30)

    def routes(context: Context) -> Sequence[BaseRoute]:
        async def slow(_request: Request) -> Response:
            await context.stores.write(wait)
            return PlainTextResponse("done")

        return [Route("/slow", slow)]

    monkeypatch.setattr(endpoints, "ALL", (routes,))
    with Served(tmp_path, limits=Limits(end_s=1.0)) as served:
        yield served, begun, is_over
        is_over.set()


def ask(served: Served) -> tuple[threading.Thread, list[str]]:
    """Send a slow request in a thread; return the thread, and the list that gets the answer."""
    answers: list[str] = []

    def send() -> None:
        try:
            answers.append(served.send("GET", "/slow").text)
        except OSError as error:
            answers.append(type(error).__name__)

    thread = threading.Thread(target=send)
    thread.start()
    return thread, answers


def test_a_running_request_is_answered_at_the_end(served: tuple[Served, list[str], threading.Event]) -> None:
    server, begun, is_over = served
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    thread, answers = ask(server)
    wait_until(lambda: begun == ["slow"], what="the request")
    server.server.begin_end()
    assert idle.recv(1) == b""  # a connection without a request is closed at once
    idle.close()
    wait_until(lambda: is_refused(server.port), what="the end of listening")
    is_over.set()
    thread.join(30)
    assert answers == ["done"]


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_request_that_runs_too_long_does_not_hold_the_end(served: tuple[Served, list[str], threading.Event]) -> None:
    server, begun, _ = served
    thread, answers = ask(server)
    wait_until(lambda: begun == ["slow"], what="the request")
    started = time.monotonic()
    server.server.close()
    assert time.monotonic() - started < 3
    thread.join(30)
    assert answers
    assert answers != ["done"]
    assert server.reported == []


def test_a_server_has_fewer_connections_than_half_of_the_files_that_it_may_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("puppylog.serve.limits.allow_many_files", lambda: 1024)
    limits = make_limits(100 << 20)
    assert (limits.connections, limits.bodies_bytes) == (512, 200 << 20)


def test_a_server_whose_loop_hangs_has_not_moved(served: tuple[Served, list[str], threading.Event]) -> None:
    server = served[0].server
    is_over = threading.Event()
    wait_until(lambda: server.has_moved(0.2), what="the first sign")
    loop = server._loop
    assert loop is not None
    loop.call_soon_threadsafe(is_over.wait, 30)  # what a defect could do
    try:
        wait_until(lambda: not server.has_moved(0.2), what="the missing sign")
    finally:
        is_over.set()
    wait_until(lambda: server.has_moved(0.2), what="the next sign")
    server.begin_end()
    assert server.has_moved(0.0)
