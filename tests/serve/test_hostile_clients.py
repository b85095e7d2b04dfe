"""Clients that are slow, broken or hostile. Others are served meanwhile."""

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, suppress

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from puppylog.serve import endpoints
from puppylog.serve.context import Context
from puppylog.serve.guard import guarded
from puppylog.serve.limits import Limits
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.running import running
from support.served import Served

LIMITS = Limits(
    body_bytes=1 << 20,
    bodies_bytes=4 << 20,
    head_bytes=16 << 10,
    connections=40,
    head_s=0.5,
    idle_s=0.5,
    body_pause_s=0.5,
    body_s=1.0,
    read_s=0.5,
    read_rate=100 << 20,
    linger_s=0.3,
    writes=1,
    waiting=1,
    writes_waiting=1,
)
HEAD = b"POST /write HTTP/1.1\r\nHost: localhost\r\n"
SHORT = HEAD + b"Content-Length: 2\r\n\r\nok"


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return routes that write a body to the store, and that answer with many bytes."""

    async def write(request: Request) -> Response:
        body = await context.read_body(request)
        await context.stores.write(lambda store: store.keep_alive())
        return PlainTextResponse(str(len(body)))

    async def much(_request: Request) -> Response:
        return Response(bytes(32 << 20))

    async def stream(_request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield bytes(10_000)

        return StreamingResponse(parts())

    return [
        Route("/stream", guarded(context, "read", stream)),
        Route("/write", guarded(context, "ingest", write), methods=["POST"]),
        Route("/much", guarded(context, "read", much)),
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoints, "ALL", (*endpoints.ALL, routes))
        with Served(tmp_path_factory.mktemp("served"), limits=LIMITS) as served:
            yield served


def speak(served: Served, data: bytes) -> bytes:
    """Send bytes, and return what the server answers until it closes the connection."""
    with served.connect() as connected:
        connected.sendall(data)
        return read_all(connected)


def read_all(connected: socket.socket) -> bytes:
    answer = b""
    try:
        while part := connected.recv(65536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def write(served: Served) -> float:
    """Send a request that writes; return how many seconds its answer took."""
    started = time.monotonic()
    assert served.send("POST", "/write", b"ok").text == "2"
    return time.monotonic() - started


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        HEAD + b"Content-Length: 1000\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["nothing", "request line", "headers", "body", "chunk"],
)
def test_a_client_that_stops_in_the_middle_is_left(served: Served, begin: bytes) -> None:
    started = time.monotonic()
    answer = speak(served, begin)
    assert time.monotonic() - started < 3
    assert statuses(answer) in ([], [503])


def drip(connected: socket.socket, data: bytes) -> bytes:
    """Send bytes again and again until the connection breaks or is closed; return what the server has answered."""
    deadline = time.monotonic() + 30
    connected.settimeout(0.05)
    answer = b""
    with suppress(ConnectionError):
        while time.monotonic() < deadline:
            connected.sendall(data)
            try:
                part = connected.recv(65536)
            except TimeoutError:
                continue
            if not part:
                break
            answer += part
    assert time.monotonic() < deadline - 20
    return answer


def test_a_client_that_drips_headers_is_left(served: Served) -> None:
    with served.connect() as connected:
        connected.sendall(b"GET / HTTP/1.1\r\n")
        assert drip(connected, b"X-A: b\r\n") == b""


def test_a_client_that_drips_the_second_request_is_left(served: Served) -> None:
    with served.connect() as connected:
        connected.sendall(SHORT)
        assert statuses(connected.recv(1000)) == [200]
        assert statuses(drip(connected, b"G")) == []


def test_a_client_that_drips_a_body_is_refused(served: Served) -> None:
    with served.connect() as connected:
        connected.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        assert statuses(drip(connected, b"x")) == [503]


def test_a_client_that_does_not_read_its_answer_is_left(served: Served) -> None:
    with served.connect() as connected:
        connected.sendall(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connected.recv(100)
        assert served.server.connections > 0
        wait_until(lambda: served.server.connections == 0, what="the end of the connection")


def test_a_client_that_reads_its_answer_drop_by_drop_is_left(served: Served) -> None:
    with served.connect() as connected:
        connected.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stop = threading.Event()

        def read() -> None:
            with suppress(OSError):
                while not stop.wait(0.05) and connected.recv(10_000):
                    continue

        with running(read, stop):
            wait_until(lambda: served.server.connections > 0, what="the connection")
            started = time.monotonic()
            wait_until(lambda: served.server.connections == 0, what="its end")
        assert time.monotonic() - started < 20


def test_an_idle_connection_is_closed_after_a_while(served: Served) -> None:
    with served.connect() as connected:
        connected.sendall(SHORT + SHORT)
        assert statuses(read_all(connected)) == [200, 200]


def test_slow_clients_do_not_hold_a_writer(served: Served) -> None:
    """There is one writer, and one write may wait: if a slow client had it, no other client could write."""
    slow = [
        b"",
        b"POST /wr",
        HEAD + b"X-A: ",
        HEAD + b"Content-Length: 2\r\n\r\no",
        HEAD + b"Content-Length: 900000\r\n\r\n" + bytes(100_000),
        HEAD + b"Expect: 100-continue\r\nContent-Length: 900000\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n5\r\n" + gzip.compress(b"a")[:3],
    ]
    with ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(5) for _ in slow]
        for client, begin in zip(clients, slow * 5, strict=True):
            client.sendall(begin)
        assert max(write(served) for _ in range(10)) < 2
    assert served.server.context.budget.used_bytes <= LIMITS.bodies_bytes


def test_idle_connections_however_many_do_not_keep_others_out(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(3 * LIMITS.connections):
            stack.enter_context(served.connect()).sendall(b"GET / HT")
        assert max(write(served) for _ in range(5)) < 2


def test_memory_is_given_back_after_every_end_of_a_request(served: Served) -> None:
    for data in (
        SHORT,
        HEAD + b"Content-Length: 900000\r\n\r\nabc",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    ):
        with served.connect() as connected:
            connected.sendall(data)
    wait_until(lambda: served.server.context.budget.used_bytes == 0, what="the end of the requests")


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 4, 5\r\n",
        b"Content-Length : 4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X-A: a\0b\r\n",
        b"X A: a\r\n",
        b": a\r\n",
    ],
)
def test_a_request_whose_end_is_not_sure_is_refused_with_all_that_follows(served: Served, headers: bytes) -> None:
    hidden = b"0\r\n\r\nGET /much HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = speak(served, HEAD + headers + b"\r\n" + hidden)
    assert statuses(answer) in ([400], [501])


def test_a_body_that_no_handler_has_read_is_not_the_next_request(served: Served) -> None:
    hidden = b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n"
    begin = b"POST /no/such/thing HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (len(hidden) + 9)
    with served.connect() as connected:
        connected.sendall(begin)
        assert b" 404 " in connected.recv(1000)
        connected.sendall(hidden)
        assert b" 200 " not in read_all(connected)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * (20 << 10),
        b"GET /" + b"a" * (20 << 10),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(3000)),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * (20 << 10),
    ],
    ids=["header", "path", "many headers", "chunk size"],
)
def test_a_head_that_is_too_long_is_refused(served: Served, head: bytes) -> None:
    assert statuses(speak(served, head)) == [400]


@pytest.mark.parametrize("host", [b"evil.example", b"localhost.evil.example", b""])
def test_a_forged_host_is_refused(served: Served, host: bytes) -> None:
    answer = speak(served, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert statuses(answer) == [421]
    assert b"Puppylog" not in answer


CLIMBING = [
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/ready/..",
    "//etc/passwd",
    "/\\..\\a",
    "/%00",
]


@pytest.mark.parametrize("path", CLIMBING)
def test_a_path_that_climbs_finds_nothing(served: Served, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert statuses(speak(served, request.encode())) == [404]


def test_a_request_from_the_page_of_another_site_is_refused(served: Served) -> None:
    evil = {"Origin": "http://evil.example"}
    assert served.send("POST", "/write", b"ok", evil).status == 403
    assert served.send("POST", "/write", b"ok", {"Sec-Fetch-Site": "cross-site"}).status == 403
    own = {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
    assert served.send("POST", "/write", b"ok", own).status == 200


def test_a_body_that_is_too_large_is_answered_although_the_client_still_sends(served: Served) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(1 << 16)

    for body in (parts(), bytes(4 << 20)):
        try:
            assert served.send("POST", "/write", body).status == 413
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail("the client did not see the answer")


def test_the_server_reports_no_defect_and_answers_afterwards(served: Served) -> None:
    write(served)
    assert served.reported == []


def test_requests_above_the_limit_of_writes_are_refused_for_now(served: Served) -> None:
    is_over = threading.Event()

    def hold(_store: Store) -> None:
        is_over.wait(30)

    loop = served.server._loop
    assert loop is not None
    running = [asyncio.run_coroutine_threadsafe(served.server.context.stores.write(hold), loop) for _ in range(2)]
    try:
        wait_until(lambda: served.server.context.stores._writes._count == 2, what="the calls")
        answer = served.send("POST", "/write", b"ok")
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert served.send("GET", "/ready").status == 200
    finally:
        is_over.set()
    for call in running:
        call.result(30)
    assert write(served) < 2
